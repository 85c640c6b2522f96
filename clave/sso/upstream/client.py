"""HTTP client for an upstream issuer: only its own host, timeouts, one retry where it is safe, circuit breaker."""

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import pybreaker
import structlog
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from clave.sso.upstream.doors import UpstreamDoor

log = structlog.get_logger(__name__)
FAILURES, PAUSE = 5, 20
MAX_ANSWER = 64 * 1024
# Metadata and keys are asked for again after an hour; keys also when a token names one that is not among them, but
# not more often than once a minute, because anybody may make up a token.
KEEP_SECONDS, KEEP_KEYS_SECONDS = 3600, 60
Json = dict[str, Any]


class DoorDown(Exception):
    """The issuer did not respond in time, or its response or metadata cannot be used."""


@dataclass(frozen=True)
class Endpoints:
    """Where an issuer is asked. `jwks` is empty where there is nothing to verify."""

    authorize: str
    token: str
    userinfo: str
    jwks: str = ""
    pkce: bool = False
    # RFC 9207, section 2.3: the authorization response always has `iss`.
    names_issuer: bool = False


def deadline() -> float:
    """Return the moment by which everything must be answered that is asked from now on."""
    return time.monotonic() + settings.DOOR_BUDGET_SECONDS


class IssuerClient:
    """An issuer, one instance per door and process. Holds connections, circuit, metadata and keys."""

    def __init__(self, door: UpstreamDoor) -> None:
        self.door = door
        self.client = httpx.Client(headers={"Accept": "application/json"}, follow_redirects=False)
        # Only silence opens the circuit: an error costs nothing, and anybody may provoke one with a made-up code.
        answered = [httpx.HTTPStatusError, ValueError]
        self.breaker = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=PAUSE, exclude=answered)
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def endpoints(self, until: float) -> Endpoints:
        """Return the issuer's endpoints. Raises `DoorDown`."""
        if not self.door.discovers:
            base = self.door.issuer.rstrip("/")
            return Endpoints(f"{base}/authorize/", f"{base}/token/", f"{base}/userinfo/")
        if self._endpoints is None or self._endpoints[0] < time.monotonic() - KEEP_SECONDS:
            url = f"{self.door.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, metadata = self._call("GET", url, until)
            self._endpoints = time.monotonic(), _endpoints_in(metadata if status == 200 else {}, self.door.issuer)
        return self._endpoints[1]

    def keys(self, until: float, kid: str) -> KeySet:
        """Return the issuer's keys, asking again if `kid` is not among those known. Raises `DoorDown`."""
        now = time.monotonic()
        if self._keys is not None:
            asked, keys = self._keys
            known = any(key.kid == kid for key in keys)
            if asked > now - (KEEP_SECONDS if known else KEEP_KEYS_SECONDS):
                return keys
        _status, found = self._call("GET", self.endpoints(until).jwks, until)
        self._keys = now, _keys_in(found)
        return self._keys[1]

    def exchange(self, until: float, code: str, state: str, verifier: str) -> Json:
        """Exchange a code (RFC 6749, section 4.1.3); return the answer, empty if refused. Raises `DoorDown`."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.door.client_id,
            "client_secret": self.door.client_secret,
            "redirect_uri": self.door.redirect_uri,
            "code": code,
        }
        endpoints = self.endpoints(until)
        form |= {"code_verifier": verifier} if endpoints.pkce else {}
        form |= {} if self.door.discovers else {"state": state}  # ClaveÚnica's guide asks for it
        status, answer = self._call("POST", endpoints.token, until, form=form)
        return answer if status == 200 else {}

    def userinfo(self, until: float, access_token: str) -> Json:
        """Return what the issuer says of the person; empty if refused. By POST, as ClaveÚnica's guide demands."""
        headers = {"Authorization": f"Bearer {access_token}"}
        status, answer = self._call("POST", self.endpoints(until).userinfo, until, headers=headers)
        return answer if status == 200 else {}

    def _call(
        self,
        method: str,
        url: str,
        until: float,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Json]:
        """Return (status, JSON object); the object is empty unless the status is 200. Raises `DoorDown`."""
        # A code serves once: what may have arrived is not sent again.
        again = (httpx.ConnectError, httpx.ConnectTimeout) if form else (httpx.HTTPError,)
        try:
            for attempt in Retrying(
                stop=stop_after_attempt(2),
                wait=wait_random(0.02, 0.12),
                retry=retry_if_exception_type(again),
                reraise=True,
            ):
                with attempt:
                    return self.breaker.call(self._once, method, url, until, form, headers)
        except (pybreaker.CircuitBreakerError, httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            log.warning("door.down", door=self.door.slug, error=type(error).__name__)
            raise DoorDown from error
        raise DoorDown  # pragma: no cover - Retrying either returns or raises

    def _once(
        self, method: str, url: str, until: float, form: dict[str, str] | None, headers: dict[str, str] | None
    ) -> tuple[int, Json]:
        body, left = bytearray(), until - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("no time left")
        timeout = min(settings.DOOR_TRY_SECONDS, left)
        with self.client.stream(method, url, data=form, headers=headers, timeout=timeout) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > until or len(body) > MAX_ANSWER:
                    raise httpx.ReadTimeout("too slow or too long")
            if response.status_code >= 500 or response.is_redirect:
                raise httpx.HTTPStatusError("unexpected status", request=response.request, response=response)
        if response.status_code != 200:
            return response.status_code, {}
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise ValueError("not an object")
        return 200, answer


@lru_cache(maxsize=8)
def issuer_of(door: UpstreamDoor) -> IssuerClient:
    """Return this process's client for a door."""
    return IssuerClient(door)


def _endpoints_in(metadata: Json, issuer: str) -> Endpoints:
    """Read an issuer's metadata (OpenID Connect Discovery 1.0, sections 3 and 4.3). Raises `DoorDown`.

    What the server itself asks must be at the issuer's own origin (RFC 9700, 4.4; abuse case 44).
    """
    names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    urls = [metadata.get(name) for name in names]
    authorize, token, userinfo, jwks = [url if isinstance(url, str) else "" for url in urls]
    asked = (token, userinfo, jwks)
    own = metadata.get("issuer") == issuer and all(_origin(url) == _origin(issuer) for url in asked)
    if not own or urlsplit(authorize).scheme not in (("http", "https") if settings.CLAVE_DEMO else ("https",)):
        raise DoorDown
    return Endpoints(
        authorize,
        token,
        userinfo,
        jwks,
        pkce="S256" in (metadata.get("code_challenge_methods_supported") or []),
        names_issuer=metadata.get("authorization_response_iss_parameter_supported") is True,
    )


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def _keys_in(found: Json) -> KeySet:
    """Read a JWK set (RFC 7517, section 5). Raises `DoorDown` if it holds no key that can be used."""
    try:
        return KeySet.import_key_set(found)  # type: ignore[arg-type]
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise DoorDown from error
