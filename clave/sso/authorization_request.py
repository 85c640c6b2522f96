"""Authorization requests: as sent in the address, as a signed object (RFC 9101), or pushed before (RFC 9126)."""

import json
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlsplit

from django.http import QueryDict

from clave.lib import clock
from clave.sso import client_keys, clients
from clave.sso.issuers import Issuer
from clave.sso.models import Client, PendingAuthorization
from clave.sso.oauth_errors import OAuthError

PUSHED_PREFIX = "urn:ietf:params:oauth:request_uri:"
LOOPBACK = ("127.0.0.1", "::1")


class AuthorizationRequest:
    """An authorization request and what its parameters refer to; a missing parameter is an empty string.

    `problem` is what went wrong in reading it. It is only reported to the client once `redirect_uri` has proved to be
    the client's own.
    """

    def __init__(self, issuer: Issuer, client: Client, parameters: Mapping[str, str]) -> None:
        self.issuer = issuer
        self.client = client
        self.parameters = dict(parameters)
        self.pending: PendingAuthorization | None = None
        self.problem: OAuthError | None = None

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
        except ValueError:
            return None
        places = {"userinfo", "id_token"}
        if not isinstance(parsed, dict) or any(not isinstance(parsed.get(place, {}), dict) for place in places):
            return None
        return {place: parsed[place] for place in places if place in parsed}

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


def without_loopback_port(url: str) -> str:
    """Return a loopback URL without its port, or an empty string for any other URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.username or parts.fragment:
        return ""
    return url.replace(f":{port}", "", 1) if port else url


def received(issuer: Issuer, sent: QueryDict) -> AuthorizationRequest | None:
    """Read a request from the parameters of the authorization endpoint; None if its client is unknown."""
    parameters = {name: values[-1] for name, values in sent.lists()}
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
    request.pending = pending
    return request


def _pushed(request: AuthorizationRequest) -> AuthorizationRequest:
    """Return the request that the client has pushed under this `request_uri` (RFC 9126, section 4)."""
    reference = request["request_uri"].removeprefix(PUSHED_PREFIX)
    unexpired = PendingAuthorization.objects.filter(expires_at__gt=clock.now()).select_related("client")
    pending = unexpired.filter(pk=reference, client=request.client).first()
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
    """Return whether a request object's issuer is the client and its audience this issuer (RFC 9101, section 4)."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    client_id = request["client_id"]
    return (
        request.issuer.url in audiences
        and claims.get("iss") == client_id
        and claims.get("client_id") == client_id
        and not {"request", "request_uri"} & claims.keys()
    )


def _as_sent(value: object) -> str:
    """Return a claim as the parameter would be written: nested JSON (`claims`) as text."""
    return value if isinstance(value, str) else json.dumps(value)
