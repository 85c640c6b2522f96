"""The listening socket: made once, and kept while the processes that accept from it come and go.

Connections wait in the queue of the socket, not of a process. As long as somebody holds the socket, whoever accepts
next serves them; with a socket of its own for each process (`SO_REUSEPORT`), those that wait are reset when it ends.
"""

import os
import socket
from collections.abc import Mapping

BACKLOG = 1024
_FIRST_SYSTEMD_FD = 3
LISTEN_FD = "CLAVE_LISTEN_FD"


def listening_socket(environ: Mapping[str, str]) -> socket.socket:
    """Return the socket handed over by the launcher or by systemd, or else bind `CLAVE_BIND` and `PORT`.

    Raises `OSError` when the address cannot be bound. Source: sd_listen_fds(3).
    """
    if LISTEN_FD in environ:
        return socket.socket(fileno=int(environ[LISTEN_FD]))
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_SYSTEMD_FD)
    return bind(environ.get("CLAVE_BIND", "127.0.0.1"), int(environ.get("PORT", "8000")))


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises `OSError`."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by what is accepted
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def stop_accepting(listener: socket.socket) -> None:
    """Put a socket that nobody can reach in the place of this one, under the same number.

    The server goes on with the connections it has and finds no new ones; those that wait in the queue are left to
    whoever else holds the socket. Closing the number instead would let another file take it under the server's hands.
    """
    with socket.socket(socket.AF_UNIX) as unreachable:
        unreachable.setblocking(False)
        unreachable.bind("")  # an abstract name chosen by the kernel, told to nobody
        unreachable.listen(1)
        os.dup2(unreachable.fileno(), listener.fileno(), inheritable=False)
