"""One web process: serves until it is told to stop, and then without breaking off a conversation.

`python -m clave.operations.web` runs one alone, for systemd or a container. Signals:

SIGTERM   the site goes away: `/readyz` answers 503 for `CLAVE_DRAIN_SECONDS`, then what is inside is finished
SIGHUP    another process takes over the socket: no new connections, those there are finish within a few seconds
SIGINT    stop now; what is inside is finished
"""

import asyncio
import logging
import os
import queue
import signal
import socket
import sys
import threading
from typing import Any

from granian import _futures, _granian
from granian.constants import HTTPModes, SSLProtocols
from granian.http import HTTP1Settings
from granian.wsgi import _callback_wrapper

from clave.operations.limits import (
    CONNECTIONS,
    FINISH_SECONDS,
    HAND_OVER_SECONDS,
    HEADER_SECONDS,
    LINGER_SECONDS,
    THREADS,
    drain_seconds,
)
from clave.operations.readiness import report_ready
from clave.operations.sockets import BACKLOG, listening_socket, stop_accepting
from clave.web import lifecycle

# Granian's type stubs are older than its native module.
_native: Any = _granian
_new_scheduler: Any = _futures._new_cbscheduler


class Server:
    """Granian's WSGI server without its parent process, whose rules for dead and stopping workers are not ours."""

    def __init__(self, application: Any, listener: socket.socket) -> None:
        self._application = application
        self._listener = listener
        self._stop = _native.WorkerSignal()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to serve, in threads of granian's."""
        self._listener.set_inheritable(False)
        worker = _native.WSGIWorker(
            1,
            (None, _native.SocketHolder(self._listener.fileno(), False, BACKLOG)),
            None,  # no channel for metrics
            1,  # thread of the event loop
            512,  # most threads for files
            THREADS,
            30,  # seconds until an idle one ends
            CONNECTIONS,
            HTTPModes.http1,
            HTTP1Settings(header_read_timeout=int(HEADER_SECONDS * 1000)),
            None,
            None,  # static files are WhiteNoise's
            *(False, None, None, None, str(SSLProtocols.tls13), None, [], False),  # TLS is the proxy's
            (None, None),
        )
        self._stop.add_cb(self._stopped.set)
        loop = asyncio.new_event_loop()
        call = _callback_wrapper(self._application, {})
        worker.serve_mtr(_new_scheduler(loop, call, impl_asyncio=True), loop, self._stop)

    def stop_accepting(self) -> None:
        stop_accepting(self._listener)

    def finish(self, seconds: float) -> bool:
        """Close idle connections, finish the requests inside; say whether all were finished in time."""
        self._stop.set()
        return self._stopped.wait(seconds)


def _pause(orders: "queue.SimpleQueue[int]", seconds: float) -> None:
    """Wait, but not if told to hurry by another signal."""
    try:
        orders.get(timeout=seconds)
    except queue.Empty:
        return


def main() -> int:
    orders: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda received, _: orders.put(received))
    try:
        listener = listening_socket(os.environ)
    except OSError as error:
        sys.stderr.write(f"Cannot listen: {error.strerror}\n")
        return 1
    from clave.config.wsgi import application

    logging.getLogger("_granian").setLevel("WARNING")
    server = Server(application, listener)
    server.start()
    report_ready()
    order = orders.get()
    lifecycle.closing_connections.set()
    if order == signal.SIGTERM:
        lifecycle.draining.set()
        _pause(orders, drain_seconds(os.environ))
    server.stop_accepting()
    _pause(orders, HAND_OVER_SECONDS if order == signal.SIGHUP else LINGER_SECONDS)
    return 0 if server.finish(FINISH_SECONDS) else 1


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # threads that still serve somebody slow would hold up an ordinary exit
