"""What clients sign with their own keys: request objects, assertions."""

import json
from datetime import timedelta

from django.db import connection
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.sso.models import Client

# Signatures only: neither "none" nor a MAC, whose key a client could take to be a public one (RFC 8725, section 3.1).
ALGORITHMS = ["ES256", "RS256", "PS256"]
CLOCK_SKEW = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=1)
_INSERT = "INSERT INTO sso_usedassertion (hash, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def signed_by(client: Client, token: str) -> dict[str, object] | None:
    """Return the claims of a JWT signed with one of the client's keys, now valid; None otherwise."""
    try:
        keys = KeySet.import_key_set(client.jwks)
        claims = dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return claims if _is_in_time(claims) else None


def unverified_subject(token: str) -> str:
    """Return whom a JWT says it is about, to look up whose key must have signed it; empty if it is no JWT."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return ""
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else ""


def _is_in_time(claims: dict[str, object]) -> bool:
    """Return whether `exp` lies ahead, though not far, and `nbf` and `iat` behind (RFC 7519, section 4.1)."""
    now, skew = clock.now().timestamp(), CLOCK_SKEW.total_seconds()
    expires = seconds(claims, "exp")
    if expires is None or not now - skew < expires < now + LONGEST_LIFE.total_seconds() + skew:
        return False
    return all((seconds(claims, name, 0) or 0) <= now + skew for name in ("nbf", "iat"))


def seconds(claims: dict[str, object], name: str, otherwise: float | None = None) -> float | None:
    """Return a claim that is a time, in seconds since 1970; None if it is something else."""
    value = claims.get(name, otherwise)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_first_use(purpose: str, issuer: str, jti: object) -> bool:
    """Record that a one-time assertion is being used; return False if it was before.

    The database decides, so that of two simultaneous uses one wins (RFC 7523, section 3; RFC 9449, section 11.1).
    """
    if not isinstance(jti, str) or not jti:
        return False
    digest = fingerprint(f"{purpose}\x1f{issuer}\x1f{jti}")
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [digest, clock.now() + LONGEST_LIFE + 2 * CLOCK_SKEW])
        return bool(cursor.rowcount == 1)
