"""The life of a grant: its code is redeemed once, its refresh tokens rotate, any misuse ends it.

Every function that changes a grant locks its row first, so simultaneous requests take turns.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import fingerprint, sha256_base64url
from clave.lib.request_context import RequestContext
from clave.sso import tokens
from clave.sso.models import Client, Dialect, Grant
from clave.sso.oauth_errors import OAuthError
from clave.sso.tokens import AccessToken

INVALID_GRANT = OAuthError("invalid_grant", "the code or token is unknown, expired, used, revoked or another client's")
_WITH_OWNER = Lookup(lambda pk: Grant.objects.select_related("client", "holder").filter(pk=pk), "grant")
_LOCKED = Lookup(
    lambda pk: Grant.objects.select_for_update(of=("self",)).select_related("client", "holder").filter(pk=pk), "grant"
)


@dataclass(frozen=True)
class IssuedTokens:
    """What the token endpoint gives: `refresh` is empty if the client may not refresh, `expires_in` is in seconds."""

    grant: Grant
    access: str
    refresh: str
    expires_in: int
    after_refresh: bool


@transaction.atomic
def redeem_code(
    client: Client, code: str, redirect_uri: str, verifier: str, dpop_key: str, context: RequestContext
) -> IssuedTokens | OAuthError:
    """Exchange a code for tokens (RFC 6749, section 4.1.3).

    A code that comes twice revokes what it gave, however much later (RFC 9700, section 2.1.1).
    """
    locked = Grant.objects.select_for_update(of=("self",)).select_related("client", "holder")
    grant = locked.filter(code_hash=fingerprint(code), client=client).first()
    if grant is None:
        return INVALID_GRANT
    if grant.code_used_at is not None:
        return _misused(grant, "code", context)
    if problem := _code_problem(grant, redirect_uri, verifier, dpop_key):
        return problem
    grant.code_used_at = clock.now()
    grant.dpop_key = dpop_key if client.is_public else ""
    grant.generation = 1 if may_refresh(grant) else 0
    grant.save(update_fields=["code_used_at", "dpop_key", "generation"])
    return _issued(grant, dpop_key, after_refresh=False)


def _code_problem(grant: Grant, redirect_uri: str, verifier: str, dpop_key: str) -> OAuthError | None:
    """Return why an unused code cannot be redeemed in this way."""
    if not is_live(grant) or grant.code_expires_at <= clock.now():
        return INVALID_GRANT
    if redirect_uri != grant.redirect_uri:
        return OAuthError("invalid_grant", "redirect_uri is not that of the authorization request")
    if not _proves(verifier, grant.code_challenge):
        return OAuthError("invalid_grant", "code_verifier does not match code_challenge")
    if grant.dpop_key and grant.dpop_key != dpop_key:
        return OAuthError("invalid_grant", "the code is bound to another DPoP key")
    return None


def _proves(verifier: str, challenge: str) -> bool:
    """Return whether the verifier matches; one without a challenge is a downgrade (RFC 9700, section 2.1.1)."""
    if not challenge:
        return not verifier
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    return constant_time_compare(sha256_base64url(verifier), challenge)


@transaction.atomic
def refresh(
    client: Client, refresh_token: str, scope: str, dpop_key: str, context: RequestContext
) -> IssuedTokens | OAuthError:
    """Exchange a refresh token for new tokens; the refresh token itself is replaced (RFC 9700, section 4.14).

    A replaced one revokes the whole family, except that within `SSO_REFRESH_GRACE_SECONDS` the last one is answered
    with the same successor again: the client may have lost the first answer, or have asked twice at once.
    """
    presented = tokens.read_refresh(refresh_token)
    grant = _LOCKED.one(presented.grant) if presented else None
    if presented is None or grant is None or grant.client_id != client.pk or not is_live(grant):
        return INVALID_GRANT
    if grant.dpop_key and grant.dpop_key != dpop_key:
        return OAuthError("invalid_grant", "the token is bound to another DPoP key")
    if not set(scope.split()) <= set(grant.scope_list):
        return OAuthError("invalid_scope", "more than was granted")
    if presented.generation == grant.generation:
        grant.generation, grant.rotated_at = grant.generation + 1, clock.now()
        grant.save(update_fields=["generation", "rotated_at"])
    elif presented.generation != grant.generation - 1 or not _is_in_grace(grant):
        return _misused(grant, "refresh_token", context)
    return _issued(grant, dpop_key, after_refresh=True)


def _is_in_grace(grant: Grant) -> bool:
    grace = timedelta(seconds=settings.SSO_REFRESH_GRACE_SECONDS)
    return grant.rotated_at is not None and clock.now() - grant.rotated_at < grace


def _issued(grant: Grant, dpop_key: str, *, after_refresh: bool) -> IssuedTokens:
    access = tokens.new_access(grant.pk, grant.access_epoch, dpop_key)
    refresh_token = tokens.new_refresh(grant.pk, grant.generation) if grant.generation else ""
    return IssuedTokens(grant, access, refresh_token, settings.SSO_ACCESS_SECONDS, after_refresh)


def may_refresh(grant: Grant) -> bool:
    """Return whether the client gets refresh tokens: when it may act offline, and always in ClaveÚnica's dialect."""
    return grant.is_offline or grant.client.dialect == Dialect.CLAVEUNICA


def is_live(grant: Grant) -> bool:
    """Return whether a grant may still be used: neither revoked nor expired, its client active, the account the same.

    The account's version changes with the key (abuse case 50), which ends all that was granted before.
    """
    unexpired = grant.revoked_at is None and grant.expires_at > clock.now()
    return unexpired and grant.client.active and grant.account_version == grant.holder.version


def of_access_token(token: str) -> tuple[Grant, AccessToken] | None:
    """Return the grant of a valid access token, with what the token says; None if it is not valid (any more)."""
    access = tokens.read_access(token)
    grant = _WITH_OWNER.one(access.grant) if access else None
    if access is None or grant is None or not is_live(grant) or access.epoch != grant.access_epoch:
        return None
    return grant, access


def of_refresh_token(token: str) -> Grant | None:
    """Return the grant of a refresh token that may be used next; None otherwise."""
    presented = tokens.read_refresh(token)
    grant = _WITH_OWNER.one(presented.grant) if presented else None
    if presented is None or grant is None or not is_live(grant) or presented.generation != grant.generation:
        return None
    return grant


@transaction.atomic
def revoke(client: Client, token: str, context: RequestContext) -> None:
    """Revoke a token of this client (RFC 7009, section 2): a refresh token with all that came of its grant.

    An access token ends together with the others issued before. Anything else is ignored.
    """
    refresh_token, access_token = tokens.read_refresh(token), tokens.read_access(token)
    named = refresh_token or access_token
    grant = _LOCKED.one(named.grant) if named else None
    if grant is None or grant.client_id != client.pk:
        return
    if refresh_token:
        grant.revoked_at = grant.revoked_at or clock.now()
    else:
        grant.access_epoch += 1
    grant.save(update_fields=["revoked_at", "access_epoch"])
    audit.record("sso.revoked", context, holder=grant.holder, client=client.client_id)


def _misused(grant: Grant, what: str, context: RequestContext) -> OAuthError:
    """End a grant whose code or refresh token came again: one of the two who had it must have stolen it."""
    if grant.revoked_at is None:
        grant.revoked_at = clock.now()
        grant.save(update_fields=["revoked_at"])
        client_id = grant.client.client_id
        audit.record("sso.reused", context, holder=grant.holder, outcome="refused", client=client_id, what=what)
    return INVALID_GRANT
