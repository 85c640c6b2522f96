"""Request body buffering: bodies are read before admission control, so that a slow sender holds nobody up.

Only needed without a buffering proxy (`CLAVE_BUFFER_BODIES`; `deploy/nginx/clave.conf` buffers). The server gives each
request a thread of its own and has no timeout for bodies. A slow sender occupies such a thread, and their number is
limited (abuse case 42 of the threat model).
"""

import tempfile
from io import BytesIO
from typing import IO
from wsgiref.types import InputStream, WSGIEnvironment

from django.conf import settings

from clave.web.middleware import body_limit
from clave.web.waiting_room import SlotLimiter

AT_ONCE, OF_ONE = 128, 32  # concurrent bodies: in total, and per address
_IN_MEMORY = 256 * 1024
_PIECE = 64 * 1024


class TooManyBodies(Exception):
    """The limit of concurrent bodies is reached, in total or for this address."""


class CutOff(Exception):
    """An incomplete body: half a form must not be processed as a whole one."""


class BodyBuffer:
    """A buffer that reads complete request bodies, within the limits on concurrent ones."""

    def __init__(self) -> None:
        self._slots = SlotLimiter(AT_ONCE, OF_ONE)

    @property
    def taken(self) -> int:
        """Number of bodies being received."""
        return self._slots.taken

    def receive(self, environ: WSGIEnvironment, address: str) -> None:
        """Replace `wsgi.input` with the complete body. Raises `TooManyBodies`, `CutOff`.

        A body that Django will refuse unread because of its declared length is left alone.
        """
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length == 0 or (length > _PIECE and length > _limit(environ)):
            return
        if not self._slots.take(address):
            raise TooManyBodies
        try:
            environ["wsgi.input"], received = _read(environ["wsgi.input"], length)
        finally:
            self._slots.give_back(address)
        if received < length:
            raise CutOff


def _limit(environ: WSGIEnvironment) -> int:
    has_session = f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
    return body_limit(environ["PATH_INFO"], has_session)


def _read(stream: InputStream, length: int) -> tuple[IO[bytes], int]:
    """Return a file with the body, on disk if it is large, and the number of bytes received."""
    if length <= _PIECE:
        content = stream.read(length)
        return BytesIO(content), len(content)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when the request is garbage-collected
    while (left := length - file.tell()) and (piece := stream.read(min(left, _PIECE))):
        file.write(piece)
    received = file.tell()
    file.seek(0)
    return file, received
