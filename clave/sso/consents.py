"""What a holder lets clients know: asked once, remembered, withdrawn."""

import secrets
from datetime import timedelta

from django.db import transaction

from clave.audit import service as audit
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.sso import claims
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.clients import sector_of
from clave.sso.models import Client, Consent, Grant, Subject, SubjectType

REMEMBERED = timedelta(days=365)


def single_claims(request: AuthorizationRequest) -> list[str]:
    """Return the known claims asked for one by one and not by a scope.

    A client gets only those for which one of its scopes stands.
    """
    asked = {name for names in request.claim_names.values() for name in names}
    by_scope = claims.names_of(request.scopes)
    return sorted(name for name in asked if name not in by_scope and claims.scope_of(name) in request.client.scopes)


def has_any(holder: Holder, client: Client) -> bool:
    """Return whether the holder lets this client know anything."""
    return Consent.objects.filter(holder=holder, client=client, expires_at__gt=clock.now()).exists()


def is_given(holder: Holder, request: AuthorizationRequest, *, lock: bool = False) -> bool:
    """Return whether the holder has consented to all that this request asks for.

    With `lock`, in a transaction, the consent cannot be withdrawn before its end.
    """
    given = Consent.objects.filter(holder=holder, client=request.client, expires_at__gt=clock.now())
    consent = (given.select_for_update() if lock else given).first()
    if consent is None:
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
    subject, _created = Subject.objects.get_or_create(
        holder=holder, sector=sector, defaults={"value": secrets.token_hex(16)}
    )
    return subject.value
