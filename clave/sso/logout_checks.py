"""Requests to log out, as an ordered list of checks.

Source: OpenID Connect RP-Initiated Logout 1.0, sections 2 and 3.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

from clave.sso import clients, signing_keys
from clave.sso.issuers import STANDARD
from clave.sso.models import Client

# Others are ignored (RFC 6749, section 3.1, to which this follows).
KNOWN = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


class LogoutRequest:
    """A request to log out, and what its parameters refer to; a missing parameter is an empty string."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.parameters = {name: value for name, value in parameters.items() if name in KNOWN}

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name, "")

    @cached_property
    def hint(self) -> dict[str, object] | None:
        """Return the claims of `id_token_hint`, which may have expired; None if it is none of ours."""
        claims = signing_keys.read(self["id_token_hint"]) if self["id_token_hint"] else None
        return claims if claims and claims.get("iss") == STANDARD.url else None

    @cached_property
    def client(self) -> Client | None:
        """Return the client that asks: the one named, or the one the hint was made for."""
        return clients.find(self["client_id"] or str((self.hint or {}).get("aud", "")))

    def is_about(self, sid: str) -> bool:
        """Return whether the hint was made in this very session, so that its client need not ask the person."""
        return self.hint is not None and bool(sid) and self.hint.get("sid") == sid


Check = Callable[[LogoutRequest], bool]
_CHECKS: list[tuple[str, Check]] = []


def check(code: str) -> Callable[[Check], Check]:
    """Return a decorator that appends a check, whose failure is shown to the person with this code."""

    def register(function: Check) -> Check:
        _CHECKS.append((code, function))
        return function

    return register


@check("logout_hint")
def hint_is_ours(request: LogoutRequest) -> bool:
    return not request["id_token_hint"] or request.hint is not None


@check("unknown_client")
def client_is_known(request: LogoutRequest) -> bool:
    asked = bool(request["client_id"] or request["post_logout_redirect_uri"])
    return not asked or (request.client is not None and request.client.active)


@check("logout_hint")
def hint_is_the_clients(request: LogoutRequest) -> bool:
    if request.hint is None or request.client is None:
        return True
    return request.hint.get("aud") == request.client.client_id


@check("redirect_uri")
def address_is_registered(request: LogoutRequest) -> bool:
    address = request["post_logout_redirect_uri"]
    return not address or (request.client is not None and address in request.client.post_logout_redirect_uris)


CHECKS = tuple(_CHECKS)


def problem(request: LogoutRequest) -> str:
    """Return the code of the first failing check; empty if all pass."""
    return next((code for code, passes in CHECKS if not passes(request)), "")
