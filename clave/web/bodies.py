"""Bodies are received before anybody waits for a turn, so that a visitor who sends one slowly holds nobody up.

Needed where no proxy does it (`CLAVE_BUFFER_BODIES`; `deploy/nginx/clave.conf` does). The server gives each request a
thread of its own and has no time-out for bodies: whoever sends one slowly keeps a thread that has nothing else to do,
and there are only so many of those (abuse case 42 of the threat model).
"""

import tempfile
from io import BytesIO
from typing import Any

from django.conf import settings

from clave.web.middleware import body_limit
from clave.web.waiting_room import SlotLimiter

AT_ONCE, OF_ONE = 128, 32  # received at once: in all, and from one address
_IN_MEMORY = 256 * 1024
_PIECE = 64 * 1024


class TooManyBodies(Exception):
    """As many bodies as may be are being received, in all or from this address."""


class CutOff(Exception):
    """Not all of the body came: half of a form must not be taken for the whole."""


class BodyBuffer:
    """Receives bodies whole."""

    def __init__(self) -> None:
        self._places = SlotLimiter(AT_ONCE, OF_ONE)

    @property
    def taken(self) -> int:
        """How many are being received."""
        return self._places.taken

    def receive(self, environ: dict[str, Any], address: str) -> None:
        """Put the whole body in the place of `wsgi.input`. Raises `TooManyBodies`, `CutOff`.

        One that says to be so long that Django refuses it unread is left where it is.
        """
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length == 0 or (length > _PIECE and length > _limit(environ)):
            return
        if not self._places.take(address):
            raise TooManyBodies
        try:
            environ["wsgi.input"], came = _read(environ["wsgi.input"], length)
        finally:
            self._places.give_back(address)
        if came < length:
            raise CutOff


def _limit(environ: dict[str, Any]) -> int:
    known = f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
    return body_limit(environ["PATH_INFO"], known)


def _read(coming: Any, length: int) -> tuple[Any, int]:
    """Return a file with the body, on disk when it is a large one, and how much of it came."""
    if length <= _PIECE:
        content = coming.read(length)
        return BytesIO(content), len(content)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - gone with the request
    while (left := length - file.tell()) and (piece := coming.read(min(left, _PIECE))):
        file.write(piece)
    came = file.tell()
    file.seek(0)
    return file, came
