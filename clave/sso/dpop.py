"""Proof of possession: a token is worth nothing without the key it is bound to. Source: RFC 9449."""

from django.http import HttpRequest
from joserfc.jwk import ECKey, RSAKey

from clave.lib import clock
from clave.lib.crypto import sha256_base64url
from clave.sso import client_keys, jwts
from clave.sso.oauth_errors import OAuthError

# A proof is made for one request, so it is only as old as that one took to arrive, plus clocks that differ.
FRESH_SECONDS = 60


def key_of_proof(request: HttpRequest, url: str, access_token: str = "") -> str | OAuthError:
    """Return the thumbprint of the key that the request's proof was signed with; empty if it has no proof.

    `url` is the endpoint's; `access_token` the token that comes with the request, if one does.
    """
    proof = request.headers.get("DPoP")
    if proof is None:
        return ""
    key = _key_in(proof)
    claims = jwts.claims_of(proof, key, jwts.SIGNATURES) if key else None
    if key is None or claims is None:
        return OAuthError("invalid_dpop_proof", "not a proof: typ, alg, jwk or signature")
    if claims.get("htm") != request.method or str(claims.get("htu", "")).partition("?")[0].rstrip("/") != url:
        return OAuthError("invalid_dpop_proof", "made for another request: htm, htu")
    if access_token and claims.get("ath") != sha256_base64url(access_token):
        return OAuthError("invalid_dpop_proof", "made for another token: ath")
    made_at = jwts.seconds(claims, "iat")
    if made_at is None or abs(clock.now().timestamp() - made_at) > FRESH_SECONDS:
        return OAuthError("invalid_dpop_proof", "too old, or from the future: iat")
    thumbprint = key.thumbprint()
    if not client_keys.is_first_use("dpop", thumbprint, claims.get("jti")):
        return OAuthError("invalid_dpop_proof", "used before: jti")
    return thumbprint


def _key_in(proof: str) -> ECKey | RSAKey | None:
    """Return the public key in a proof's header, if the header is as RFC 9449, section 4.3 wants it."""
    header = jwts.header_of(proof)
    if header is None or header.get("typ") != "dpop+jwt" or header.get("alg") not in jwts.SIGNATURES:
        return None
    return jwts.public_key(header.get("jwk"))
