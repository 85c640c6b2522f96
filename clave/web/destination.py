"""The other system that a person is on the way to, kept until they have got there.

So whoever must register or recover a key first gets there all the same, and no page takes its words from an address. It
is in an encrypted cookie rather than in the session, because the sign-in page must ask the database nothing.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from clave.lib import clock
from clave.lib.crypto import seal, unseal

LIFE = timedelta(minutes=30)
_COOKIE = "destino"


@dataclass(frozen=True)
class Destination:
    """`name` is the system's registered one, `path` our page that leads there, `cancel_path` the one that gives up.

    `profiles` are those that may enter, any if empty; `rut` is whose sign-in the system expects, if it has said so.
    """

    name: str
    path: str
    cancel_path: str
    profiles: list[str]
    rut: str = ""


def remember(response: HttpResponse, destination: Destination) -> None:
    """Remember where this browser's person is going, for `LIFE`; a former destination is forgotten."""
    until = (clock.now() + LIFE).timestamp()
    response.set_cookie(
        _COOKIE,
        seal(json.dumps({"until": until, "destination": asdict(destination)})),
        max_age=LIFE,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def current(request: HttpRequest) -> Destination | None:
    """Return where the person is going, None if nowhere in particular."""
    try:
        kept = json.loads(unseal(request.COOKIES.get(_COOKIE, "")))
    except (InvalidTag, InvalidToken, ValueError):
        return None
    return Destination(**kept["destination"]) if kept["until"] >= clock.now().timestamp() else None


def forget(request: HttpRequest, response: HttpResponse) -> None:
    """Forget where the person was going: they have got there, or have given up."""
    if _COOKIE in request.COOKIES:
        response.delete_cookie(_COOKIE, samesite="Lax")
