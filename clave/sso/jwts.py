"""Reading JWTs that others present: whatever is wrong with one, it is not a JWT of ours. Source: RFC 7519; RFC 8725."""

import json
from collections.abc import Mapping

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

SIGNATURES = ["ES256", "RS256", "PS256"]
# A proof's header carries an RSA key of up to 8192 bits.
_LONGEST_HEADER = 4096
# RFC 7518, section 3.3. A modulus in base64url (RFC 7518, section 6.3.1.1), whose first bit is set.
_SHORTEST_MODULUS = 2048 // 8 * 4 // 3
# Seconds since 1970 beyond this are no time (RFC 7519, section 2, NumericDate): the year is five digits long.
_LATEST = 253_402_300_800
_UNREADABLE = (JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def header_of(token: str) -> dict[str, object] | None:
    """Return the header of a signed JWT, unverified; None if it is not one."""
    try:
        return dict(jws.extract_compact(token.encode(), registry=_registry(SIGNATURES)).headers())
    except _UNREADABLE:
        return None


def subject_of(token: str) -> str:
    """Return whom a JWT says it is about, to look up whose key must have signed it; empty if it is no JWT."""
    try:
        claims = json.loads(jws.extract_compact(token.encode(), registry=_registry(SIGNATURES)).payload)
    except _UNREADABLE:
        return ""
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else ""


def claims_of(token: str, key: ECKey | RSAKey | KeySet, algorithms: list[str]) -> dict[str, object] | None:
    """Return the claims of a JWT that this key, or one of these, has signed; None for any other text.

    Only signatures count: neither "none" nor a MAC, whose key a client could take to be a public one (RFC 8725,
    section 3.1).
    """
    try:
        return dict(jwt.decode(token, key, registry=_registry(algorithms)).claims)
    except _UNREADABLE:
        return None


def _registry(algorithms: list[str]) -> jws.JWSRegistry:
    # What a header has besides is ignored, except what is critical (RFC 7515, section 4).
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    return registry


def public_key(jwk: object) -> ECKey | RSAKey | None:
    """Return a public key that signs, from its JWK (RFC 7517, section 4); None if it is not one, or a weak one."""
    if not isinstance(jwk, dict) or (jwk.get("kty") == "RSA" and len(str(jwk.get("n", ""))) < _SHORTEST_MODULUS):
        return None
    try:
        key = ECKey.import_key(jwk) if jwk.get("kty") == "EC" else RSAKey.import_key(jwk)
    except _UNREADABLE:
        return None
    return None if key.is_private else key


def public_keys(jwks: Mapping[str, object]) -> list[ECKey | RSAKey]:
    """Return the keys in a JWK Set (RFC 7517, section 5); empty if any of them is not a public key that signs."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    keys = [public_key(each) for each in listed] if isinstance(listed, list) else []
    return [key for key in keys if key] if all(keys) else []


def seconds(claims: Mapping[str, object], name: str, otherwise: float | None = None) -> float | None:
    """Return a claim that is a time, in seconds since 1970; None if it is something else."""
    value = claims.get(name, otherwise)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if -_LATEST < value < _LATEST else None  # JSON as Python reads it has NaN and Infinity too
