"""From a checked authorization request to a code: what is still needed of the person, and the grant."""

import secrets
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction

from clave.audit import service as audit
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.request_context import RequestContext
from clave.lib.rut import InvalidRut, Rut
from clave.sso import consents, signing_keys
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.models import Grant, PendingAuthorization
from clave.sso.oauth_errors import OAuthError
from clave.sso.signed_in import SignedIn

# From a request to its code: to sign in, read what the client wants to know, perhaps recover a key.
PENDING_LIFE = timedelta(minutes=30)
CODE_LIFE = timedelta(seconds=60)
# For this long a page that has been answered may be sent again in its browser: after a double click, a lost answer.
SENT_TWICE = timedelta(seconds=30)


class Need(Enum):
    """What a request still needs of the person."""

    SIGN_IN = "login_required"
    CHOOSE_ACCOUNT = "account_selection_required"
    CONSENT = "consent_required"


def need_of(request: AuthorizationRequest, person: SignedIn | None) -> Need | OAuthError | None:
    """Return what is needed next, None if a code can be issued (OpenID Connect Core 1.0, section 3.1.2.3).

    An error is returned if signing in, which has happened since the request, did not give what it asks for.
    """
    if person is None:
        return Need.SIGN_IN
    signed_in_for_this = _happened_since(person.auth_time, request)
    if not _is_the_one(request, person):
        return OAuthError("login_required", "someone else has signed in") if signed_in_for_this else Need.SIGN_IN
    if not signed_in_for_this and not _is_fresh(request, person):
        return Need.SIGN_IN
    if request.client.profiles and person.holder.profile not in request.client.profiles:
        return Need.CHOOSE_ACCOUNT
    chooses = "select_account" in request.prompts or _is_someone_else(request["login_hint"], person)
    if chooses and not signed_in_for_this:
        return Need.CHOOSE_ACCOUNT
    if error := _refused_acr(request, person):
        return error if signed_in_for_this else Need.SIGN_IN
    asks = "consent" in request.prompts or request.may_be_impersonated
    return Need.CONSENT if asks or not consents.is_given(person.holder, request) else None


def silent_error(need: Need | OAuthError, request: AuthorizationRequest, person: SignedIn | None) -> OAuthError:
    """Return the error for `prompt=none` (OpenID Connect Core 1.0, section 3.1.2.6).

    A client that the person has allowed nothing gets the same one whoever is signed in, as if nobody were: it could
    otherwise ask about one RUT after another (`login_hint`), or learn a profile or how far an identity is proved.
    """
    if person is None or not consents.has_any(person.holder, request.client):
        need = Need.SIGN_IN
    return need if isinstance(need, OAuthError) else OAuthError(need.value, "and prompt is none")


def _happened_since(auth_time: datetime, request: AuthorizationRequest) -> bool:
    return request.pending is not None and auth_time >= request.pending.created_at


def _is_fresh(request: AuthorizationRequest, person: SignedIn) -> bool:
    """Return whether the sign-in is recent enough for `prompt=login` and `max_age`."""
    if "login" in request.prompts:
        return False
    return not request["max_age"] or clock.now() - person.auth_time <= timedelta(seconds=int(request["max_age"]))


def _is_the_one(request: AuthorizationRequest, person: SignedIn) -> bool:
    """Return whether the client asked for this person: by `id_token_hint`, or by a `sub` among the claims."""
    hint = signing_keys.read(request["id_token_hint"]) if request["id_token_hint"] else None
    wanted = {hint.get("sub")} if hint else set()
    for place in (request.claims or {}).values():
        member = place.get("sub")
        if isinstance(member, dict) and isinstance(member.get("value"), str):
            wanted.add(member["value"])
    return not wanted or wanted == {consents.subject_of(person.holder, request.client)}


def _is_someone_else(login_hint: str, person: SignedIn) -> bool:
    """Return whether the hint is the RUT or e-mail of somebody other than who is signed in."""
    if "@" in login_hint:
        return login_hint.casefold() != person.holder.email.casefold()
    try:
        return str(Rut.parse(login_hint)) != person.holder.identifier
    except InvalidRut:
        return False


def _refused_acr(request: AuthorizationRequest, person: SignedIn) -> OAuthError | None:
    """Return the error for an essential `acr` that this sign-in has not (Unmet Authentication Requirements 1.0)."""
    wanted = (request.claims or {}).get("id_token", {}).get("acr")
    if not isinstance(wanted, dict) or not wanted.get("essential"):
        return None
    values = wanted.get("values", [wanted["value"]] if "value" in wanted else [person.acr])
    if isinstance(values, list) and person.acr in values:
        return None
    return OAuthError("unmet_authentication_requirements", "the identity is not proved in a way that was asked for")


def push(request: AuthorizationRequest) -> PendingAuthorization:
    """Store a request that no browser has brought yet, for `CODE_LIFE` (RFC 9126, section 2.2)."""
    now = clock.now()
    return PendingAuthorization.objects.create(
        client=request.client, parameters=request.parameters, created_at=now, expires_at=now + CODE_LIFE
    )


def keep_pending(request: AuthorizationRequest, context: RequestContext) -> PendingAuthorization | None:
    """Store a request until the person has signed in or consented, bound to this browser (abuse case 23).

    None is returned if it has been answered, or another browser has come first with what was pushed.
    """
    now = clock.now()
    if request.pending:
        free = PendingAuthorization.objects.filter(pk=request.pending.pk, answered_at=None)
        mine = free.filter(browser__in=("", context.browser))
        return request.pending if mine.update(browser=context.browser, expires_at=now + PENDING_LIFE) else None
    return PendingAuthorization.objects.create(
        client=request.client,
        parameters=request.parameters,
        browser=context.browser,
        created_at=now,
        expires_at=now + PENDING_LIFE,
    )


def _use_up(request: AuthorizationRequest, context: RequestContext) -> bool:
    """Mark a stored request as answered; return False if it was before (RFC 9126, section 4).

    The database decides, so that of two simultaneous uses one wins. Only a page of ours may be sent again for
    `SENT_TWICE`, by the browser it belongs to.
    """
    if request.pending is None:
        return True
    now = clock.now()
    stored = PendingAuthorization.objects.filter(pk=request.pending.pk, browser__in=("", context.browser))
    if stored.filter(answered_at=None).update(answered_at=now, expires_at=now + SENT_TWICE):
        return True
    return request.is_on_our_page and stored.filter(expires_at__gt=now).exists()


@transaction.atomic
def issue_code(request: AuthorizationRequest, person: SignedIn, context: RequestContext) -> str | None:
    """Create the grant and return its code, valid for `CODE_LIFE` and once.

    None is returned if the stored request has been answered, or the consent withdrawn, in the meantime.
    """
    if not consents.is_given(person.holder, request, lock=True) or not _use_up(request, context):
        return None
    client, now = request.client, clock.now()
    code = secrets.token_urlsafe(32)
    Grant.objects.create(
        client=client,
        holder=person.holder,
        subject=consents.subject_of(person.holder, client),
        sid=person.sid,
        account_version=person.holder.version,
        scopes=" ".join(request.scopes),
        claims=request.claim_names,
        nonce=request["nonce"],
        auth_time=person.auth_time,
        acr=person.acr,
        amr=list(person.amr),
        redirect_uri=request["redirect_uri"],
        code_challenge=request["code_challenge"],
        code_hash=fingerprint(code),
        code_expires_at=now + CODE_LIFE,
        dpop_key=request["dpop_jkt"],
        created_at=now,
        expires_at=now + timedelta(days=settings.SSO_REFRESH_DAYS),
    )
    audit.record("sso.authorized", context, holder=person.holder, client=client.client_id)
    return code


@transaction.atomic
def consent_and_issue_code(request: AuthorizationRequest, person: SignedIn, context: RequestContext) -> str | None:
    """Remember the person's consent and return a code; see `issue_code`."""
    consents.give(person.holder, request, context)
    return issue_code(request, person, context)


@transaction.atomic
def decline(request: AuthorizationRequest, person: SignedIn, context: RequestContext) -> None:
    """Record that the person did not consent; the stored request is over."""
    _use_up(request, context)
    audit.record("sso.consent_refused", context, holder=person.holder, client=request.client.client_id)


def choose_account(pending: PendingAuthorization) -> None:
    """Go on with the account that is signed in: the stored request no longer asks which."""
    prompts = [prompt for prompt in pending.parameters.get("prompt", "").split() if prompt != "select_account"]
    pending.parameters = {**pending.parameters, "prompt": " ".join(prompts), "login_hint": ""}
    pending.save(update_fields=["parameters"])
