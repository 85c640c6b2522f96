"""Listening sockets: created once, and kept open while the processes that accept from them come and go.

Connections queue in the socket's backlog. While the launcher (or systemd) holds the socket, the next process to accept
from it serves them; when a socket is closed with its process, its queued connections are reset.

Each web process has its own socket on the same port (`SO_REUSEPORT`). If several processes accept from one socket, a
single process may take a whole burst: out of 64 connections, all or none, as measured.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Mapping, Sequence

from clave.config.settings import environment

BACKLOG = 1024
LISTEN_FD = "CLAVE_LISTEN_FD"
_FIRST_SYSTEMD_FD = 3
_SO_ATTACH_REUSEPORT_CBPF = 51  # linux/socket.h; not defined in Python's socket module
# Classic BPF, linux/filter.h: load a random number, modulo, jump if equal, return.
_LOAD, _MODULO, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06
_RANDOM = 0xFFFFF000 + 56


def listening_socket(environ: Mapping[str, str]) -> socket.socket:
    """Return the socket passed by the launcher or by systemd, or else bind `CLAVE_BIND` and `PORT`.

    Raises `OSError` if the address cannot be bound. Source: sd_listen_fds(3).
    """
    if LISTEN_FD in environ:
        return socket.socket(fileno=int(environ[LISTEN_FD]))
    return inherited(environ) or listening_sockets(*address(environ), 1)[0]


def inherited(environ: Mapping[str, str]) -> socket.socket | None:
    """Return the socket passed by systemd to this process, if any."""
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_SYSTEMD_FD)
    return None


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return the host and port to listen on."""
    return environ.get("CLAVE_BIND", "127.0.0.1"), environment.port(environ.get("PORT", ""))


def listening_sockets(host: str, port: int, how_many: int) -> list[socket.socket]:
    """Return `how_many` sockets listening on one port. Raises `OSError`, also if another program listens there."""
    _bind(host, port, shared=False).close()
    listeners = [_bind(host, port, shared=True) for _ in range(how_many)]
    for listener in listeners:
        listener.listen(BACKLOG)
    return listeners


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by accepted connections
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def route_to(listeners: Sequence[socket.socket], numbers: Sequence[int]) -> None:
    """Make the kernel distribute new connections among these of the sockets on one port, at random.

    The others keep their queued connections. Raises `OSError` if the kernel lacks support: it then keeps using all of
    them. Source: socket(7), SO_ATTACH_REUSEPORT_CBPF; numbers count sockets in the order of listen(2).
    """
    program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(numbers))]
    for offset, number in enumerate(numbers):
        program += [(_JUMP_IF_EQUAL, 0, 1, offset), (_RETURN, 0, 0, number)]
    program.append((_RETURN, 0, 0, numbers[0]))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    pointer = struct.pack("HP", len(program), ctypes.addressof(code))
    listeners[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, pointer)


def stop_accepting(listener: socket.socket) -> None:
    """Replace this socket, under the same descriptor, by one on a port that nobody knows.

    The server keeps its connections and gets no new ones; those in the queue are left to other holders of the socket.
    Closing the descriptor instead would let another file reuse its number while the server still uses it, and another
    kind of socket would not do, because the server asks it for its address.
    """
    with socket.socket() as replacement:
        replacement.setblocking(False)
        replacement.bind(("127.0.0.1", 0))
        replacement.listen(1)
        os.dup2(replacement.fileno(), listener.fileno(), inheritable=False)
