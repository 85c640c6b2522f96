"""What a holder lets clients know: asked once, remembered, withdrawn."""

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.lib.text import Text
from clave.sso import claims
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.clients import sector_of
from clave.sso.models import Client, Consent, Grant, Subject, SubjectType

REMEMBERED = timedelta(days=365)
_EXAMPLES = UUID(int=1), 2_000_000_000
_CONSENT = Lookup(lambda holder, client: Consent.objects.filter(holder=holder, client=client), *_EXAMPLES)
_LOCKED = Lookup(
    lambda holder, client: Consent.objects.select_for_update().filter(holder=holder, client=client), *_EXAMPLES
)
_SUBJECT = Lookup(lambda holder, sector: Subject.objects.filter(holder=holder, sector=sector), UUID(int=1), "sector")


def single_claims(request: AuthorizationRequest) -> list[str]:
    """Return the known claims asked for one by one and not by a scope.

    A client gets only those for which one of its scopes stands.
    """
    asked = {name for names in request.claim_names.values() for name in names}
    by_scope = claims.names_of(request.scopes)
    return sorted(name for name in asked if name not in by_scope and claims.scope_of(name) in request.client.scopes)


def received_in_words(grant: Grant) -> list[Text]:
    """Return what a grant let its client know, in the words of the consent page."""
    names = {name for place in grant.claims.values() for name in place}
    return claims.in_words(grant.scope_list, [name for name in names if claims.scope_of(name) in grant.client.scopes])


def has_any(holder: Holder, client: Client) -> bool:
    """Return whether the holder lets this client know anything."""
    return Consent.objects.filter(holder=holder, client=client, expires_at__gt=clock.now()).exists()


def is_given(holder: Holder, request: AuthorizationRequest, *, lock: bool = False) -> bool:
    """Return whether the holder has consented to all that this request asks for.

    With `lock`, in a transaction, the consent cannot be withdrawn before its end.
    """
    consent = (_LOCKED if lock else _CONSENT).one(holder.pk, request.client.pk)
    if consent is None or consent.expires_at <= clock.now():
        return False
    return set(request.scopes) <= set(consent.scopes) and set(single_claims(request)) <= set(consent.claims)


@transaction.atomic
def give(holder: Holder, request: AuthorizationRequest, context: RequestContext) -> Consent:
    """Remember a holder's consent to what this request asks for, besides what was consented to before."""
    now = clock.now()
    former = Consent.objects.select_for_update().filter(holder=holder, client=request.client).first()
    valid = former if former and former.expires_at > now else None
    scopes = sorted({*request.scopes, *(valid.scopes if valid else [])})
    names = sorted({*single_claims(request), *(valid.claims if valid else [])})
    consent, _created = Consent.objects.update_or_create(
        holder=holder,
        client=request.client,
        defaults={"scopes": scopes, "claims": names, "given_at": now, "expires_at": now + REMEMBERED},
    )
    audit.record("sso.consented", context, holder=holder, client=request.client.client_id, scopes=" ".join(scopes))
    return consent


@transaction.atomic
def withdraw(holder: Holder, client: Client, context: RequestContext) -> None:
    """Withdraw the consent: the client's tokens for this holder end at once."""
    Consent.objects.filter(holder=holder, client=client).delete()
    live = Grant.objects.filter(holder=holder, client=client, revoked_at=None)
    live.update(revoked_at=clock.now())
    audit.record("sso.consent_withdrawn", context, holder=holder, client=client.client_id)


def subject_of(holder: Holder, client: Client) -> str:
    """Return the name under which this client knows the holder (OpenID Connect Core 1.0, section 8)."""
    sector = sector_of(client) if client.subject_type == SubjectType.PAIRWISE else ""
    known = _SUBJECT.one(holder.pk, sector)
    if known is not None:
        return known.value
    value = secrets.token_hex(16)
    return Subject.objects.get_or_create(holder=holder, sector=sector, defaults={"value": value})[0].value
