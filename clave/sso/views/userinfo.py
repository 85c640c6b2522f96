"""The userinfo endpoint."""

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse

from clave.sso import dpop, grants, id_tokens, signing_keys
from clave.sso.issuers import CLAVEUNICA, Issuer
from clave.sso.models import Grant
from clave.sso.oauth_errors import OAuthError
from clave.sso.views.protocol import FORM, endpoint

_MISSING = OAuthError("", "send an access token")
_TWICE = OAuthError("invalid_request", "send the access token in one way only")
_INVALID = OAuthError("invalid_token", "the access token is expired, revoked, or bound to another key")


@endpoint("GET", "POST", form=False)
def userinfo(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Return the holder's claims as JSON, or as a signed JWT for a client that has registered for it.

    Source: OpenID Connect Core 1.0, section 5.3. The body of a POST may be anything, as ClaveÚnica's clients send.
    """
    grant = _authorized(request, issuer)
    if isinstance(grant, OAuthError):
        return grant.challenge()
    claims = id_tokens.userinfo(grant)
    if not grant.client.userinfo_algorithm:
        return JsonResponse(claims)
    claims |= {"iss": issuer.url, "aud": grant.client.client_id}
    signed = signing_keys.sign(claims, grant.client.userinfo_algorithm)
    return HttpResponse(signed, content_type="application/jwt")


def _authorized(request: HttpRequest, issuer: Issuer) -> Grant | OAuthError:
    """Return the grant of the request's access token (RFC 6750, sections 2.1 and 2.2; RFC 9449, section 7.1)."""
    header, in_body = request.headers.get("Authorization", ""), _token_in_body(request)
    if header and in_body and issuer is not CLAVEUNICA:
        return _TWICE
    if not header and not in_body:
        return _MISSING
    scheme, _, text = header.partition(" ") if header else ("Bearer", "", in_body)
    text = text.strip()
    found = grants.of_access_token(text) if scheme.lower() in ("bearer", "dpop") else None
    if found is None or found[0].client.dialect != issuer.dialect:
        return _INVALID
    grant, access = found
    if not access.dpop_key:
        return grant if scheme.lower() == "bearer" else _INVALID
    key = dpop.key_of_proof(request, issuer.endpoint("userinfo"), text)
    if isinstance(key, OAuthError):
        return key
    return grant if scheme.lower() == "dpop" and key == access.dpop_key else _INVALID


def _token_in_body(request: HttpRequest) -> str:
    """Return the token that a form carries; empty if the body is not a form, or not a readable one."""
    if request.method != "POST" or request.content_type != FORM:
        return ""
    try:
        return request.POST.get("access_token", "")
    except (BadRequest, SuspiciousOperation, ValueError):
        return ""
