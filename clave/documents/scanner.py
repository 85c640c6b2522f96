"""clamd client. Source: clamd(8), command INSTREAM: length-prefixed chunks, then an empty one.

The Python clients available are unmaintained or GPL-licensed; this is all we need of the protocol.
"""

import socket
import struct
from urllib.parse import urlsplit

CHUNK, SECONDS = 64 * 1024, 5.0


class ScannerDown(Exception):
    """The scanner did not respond, or its response was neither yes nor no."""


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SECONDS)
        connection.connect(parts.path)
        return connection
    return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 3310), SECONDS)


def is_clean(content: bytes, url: str) -> bool:
    """Return whether clamd at `url` (`tcp://host:port` or `unix:///path`) finds nothing. Raises `ScannerDown`."""
    try:
        with _connect(url) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK):
                chunk = content[start : start + CHUNK]
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
            reply = b""
            while not reply.endswith(b"\0") and (part := connection.recv(4096)):
                reply += part
    except OSError as error:
        raise ScannerDown from error
    if reply.rstrip(b"\0").endswith(b"OK"):
        return True
    if reply.rstrip(b"\0").endswith(b"FOUND"):
        return False
    raise ScannerDown
