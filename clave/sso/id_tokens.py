"""What clients are told of a holder: ID tokens and userinfo."""

import hashlib

from django.conf import settings

from clave.lib import clock
from clave.lib.crypto import base64url
from clave.sso import claims, claveunica, signing_keys
from clave.sso.issuers import BY_DIALECT
from clave.sso.models import Dialect, Grant


def id_token(grant: Grant, access_token: str, *, after_refresh: bool = False) -> str:
    """Return the signed ID token of a grant (OpenID Connect Core 1.0, sections 2 and 3.1.3.6).

    The one given `after_refresh` says the same of the sign-in, without the nonce (section 12.2).
    """
    now = int(clock.now().timestamp())
    algorithm = grant.client.id_token_algorithm
    values: dict[str, object] = {
        "iss": BY_DIALECT[grant.client.dialect].url,
        "sub": grant.subject,
        "aud": grant.client.client_id,
        "azp": grant.client.client_id,
        "iat": now,
        "exp": now + settings.SSO_ACCESS_SECONDS,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": grant.amr,
        "sid": grant.sid,
        "at_hash": half_hash(access_token),
    }
    if grant.nonce and not after_refresh:
        values["nonce"] = grant.nonce
    return signing_keys.sign(values | _asked_one_by_one(grant, "id_token"), algorithm)


def half_hash(token: str) -> str:
    """Return the left half of a token's SHA-256 in base64url (`at_hash`), which both of our algorithms use."""
    return base64url(hashlib.sha256(token.encode()).digest()[:16])


def userinfo(grant: Grant) -> dict[str, object]:
    """Return what the grant lets its client know of the holder now (OpenID Connect Core 1.0, section 5.3.2)."""
    if grant.client.dialect == Dialect.CLAVEUNICA:
        return claveunica.userinfo(grant)
    names = claims.names_of([scope for scope in grant.scope_list if scope in grant.client.scopes])
    return {"sub": grant.subject, **claims.of(grant.holder, names), **_asked_one_by_one(grant, "userinfo")}


def _asked_one_by_one(grant: Grant, place: str) -> dict[str, object]:
    """Return the claims that the request asked for by name, for which one of the client's scopes stands."""
    names = [name for name in grant.claims.get(place, {}) if claims.scope_of(name) in grant.client.scopes]
    return claims.of(grant.holder, names)
