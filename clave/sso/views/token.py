"""The endpoints where clients exchange, ask about and revoke tokens, and push requests."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from clave.sso import (
    authorization,
    authorization_checks,
    claveunica,
    client_authentication,
    dpop,
    grants,
    pending_limits,
)
from clave.sso.authorization import CODE_LIFE
from clave.sso.authorization_request import PUSHED_PREFIX, received
from clave.sso.grants import IssuedTokens
from clave.sso.id_tokens import id_token
from clave.sso.issuers import BY_DIALECT, CLAVEUNICA, Issuer
from clave.sso.models import Client, Dialect
from clave.sso.oauth_errors import OAuthError
from clave.sso.views.protocol import endpoint
from clave.web.middleware import context_of

GRANT_TYPES = ["authorization_code", "refresh_token"]


@endpoint("POST")
def token(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Exchange a code or a refresh token for tokens (RFC 6749, sections 4.1.3 and 6)."""
    client = client_authentication.authenticated(request, issuer)
    if isinstance(client, OAuthError):
        return client.response()
    dpop_key = dpop.key_of_proof(request, issuer.endpoint("token"))
    if isinstance(dpop_key, OAuthError):
        return dpop_key.response()
    if client.requires_dpop and not dpop_key:
        return OAuthError("invalid_dpop_proof", "this client's tokens are bound to a key: send a DPoP proof").response()
    issued = _exchange(request, issuer, client, dpop_key)
    return issued.response() if isinstance(issued, OAuthError) else _token_response(issued, dpop_key)


def _exchange(request: HttpRequest, issuer: Issuer, client: Client, dpop_key: str) -> IssuedTokens | OAuthError:
    form, context = request.POST, context_of(request)
    if form.get("grant_type") == "authorization_code":
        redirect_uri = form.get("redirect_uri", "")
        if issuer is CLAVEUNICA:
            redirect_uri = claveunica.redirect_uri(redirect_uri)
        return grants.redeem_code(
            client, form.get("code", ""), redirect_uri, form.get("code_verifier", ""), dpop_key, context
        )
    if form.get("grant_type") == "refresh_token":
        return grants.refresh(client, form.get("refresh_token", ""), form.get("scope", ""), dpop_key, context)
    return OAuthError("unsupported_grant_type", f"grant_type is {' or '.join(GRANT_TYPES)}")


def _token_response(issued: IssuedTokens, dpop_key: str) -> HttpResponse:
    grant = issued.grant
    bearer = "bearer" if grant.client.dialect == Dialect.CLAVEUNICA else "Bearer"
    body: dict[str, object] = {
        "access_token": issued.access,
        "token_type": "DPoP" if dpop_key else bearer,
        "expires_in": issued.expires_in,
        "scope": grant.scopes,
        "id_token": id_token(grant, issued.access, after_refresh=issued.after_refresh),
    }
    if issued.refresh:
        body["refresh_token"] = issued.refresh
    return JsonResponse(body, headers={"Pragma": "no-cache"})


@endpoint("POST")
def introspect(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Tell a client whether a token is valid (RFC 7662): its own, or any if it is a resource server."""
    client = client_authentication.authenticated(request, issuer)
    if isinstance(client, OAuthError):
        return client.response()
    if client.is_public:
        return OAuthError("invalid_client", "a client that cannot prove who it is may not ask").response()
    return JsonResponse(_facts(client, request.POST.get("token", "")))


def _facts(client: Client, text: str) -> dict[str, object]:
    """Return what RFC 7662, section 2.2 tells of a token; only that it is not active if this client may not know."""
    found = grants.of_access_token(text)
    grant = found[0] if found else grants.of_refresh_token(text)
    if grant is None or (grant.client_id != client.pk and not client.is_resource_server):
        return {"active": False}
    facts: dict[str, object] = {
        "active": True,
        "client_id": grant.client.client_id,
        "sub": grant.subject,
        "scope": grant.scopes,
        "iss": BY_DIALECT[grant.client.dialect].url,
        "acr": grant.acr,
        "auth_time": int(grant.auth_time.timestamp()),
        "exp": found[1].expires if found else int(grant.expires_at.timestamp()),
        "token_type": "Bearer" if found else "refresh_token",
    }
    if found and found[1].dpop_key:
        facts |= {"token_type": "DPoP", "cnf": {"jkt": found[1].dpop_key}}
    return facts


@endpoint("POST")
def revoke(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Revoke a token (RFC 7009); an unknown one is as good as revoked."""
    client = client_authentication.authenticated(request, issuer)
    if isinstance(client, OAuthError):
        return client.response()
    grants.revoke(client, request.POST.get("token", ""), context_of(request))
    return HttpResponse()


@endpoint("POST")
def push(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Take an authorization request from the client itself (RFC 9126) and return the name to send the person with.

    A DPoP proof that comes with it binds the code, as `dpop_jkt` does (RFC 9449, section 10.1).
    """
    client = client_authentication.authenticated(request, issuer)
    if isinstance(client, OAuthError):
        return client.response()
    dpop_key = dpop.key_of_proof(request, issuer.endpoint("par"))
    if isinstance(dpop_key, OAuthError):
        return dpop_key.response()
    pushed = received(issuer, request.POST)
    if pushed is None or pushed.client != client or "request_uri" in request.POST:
        return OAuthError("invalid_request", "push your own request itself, without request_uri").response()
    if dpop_key and pushed["dpop_jkt"] not in ("", dpop_key):
        return OAuthError("invalid_dpop_proof", "dpop_jkt is another key than that of the proof").response()
    if dpop_key:
        pushed.parameters["dpop_jkt"] = dpop_key
    pushed.was_pushed = True
    if authorization_checks.shown_problem(pushed):
        return OAuthError("invalid_request", "redirect_uri is not registered for this client").response()
    if problem := authorization_checks.sent_problem(pushed):
        return problem.response()
    if not pending_limits.try_admit(client, context_of(request).address):
        return OAuthError("temporarily_unavailable", "too many requests: try again later").response()
    name = PUSHED_PREFIX + authorization.push(pushed).pk
    return JsonResponse({"request_uri": name, "expires_in": int(CODE_LIFE.total_seconds())}, status=201)
