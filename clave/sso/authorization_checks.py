"""Authorization requests as ordered lists of small checks: the first that fails determines the error.

Source: RFC 6749, section 4.1; OpenID Connect Core 1.0, section 3.1.2; RFC 7636; RFC 9126; RFC 9700, section 2.1.
"""

import re
from collections.abc import Callable

from clave.sso import signing_keys
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.oauth_errors import OAuthError

Check = Callable[[AuthorizationRequest], bool]
# Errors that the person must see here, because it is not known yet whom else to tell.
_BEFORE_REDIRECT: list[tuple[str, Check]] = []
# Errors that are sent to the client's own address.
_AFTER_REDIRECT: list[tuple[OAuthError, Check]] = []
PROMPTS = {"none", "login", "consent", "select_account"}
RESPONSE_MODES = {"query", "fragment", "form_post"}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_LONGEST = 4096


def shown(code: str) -> Callable[[Check], Check]:
    """Return a decorator that appends a check whose failure is shown to the person."""

    def register(function: Check) -> Check:
        _BEFORE_REDIRECT.append((code, function))
        return function

    return register


def sent(error: str, description: str) -> Callable[[Check], Check]:
    """Return a decorator that appends a check whose failure is sent to the client."""

    def register(function: Check) -> Check:
        _AFTER_REDIRECT.append((OAuthError(error, description), function))
        return function

    return register


@shown("client_suspended")
def client_is_active(request: AuthorizationRequest) -> bool:
    return request.client.active


@shown("wrong_issuer")
def client_is_of_this_issuer(request: AuthorizationRequest) -> bool:
    return request.client.dialect == request.issuer.dialect


@shown("unknown_request")
def pushed_request_is_known(request: AuthorizationRequest) -> bool:
    return request.problem is None or request.problem.error != "invalid_request_uri"


@shown("redirect_uri")
def redirect_uri_is_registered(request: AuthorizationRequest) -> bool:
    return len(request["redirect_uri"]) <= 500 and any(request.accepts(uri) for uri in request.client.redirect_uris)


@sent("invalid_request", "parameters are text of 4096 characters at most, without control characters")
def parameters_are_text(request: AuthorizationRequest) -> bool:
    """Check that all of it can be stored: neither control characters nor half of a surrogate pair, nor broken UTF-8."""
    return all(
        len(value) <= _LONGEST and value.isprintable() and "\ufffd" not in value
        for value in request.parameters.values()
    )


@sent("invalid_request", "response_mode is query, fragment or form_post")
def response_mode_is_known(request: AuthorizationRequest) -> bool:
    return request.response_mode in RESPONSE_MODES


@sent("invalid_request", "an application's own scheme takes no form_post")
def form_has_somewhere_to_go(request: AuthorizationRequest) -> bool:
    return request.response_mode != "form_post" or request["redirect_uri"].startswith(("https://", "http://"))


@sent("invalid_request", "push the request first (RFC 9126)")
def request_was_pushed_if_it_must(request: AuthorizationRequest) -> bool:
    return request.was_pushed or not request.client.requires_pushed_requests


@sent("invalid_request", "response_type is missing")
def response_type_is_there(request: AuthorizationRequest) -> bool:
    return bool(request["response_type"])


@sent("unsupported_response_type", "response_type is code")
def response_type_is_code(request: AuthorizationRequest) -> bool:
    return request["response_type"] == "code"


@sent("invalid_scope", "scope must have openid in it")
def scope_has_openid(request: AuthorizationRequest) -> bool:
    return "openid" in request["scope"].split()


@sent("invalid_request", "code_challenge is missing (RFC 7636)")
def pkce_is_there(request: AuthorizationRequest) -> bool:
    return bool(request["code_challenge"]) or not request.client.requires_pkce


@sent("invalid_request", "code_challenge_method is S256, code_challenge 43 characters of base64url")
def pkce_is_s256(request: AuthorizationRequest) -> bool:
    """Check that no weaker PKCE is asked for: without a method it would be `plain` (RFC 7636, section 4.3)."""
    if not request["code_challenge"]:
        return not request["code_challenge_method"]
    return request["code_challenge_method"] == "S256" and bool(_CHALLENGE.fullmatch(request["code_challenge"]))


@sent("invalid_request", "state and nonce are printable ASCII, state of 2048 characters at most, nonce of 512")
def state_and_nonce_are_short(request: AuthorizationRequest) -> bool:
    values = request["state"], request["nonce"]
    return len(values[0]) <= 2048 and len(values[1]) <= 512 and all(_VISIBLE.fullmatch(value) for value in values)


@sent("invalid_request", "prompt is none, or any of login, consent, select_account")
def prompt_is_known(request: AuthorizationRequest) -> bool:
    return request.prompts <= PROMPTS and ("none" not in request.prompts or len(request.prompts) == 1)


@sent("invalid_request", "max_age is a number of seconds")
def max_age_is_a_number(request: AuthorizationRequest) -> bool:
    text = request["max_age"]
    return not text or (text.isascii() and text.isdigit() and len(text) <= 9)


@sent("invalid_request", "claims is a JSON object of userinfo and id_token")
def claims_are_readable(request: AuthorizationRequest) -> bool:
    return request.claims is not None


@sent("invalid_request", "id_token_hint is none of ours")
def id_token_hint_is_ours(request: AuthorizationRequest) -> bool:
    if not request["id_token_hint"]:
        return True
    claims = signing_keys.read(request["id_token_hint"])
    return claims is not None and claims.get("iss") == request.issuer.url


@sent("invalid_request", "dpop_jkt is a SHA-256 thumbprint")
def dpop_key_is_a_thumbprint(request: AuthorizationRequest) -> bool:
    return not request["dpop_jkt"] or bool(_CHALLENGE.fullmatch(request["dpop_jkt"]))


@sent("registration_not_supported", "registration is not supported")
def no_registration(request: AuthorizationRequest) -> bool:
    return not request["registration"]


SHOWN_CHECKS = tuple(_BEFORE_REDIRECT)
SENT_CHECKS = tuple(_AFTER_REDIRECT)


def shown_problem(request: AuthorizationRequest) -> str:
    """Return the code of the first failing check that must not redirect; empty if the client may be told."""
    return next((code for code, passes in SHOWN_CHECKS if not passes(request)), "")


def sent_problem(request: AuthorizationRequest) -> OAuthError | None:
    """Return the error to send to the client, or None if the request is in order."""
    return request.problem or next((error for error, passes in SENT_CHECKS if not passes(request)), None)
