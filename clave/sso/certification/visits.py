"""Visits to an integrator's application, from which the findings are drawn."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from clave.sso.certification.browser import Answer, Browser
from clave.sso.certification.html import Link
from clave.sso.issuers import BY_DIALECT
from clave.sso.models import Client

_NAMED = re.compile(r"clave\s*(sence|única|unica)", re.IGNORECASE)
_ENTRY = re.compile(r"clave|ingres|inici|entrar|log ?in|sign ?in", re.IGNORECASE)
_EXIT = re.compile(r"salir|cerrar|log ?out|sign ?out", re.IGNORECASE)
MOST_TRIED = 5


@dataclass
class Entry:
    """How a browser came from the application to Clave. `link` is what was followed, None if the address leads there.

    `request_url` is the authorization request, empty if the application never led to one.
    """

    browser: Browser
    answers: list[Answer]
    link: Link | None = None
    request_url: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.request_url).query, keep_blank_values=True))

    def back(self, **changes: str) -> str:
        """Return the address at which this browser would come back, with these parameters."""
        redirect_uri = self.parameters.get("redirect_uri", "")
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(changes)}"


@dataclass
class Seen:
    """All that was answered in the course of the visits, for what must appear nowhere."""

    answers: list[Answer] = field(default_factory=list)

    def also(self, answers: list[Answer]) -> list[Answer]:
        self.answers += answers
        return answers


def enter(client: Client, url: str, ends_at: float) -> Entry:
    """Go to the application and from there to Clave, in a new browser. Raises `NotAllowed`, `Unreachable`."""
    browser, authorize = Browser(client, ends_at), BY_DIALECT[client.dialect].endpoint("authorize")
    answers = browser.go(url, until=authorize)
    if answers[-1].to.startswith(authorize):
        return Entry(browser, answers, None, answers[-1].to)
    here = answers[-1]
    for link in _entry_links(here)[:MOST_TRIED]:
        to = urljoin(here.url, link.url)
        if to.startswith(authorize):
            return Entry(browser, answers, link, to)
        followed = _followed(browser, to, link, authorize)
        if followed[-1].to.startswith(authorize):
            return Entry(browser, answers + followed, link, followed[-1].to)
    return Entry(browser, answers)


def _entry_links(answer: Answer) -> list[Link]:
    """Return what may lead to Clave, what says so first."""
    offered = [link for link in answer.page.links if _ENTRY.search(link.text)]
    return sorted(offered, key=lambda link: _NAMED.search(link.text) is None)


def _followed(browser: Browser, to: str, link: Link, until: str) -> list[Answer]:
    """Follow a link, or send a form, as far as `until`."""
    if link.method != "post":
        return browser.go(to, until)
    answer = browser.ask(to, link.fields)
    if not answer.to or answer.to.startswith(until):
        return [answer]
    return [answer, *browser.go(answer.to, until)]


def is_named(link: Link | None) -> bool:
    """Return whether a button says that one signs in with Clave SENCE (or ClaveÚnica)."""
    return link is not None and _NAMED.search(link.text) is not None


def leave(browser: Browser, page: Answer, logout_url: str, until: str) -> list[Answer]:
    """Log out of the application: at this address, or with what its page offers; return the answers, none if neither.

    Raises `NotAllowed`, `Unreachable`.
    """
    if logout_url:
        return browser.go(logout_url, until)
    link = next((link for link in page.page.links if _EXIT.search(link.text)), None)
    return _followed(browser, urljoin(page.url, link.url), link, until) if link else []
