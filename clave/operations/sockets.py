"""The listening sockets: made once, and kept while the processes that accept from them come and go.

Connections wait in the queue of a socket. As long as the launcher (or systemd) holds it, the next process that accepts
from it serves them; a socket that ends with its process resets them.

Each web process has a socket of its own on the same port (`SO_REUSEPORT`), because of several processes that accept
from one socket a single one may take a whole burst: of 64 connections, all or none, measured.
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
_SO_ATTACH_REUSEPORT_CBPF = 51  # linux/socket.h; Python does not name it
# Classic BPF, linux/filter.h: load a random number, modulo, jump if equal, return.
_LOAD, _MODULO, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06
_RANDOM = 0xFFFFF000 + 56


def listening_socket(environ: Mapping[str, str]) -> socket.socket:
    """Return the socket handed over by the launcher or by systemd, or else bind `CLAVE_BIND` and `PORT`.

    Raises `OSError` when the address cannot be bound. Source: sd_listen_fds(3).
    """
    if LISTEN_FD in environ:
        return socket.socket(fileno=int(environ[LISTEN_FD]))
    return inherited(environ) or listening_sockets(*address(environ), 1)[0]


def inherited(environ: Mapping[str, str]) -> socket.socket | None:
    """Return the socket that systemd holds for this process, if any."""
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_SYSTEMD_FD)
    return None


def address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port to listen on."""
    return environ.get("CLAVE_BIND", "127.0.0.1"), environment.port(environ.get("PORT", ""))


def listening_sockets(host: str, port: int, how_many: int) -> list[socket.socket]:
    """Return so many sockets that listen on one port. Raises `OSError`, also when somebody else listens there."""
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
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by what is accepted
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def choose_among(listeners: Sequence[socket.socket], numbers: Sequence[int]) -> None:
    """Let the kernel give new connections to these of the sockets on one port, at random.

    The others keep what waits in their queues. Raises `OSError` where the kernel cannot: it then goes on giving to
    all of them. Source: socket(7), SO_ATTACH_REUSEPORT_CBPF; the numbers count in the order of listen(2).
    """
    program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(numbers))]
    for place, number in enumerate(numbers):
        program += [(_JUMP_IF_EQUAL, 0, 1, place), (_RETURN, 0, 0, number)]
    program.append((_RETURN, 0, 0, numbers[0]))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    pointer = struct.pack("HP", len(program), ctypes.addressof(code))
    listeners[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, pointer)


def stop_accepting(listener: socket.socket) -> None:
    """Put a socket whose port nobody knows in the place of this one, under the same number.

    The server goes on with the connections it has and finds no new ones; those that wait in the queue are left to
    whoever else holds the socket. Closing the number instead would let another file take it under the server's hands,
    and a socket of another kind would not do: the server asks it for its address.
    """
    with socket.socket() as unknown:
        unknown.setblocking(False)
        unknown.bind(("127.0.0.1", 0))
        unknown.listen(1)
        os.dup2(unknown.fileno(), listener.fileno(), inheritable=False)
