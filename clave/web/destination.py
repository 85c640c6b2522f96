"""The other system that a person is on the way to: kept in the browser's session until they have signed in.

So whoever must register or recover a key first gets there all the same, and no page takes its words from an address.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.http import HttpRequest

from clave.lib import clock

LIFE = timedelta(minutes=30)
_IN_SESSION = "destination"


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


def remember(request: HttpRequest, destination: Destination) -> None:
    """Remember where this browser's person is going, for `LIFE`; a former destination is forgotten."""
    until = (clock.now() + LIFE).timestamp()
    request.session[_IN_SESSION] = {"until": until, "destination": asdict(destination)}


def current(request: HttpRequest) -> Destination | None:
    """Return where the person is going, None if nowhere in particular."""
    kept = request.session.get(_IN_SESSION) if request.session.session_key else None
    if not kept or kept["until"] < clock.now().timestamp():
        return None
    return Destination(**kept["destination"])


def forget(request: HttpRequest) -> None:
    """Forget where the person was going."""
    if request.session.session_key:
        request.session.pop(_IN_SESSION, None)
