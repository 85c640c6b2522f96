"""Asks clamd about a file. Source: clamd(8), command INSTREAM: chunks with their length, then a chunk of none.

The clients for Python in use are either no longer kept or under the GPL; what is needed of the protocol is this.
"""

import socket
import struct
from urllib.parse import urlsplit

CHUNK, SECONDS = 64 * 1024, 5.0


class ScannerDown(Exception):
    """The scanner did not answer, or answered neither yes nor no."""


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        connection.connect(parts.path)
        return connection
    return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 3310), SECONDS)


def is_clean(content: bytes, url: str) -> bool:
    """Say whether clamd at `url` (`tcp://host:port` or `unix:///path`) finds nothing. Raises `ScannerDown`."""
    try:
        with _connect(url) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK):
                chunk = content[start : start + CHUNK]
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
            answer = b""
            while not answer.endswith(b"\0") and (part := connection.recv(4096)):
                answer += part
    except OSError as error:
        raise ScannerDown from error
    if answer.rstrip(b"\0").endswith(b"OK"):
        return True
    if answer.rstrip(b"\0").endswith(b"FOUND"):
        return False
    raise ScannerDown
