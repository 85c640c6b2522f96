"""A browser without JavaScript that visits an integrator's application, and this site on the way.

It asks only hosts to which the client may send people back, and outside of a demo only at public addresses, looked up
once and then used, so that nobody can make the server ask elsewhere (abuse case 44).
"""

import ipaddress
import socket
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings

from clave.sso import client_rules
from clave.sso.certification.html import Page
from clave.sso.models import Client
from clave.web.own_site import http_client

TIMEOUT_SECONDS = 5.0
MOST_BYTES = 512 * 1024
MOST_HOPS = 10
AGENT = "Clave-certificacion/1"


class NotAllowed(Exception):
    """The address is none that may be asked; the argument is the address."""


class Unreachable(Exception):
    """The application did not answer; the argument is the address."""


@dataclass(frozen=True)
class Answer:
    """A page or a redirect: `to` is the absolute address of the next one, empty if there is none."""

    url: str
    status: int
    to: str
    text: str

    @property
    def page(self) -> Page:
        return Page(self.text)


def is_ours(url: str) -> bool:
    """Return whether an address is this site's."""
    return _origin(url) == _origin(settings.CLAVE_URL)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


class Browser:
    """A browser with cookies of its own, for one client's application."""

    def __init__(self, client: Client, ends_at: float) -> None:
        """`ends_at` is when, by `time.monotonic`, all visits must be over: a slow application holds nobody up."""
        self._hosts, self._ends_at = client_rules.hosts_of(client), ends_at
        self._cookies: dict[str, dict[str, str]] = {}

    def ask(self, url: str, fields: dict[str, str] | None = None) -> Answer:
        """Ask once, by POST if there are fields. Raises `NotAllowed`, `Unreachable`."""
        url = urlsplit(url)._replace(fragment="").geturl()
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies_for(url).items())
        headers = {"User-Agent": AGENT, **({"Cookie": cookies} if cookies else {})}
        method = "GET" if fields is None else "POST"
        try:
            response = _own(method, url, fields, headers) if is_ours(url) else self._away(method, url, fields, headers)
        except (httpx.HTTPError, OSError, ValueError):
            raise Unreachable(url) from None
        self._keep(url, response)
        text = response.content[:MOST_BYTES].decode("utf-8", "replace")
        location = response.headers.get("location", "") if response.is_redirect else ""
        to = location or (Page(text).refresh if "http-equiv" in text else "")
        return Answer(url, response.status_code, urljoin(url, to) if to else "", text)

    def go(self, url: str, until: str = "") -> list[Answer]:
        """Ask and follow redirects, as far as an address that starts with `until`; return all answers, never none.

        Raises `NotAllowed`, `Unreachable`.
        """
        answers = [self.ask(url)]
        while answers[-1].to and len(answers) < MOST_HOPS:
            if until and answers[-1].to.startswith(until):
                break
            answers.append(self.ask(answers[-1].to))
        return answers

    def _away(self, method: str, url: str, fields: dict[str, str] | None, headers: dict[str, str]) -> httpx.Response:
        """Ask the application at an address looked up and judged before. Raises `NotAllowed`, `Unreachable`."""
        if time.monotonic() > self._ends_at:
            raise Unreachable(url)
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or host not in self._hosts or parts.username is not None:
            raise NotAllowed(url)
        address = _address_of(host, parts.port or (443 if parts.scheme == "https" else 80))
        if not settings.CLAVE_DEMO and not ipaddress.ip_address(address).is_global:
            raise NotAllowed(url)
        shown = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=f"{shown}:{parts.port}" if parts.port else shown).geturl()
        extensions = {"sni_hostname": host} if parts.scheme == "https" else {}
        with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as http:
            request = http.build_request(
                method, target, data=fields, headers={**headers, "Host": parts.netloc}, extensions=extensions
            )
            response = http.send(request, stream=True)
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES or time.monotonic() > self._ends_at:
                    break
            response.close()
        kept = [(name, value) for name, value in response.headers.multi_items() if name in ("location", "set-cookie")]
        return httpx.Response(response.status_code, headers=kept, content=body)

    def _cookies_for(self, url: str) -> dict[str, str]:
        return self._cookies.setdefault(urlsplit(url).hostname or "", {})

    def _keep(self, url: str, response: httpx.Response) -> None:
        kept = self._cookies_for(url)
        for header in response.headers.get_list("set-cookie"):
            try:
                cookies = SimpleCookie(header)
            except CookieError:
                continue
            for name, morsel in cookies.items():
                kept.pop(name, None)
                if morsel.value and morsel["max-age"] != "0":
                    kept[name] = morsel.coded_value


def _own(method: str, url: str, fields: dict[str, str] | None, headers: dict[str, str]) -> httpx.Response:
    own = {"Origin": settings.CLAVE_URL, "Referer": settings.CLAVE_URL} if method == "POST" else {}
    with http_client() as http:
        return http.request(method, url, data=fields, headers={**headers, **own})


def _address_of(host: str, port: int) -> str:
    """Return the first address of a host."""
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
