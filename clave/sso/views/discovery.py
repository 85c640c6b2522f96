"""What clients can find out by themselves."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from clave.sso import claims, claveunica, signed_in, signing_keys
from clave.sso.authorization_checks import PROMPTS, RESPONSE_MODES
from clave.sso.client_authentication import METHODS
from clave.sso.issuers import CLAVEUNICA, Issuer
from clave.sso.jwts import SIGNATURES
from clave.sso.views.protocol import endpoint
from clave.sso.views.token import GRANT_TYPES
from clave.web.context_processors import OFFERED

# How long a client may keep the metadata and the keys, in seconds; a new key is published a day before it signs.
_KEPT = "public, max-age=3600"


@endpoint("GET", "HEAD")
def metadata(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Return the issuer's metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414)."""
    document = _common(issuer)
    if issuer is CLAVEUNICA:
        document["token_endpoint_auth_methods_supported"] = METHODS[:2]
        document |= {"scopes_supported": claveunica.SCOPES, "claims_supported": claveunica.CLAIMS}
        document["id_token_signing_alg_values_supported"] = ["RS256"]
        document |= {"request_parameter_supported": False, "request_uri_parameter_supported": False}
    else:
        document |= _standard_only(issuer)
    return JsonResponse(document, headers={"Cache-Control": _KEPT})


def _common(issuer: Issuer) -> dict[str, object]:
    return {
        "issuer": issuer.url,
        "authorization_endpoint": issuer.endpoint("authorize"),
        "token_endpoint": issuer.endpoint("token"),
        "userinfo_endpoint": issuer.endpoint("userinfo"),
        "jwks_uri": issuer.endpoint("jwks"),
        "end_session_endpoint": issuer.logout_url,
        "scopes_supported": list(claims.ALL),
        "claims_supported": ["sub", "iss", "aud", "auth_time", "acr", "amr", "nonce", "sid", *claims.CLAIMS],
        "response_types_supported": ["code"],
        "response_modes_supported": sorted(RESPONSE_MODES),
        "grant_types_supported": GRANT_TYPES,
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": signing_keys.ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": signed_in.ACR_VALUES,
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": ["es-CL" if code == "es" else code for code, _name in OFFERED],
        "service_documentation": f"{settings.CLAVE_URL}/integrar",
    }


def _standard_only(issuer: Issuer) -> dict[str, object]:
    return {
        "introspection_endpoint": issuer.endpoint("introspect"),
        "revocation_endpoint": issuer.endpoint("revoke"),
        "pushed_authorization_request_endpoint": issuer.endpoint("par"),
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": SIGNATURES,
        "userinfo_signing_alg_values_supported": signing_keys.ALGORITHMS,
        "request_object_signing_alg_values_supported": SIGNATURES,
        "dpop_signing_alg_values_supported": SIGNATURES,
        "prompt_values_supported": sorted(PROMPTS),
        "display_values_supported": ["page", "popup", "touch"],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }


@endpoint("GET", "HEAD")
def jwks(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Return the keys that verify our tokens (RFC 7517)."""
    return JsonResponse(signing_keys.jwks(), headers={"Cache-Control": _KEPT})
