"""What clients sign with their own keys: request objects, assertions."""

from datetime import timedelta

from django.db import connection
from joserfc.jwk import KeySet

from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.sso import jwts
from clave.sso.jwts import seconds
from clave.sso.models import Client

CLOCK_SKEW = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=1)
_INSERT = "INSERT INTO sso_usedassertion (hash, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def signed_by(client: Client, token: str) -> dict[str, object] | None:
    """Return the claims of a JWT signed with one of the client's keys, now valid; None otherwise."""
    keys = jwts.public_keys(client.jwks)
    claims = jwts.claims_of(token, KeySet([*keys]), jwts.SIGNATURES) if keys else None
    return claims if claims is not None and _is_in_time(claims) else None


def is_for(claims: dict[str, object], audiences: set[str]) -> bool:
    """Return whether one of these is among the JWT's audiences (RFC 7519, section 4.1.3)."""
    named = claims.get("aud")
    return any(each in audiences for each in (named if isinstance(named, list) else [named]) if isinstance(each, str))


def _is_in_time(claims: dict[str, object]) -> bool:
    """Return whether `exp` lies ahead, though not far, and `nbf` and `iat` behind (RFC 7519, section 4.1)."""
    now, skew = clock.now().timestamp(), CLOCK_SKEW.total_seconds()
    expires = seconds(claims, "exp")
    if expires is None or not now - skew < expires < now + LONGEST_LIFE.total_seconds() + skew:
        return False
    times = [seconds(claims, name, 0) for name in ("nbf", "iat")]
    return all(time is not None and time <= now + skew for time in times)


def is_first_use(purpose: str, issuer: str, jti: object) -> bool:
    """Record that a one-time assertion is being used; return False if it was before.

    The database decides, so that of two simultaneous uses one wins (RFC 7523, section 3; RFC 9449, section 11.1).
    """
    if not isinstance(jti, str) or not jti or not jti.isprintable():
        return False
    digest = fingerprint(f"{purpose}\x1f{issuer}\x1f{jti}")
    expires_at = connection.ops.adapt_datetimefield_value(clock.now() + LONGEST_LIFE + 2 * CLOCK_SKEW)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [digest, expires_at])
        return bool(cursor.rowcount == 1)
