"""One web process: serves until asked to stop, then shuts down without breaking off any request.

`python -m clave.operations.web` runs one alone, for systemd or a container. Signals:

SIGTERM   the site is stopping: `/readyz` returns 503 for `CLAVE_DRAIN_SECONDS`, then requests in progress are finished
SIGHUP    another process takes over the socket: no new connections; existing ones finish within a few seconds
SIGINT    stop now; requests in progress are finished
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
from wsgiref.types import WSGIApplication

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
    """Granian's WSGI server without its parent process, which handles dead and stopping workers differently from us."""

    def __init__(self, application: WSGIApplication, listener: socket.socket) -> None:
        self._application = application
        self._listener = listener
        self._stop = _native.WorkerSignal()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start serving, in granian's threads."""
        self._listener.set_inheritable(False)
        worker = _native.WSGIWorker(
            1,
            (None, _native.SocketHolder(self._listener.fileno(), False, BACKLOG)),
            None,  # no metrics channel
            1,  # event loop threads
            512,  # maximum of threads for files
            THREADS,
            30,  # seconds until an idle thread ends
            CONNECTIONS,
            HTTPModes.http1,
            HTTP1Settings(header_read_timeout=int(HEADER_SECONDS * 1000)),
            None,
            None,  # static files are served by WhiteNoise
            *(False, None, None, None, str(SSLProtocols.tls13), None, [], False),  # TLS is terminated by the proxy
            (None, None),
        )
        self._stop.add_cb(self._stopped.set)
        loop = asyncio.new_event_loop()
        call = _callback_wrapper(self._application, {})
        worker.serve_mtr(_new_scheduler(loop, call, impl_asyncio=True), loop, self._stop)

    def stop_accepting(self) -> None:
        stop_accepting(self._listener)

    def finish(self, seconds: float) -> bool:
        """Close idle connections and finish requests in progress; return whether all finished in time."""
        self._stop.set()
        return self._stopped.wait(seconds)


def _pause(orders: "queue.SimpleQueue[int]", seconds: float) -> None:
    """Wait, unless interrupted by another signal."""
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
    os._exit(code)  # a normal exit would wait for threads still serving slow clients
