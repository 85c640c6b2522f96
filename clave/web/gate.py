"""Overload protection between the web server and Django: excess requests queue or are refused at once.

The server gives each request a thread of its own. Only as many requests as the worker's core can serve are processed
concurrently. Others queue; one that would wait about a second or longer gets a 503 at once, before any work is done.
Requests that close an attendance session go first, because the participant would lose the recorded time (abuse cases 41
and 77 of the threat model).
"""

import re
import resource
import time
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment

import structlog
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils import translation

from clave.web.bodies import BodyBuffer, CutOff, TooManyBodies
from clave.web.errors import RETRY_SECONDS, error_page
from clave.web.middleware import HEADERS, address_in, chosen_language
from clave.web.waiting_room import SlotLimiter, WaitingRoom

log = structlog.get_logger(__name__)

INSIDE = 8  # one of them computes; the others wait for a store, a registry or their turn to hash
WAITING, RESERVE = 100, 20  # queue capacity regardless of throughput; the reserve is for closing sessions
# Requests per address that get priority for closing a session: enough for a classroom, and a cap on what a flood gains.
URGENT_OF_ONE = 10
_FILES = 8192
_LOG_INTERVAL = 60.0
HEALTH = "/healthz"

# Everything here is UTF-8, but Django decodes the query string in any charset a request names, before we could refuse.
_CHARSET = re.compile(r";\s*charset\s*\*?\s*=[^;]*", re.IGNORECASE)

Start = Callable[[str, list[tuple[str, str]]], object]


class Gate:
    """A WSGI application (PEP 3333) in front of Django's."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._bodies = BodyBuffer() if settings.CLAVE_BUFFER_BODIES else None
        self._priority_slots = SlotLimiter(WAITING + RESERVE, URGENT_OF_ONE)
        self._room = WaitingRoom(INSIDE, WAITING, RESERVE)
        self._last_logged = 0.0
        # Only static files that exist: any other name produces an error page and must queue like the rest.
        hashed = getattr(staticfiles_storage, "hashed_files", {})
        self._exempt_paths = {HEALTH, *(f"{settings.STATIC_URL}{name}" for name in hashed.values())}

    def __call__(self, environ: WSGIEnvironment, start: Start) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        path = environ["PATH_INFO"]
        if path in self._exempt_paths and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._answer(environ, start)
        address = address_in(environ)
        try:
            if self._bodies:
                self._bodies.receive(environ, address)
        except TooManyBodies:
            return self._full(environ, start)
        except CutOff:
            return _cut_off(start)
        if not self._enter(path, address):
            return self._full(environ, start)
        try:
            return self._answer(environ, start)
        finally:
            self._room.leave()

    def _enter(self, path: str, address: str) -> bool:
        urgent = path.startswith(settings.CLAVE_URGENT_PATHS) and self._priority_slots.take(address)
        try:
            return self._room.enter(urgent=urgent)
        finally:
            if urgent:
                self._priority_slots.give_back(address)

    def _answer(self, environ: WSGIEnvironment, start: Start) -> Iterable[bytes]:
        response = self._application(environ, start)
        if response.streaming:
            return response  # type: ignore[no-any-return]
        body = [response.content]  # in one piece: the server need not iterate over the response
        response.close()
        return body

    def _full(self, environ: WSGIEnvironment, start: Start) -> Iterable[bytes]:
        now = time.monotonic()
        if now - self._last_logged > _LOG_INTERVAL:
            self._last_logged = now
            log.warning("gate.full", waiting=self._room.waiting, bodies=self._bodies.taken if self._bodies else 0)
        page = _full_page(chosen_language(WSGIRequest(environ)))
        start(f"{page.status_code} {page.reason_phrase}", list(page.items()))
        return [page.content]


@cache
def _full_page(language: str) -> HttpResponse:
    request = WSGIRequest({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": BytesIO()})
    with translation.override(language):
        page = error_page(request, 503, "full")
    for name, value in {**HEADERS, "Cache-Control": "no-store", "Retry-After": str(RETRY_SECONDS)}.items():
        page.headers[name] = value
    return page


def _cut_off(start: Start) -> Iterable[bytes]:
    """Respond to a request whose body is incomplete."""
    start("400 Bad Request", [("Content-Type", "text/plain")])
    return [b""]


def allow_many_files() -> None:
    """Raise this process's limit on open files, usually 1024: every connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
