"""Authorization requests: as sent in the address, as a signed object (RFC 9101), or pushed before (RFC 9126)."""

import json
import re
from collections.abc import Mapping
from functools import cached_property

from django.http import QueryDict

from clave.lib import clock
from clave.sso import client_keys, clients
from clave.sso.claims import scope_of
from clave.sso.issuers import Issuer
from clave.sso.models import Client, PendingAuthorization
from clave.sso.oauth_errors import OAuthError

PUSHED_PREFIX = "urn:ietf:params:oauth:request_uri:"
# Other parameters are ignored (OpenID Connect Core 1.0, section 3.1.2.1), and so is `client_id` once it is read.
KNOWN = {
    *("response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "claims", "registration"),
    *("prompt", "max_age", "id_token_hint", "login_hint", "ui_locales", "request", "request_uri"),
    *("code_challenge", "code_challenge_method", "dpop_jkt"),
}
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)")
_PUSHED = re.compile(re.escape(PUSHED_PREFIX) + r"([0-9a-f]{32})")


class AuthorizationRequest:
    """An authorization request and what its parameters refer to; a missing parameter is an empty string.

    `problem` is what went wrong in reading it. It is only reported to the client once `redirect_uri` has proved to be
    the client's own.
    """

    def __init__(self, issuer: Issuer, client: Client, parameters: Mapping[str, str]) -> None:
        self.issuer = issuer
        self.client = client
        self.parameters = {name: value for name, value in parameters.items() if name in KNOWN}
        self.pending: PendingAuthorization | None = None
        # Whether the client has sent it itself, ahead of the browser; what is stored was, if it had to be.
        self.was_pushed = False
        self.problem: OAuthError | None = None
        # Whether a page of ours leads here, in the browser that brought the request: it may be sent twice.
        self.is_on_our_page = False

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name, "")

    @cached_property
    def scopes(self) -> list[str]:
        """Return the scopes asked for that this client may ask for, in order; unknown ones are ignored."""
        allowed = {"openid", *self.client.scopes}
        return [scope for scope in dict.fromkeys(self["scope"].split()) if scope in allowed]

    @cached_property
    def prompts(self) -> set[str]:
        return set(self["prompt"].split())

    @cached_property
    def claims(self) -> dict[str, dict[str, object]] | None:
        """Return the claims asked for one by one (OpenID Connect Core 1.0, section 5.5); None if that is not JSON."""
        try:
            parsed = json.loads(self["claims"] or "{}")
        except (ValueError, RecursionError):
            return None
        places = {"userinfo", "id_token"}
        if not isinstance(parsed, dict) or any(not isinstance(parsed.get(place, {}), dict) for place in places):
            return None
        return {place: parsed[place] for place in places if place in parsed}

    @property
    def claim_names(self) -> dict[str, list[str]]:
        """Return the names of the claims asked for one by one, those that we know, by where they are to go."""
        return {place: [name for name in asked if scope_of(name)] for place, asked in (self.claims or {}).items()}

    @property
    def response_mode(self) -> str:
        return self["response_mode"] or "query"

    def accepts(self, registered: str) -> bool:
        """Return whether `redirect_uri` is this registered one: equal, character by character (RFC 9700, section 2.1).

        Only the port of an application on the person's own machine may differ (RFC 8252, section 7.3).
        """
        asked = self["redirect_uri"]
        same_but_port = without_loopback_port(asked) == without_loopback_port(registered) != ""
        return asked == registered or (self.client.is_public and same_but_port)

    @property
    def may_be_impersonated(self) -> bool:
        """Return whether any program on the person's device could take the answer (RFC 8252, section 8.6)."""
        return self.client.is_public and not self["redirect_uri"].startswith("https://")


def without_loopback_port(url: str) -> str:
    """Return a loopback URL without its port, or an empty string for any other URL."""
    match = _LOOPBACK.fullmatch(url)
    return match[1] + match[2] if match else ""


def received(issuer: Issuer, sent: QueryDict) -> AuthorizationRequest | None:
    """Read a request from the parameters of the authorization endpoint; None if its client is unknown."""
    parameters = {name: values[-1] for name, values in sent.lists() if values}
    client = clients.find(parameters.get("client_id", ""))
    if client is None:
        return None
    request = AuthorizationRequest(issuer, client, parameters)
    if any(len(values) > 1 for _, values in sent.lists()):
        request.problem = OAuthError("invalid_request", "a parameter is there twice")
    if request["request_uri"]:
        return _pushed(request)
    if request["request"]:
        return _signed(request)
    return request


def resumed(issuer: Issuer, pending: PendingAuthorization) -> AuthorizationRequest:
    """Return a stored request."""
    request = AuthorizationRequest(issuer, pending.client, pending.parameters)
    request.pending, request.was_pushed = pending, True
    return request


def _pushed(request: AuthorizationRequest) -> AuthorizationRequest:
    """Return the request that the client has pushed under this `request_uri` (RFC 9126, section 4)."""
    if not request["request_uri"].startswith(PUSHED_PREFIX):
        request.problem = OAuthError("request_uri_not_supported", "only of requests pushed before (RFC 9126)")
        return request
    reference = _PUSHED.fullmatch(request["request_uri"])
    waiting = PendingAuthorization.objects.filter(expires_at__gt=clock.now(), answered_at=None)
    mine = waiting.filter(client=request.client).select_related("client")
    pending = mine.filter(pk=reference[1]).first() if reference else None
    if pending is None:
        request.problem = OAuthError("invalid_request_uri", "no pushed request of this client, or it has expired")
        return request
    return resumed(request.issuer, pending)


def _signed(request: AuthorizationRequest) -> AuthorizationRequest:
    """Return the request that a signed object contains; parameters beside it do not count (RFC 9101, section 6.3)."""
    claims = client_keys.signed_by(request.client, request["request"])
    if claims is None or not _is_for_us(request, claims):
        request.problem = OAuthError("invalid_request_object", "not signed by this client, expired, or not for us")
        return request
    inside = {name: _as_sent(value) for name, value in claims.items()}
    object_request = AuthorizationRequest(request.issuer, request.client, inside)
    object_request.problem = request.problem
    return object_request


def _is_for_us(request: AuthorizationRequest, claims: dict[str, object]) -> bool:
    """Return whether a request object's issuer is the client and its audience this issuer (RFC 9101, section 4).

    A client's assertion is none: it is about the client itself (section 10.8).
    """
    client_id = request.client.client_id
    return (
        client_keys.is_for(claims, {request.issuer.url})
        and claims.get("iss") == client_id
        and claims.get("client_id") == client_id
        and claims.get("sub") != client_id
        and not {"request", "request_uri"} & claims.keys()
    )


def _as_sent(value: object) -> str:
    """Return a claim as the parameter would be written: nested JSON (`claims`) as text."""
    return value if isinstance(value, str) else json.dumps(value)
