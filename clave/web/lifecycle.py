"""Whether this process is about to stop, and what its answers say about that."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

# The site goes away: `/readyz` tells the balancer, so that it sends new visitors elsewhere.
draining = threading.Event()
# This process goes away, the site perhaps not: visitors are asked to come back on a new connection.
closing_connections = threading.Event()

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class CloseConnections:
    """WSGI middleware: answers carry `Connection: close` once the process is about to stop (RFC 9112, section 9.6).

    A connection that is kept open would otherwise be closed while its next request is on the way.
    """

    def __init__(self, application: Callable[[dict[str, object], StartResponse], Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, object], start_response: StartResponse) -> Iterable[bytes]:
        if closing_connections.is_set():
            start_response = partial(_start_and_close, start_response)
        return self._application(environ, start_response)


def _start_and_close(start_response: StartResponse, status: str, headers: list[tuple[str, str]]) -> Any:
    return start_response(status, [*headers, ("Connection", "close")])
