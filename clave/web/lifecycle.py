"""Shutdown state of this process, and how its responses announce it."""

import threading
from collections.abc import Callable, Iterable
from functools import partial

# The site is shutting down: `/readyz` reports it, so that the load balancer sends new visitors elsewhere.
draining = threading.Event()
# This process is shutting down, the site perhaps not: clients must reconnect.
closing_connections = threading.Event()

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class CloseConnections:
    """WSGI middleware that adds `Connection: close` once the process is about to stop (RFC 9112, section 9.6).

    Otherwise a persistent connection could be closed while its next request is in transit.
    """

    def __init__(self, application: Callable[[dict[str, object], StartResponse], Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, object], start_response: StartResponse) -> Iterable[bytes]:
        if closing_connections.is_set():
            start_response = partial(_start_and_close, start_response)
        return self._application(environ, start_response)


def _start_and_close(start_response: StartResponse, status: str, headers: list[tuple[str, str]]) -> object:
    return start_response(status, [*headers, ("Connection", "close")])
