"""Responses to the learning platform, sent through the participant's browser. Source: rce-protocol.md, section 1.

Platforms decide by the mere presence of a field: GlosaError means an error, else IdSesionSence an opening, else it is a
closing. So a field that does not belong in a response must be absent, not empty.
"""

from datetime import datetime
from typing import NotRequired, TypedDict

from clave.lib import clock
from clave.rce.request import SESSION, RceRequest

ZONE = "America/Santiago"
_ECHOED = ("CodSence", "CodigoCurso", "IdSesionAlumno")


class Answer(TypedDict):
    """What goes back: its kind names the page that carries it, `facts` are what that page says besides."""

    kind: str
    url: str
    fields: list[tuple[str, str]]
    facts: NotRequired[dict[str, str | int]]


def _fields(request: RceRequest, at: datetime, *extra: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        *((name, request[name]) for name in _ECHOED),
        *(pair for pair in extra if pair[0] == SESSION),
        ("RunAlumno", request["RunAlumno"]),
        ("FechaHora", at.astimezone(clock.SANTIAGO).strftime("%Y-%m-%d %H:%M:%S")),
        ("ZonaHoraria", ZONE),
        ("LineaCapacitacion", request["LineaCapacitacion"]),
        *(pair for pair in extra if pair[0] != SESSION),
    ]


def refused(request: RceRequest, codes: list[int]) -> Answer:
    """Return the response to a failed request. For an opening it has an empty IdSesionSence, for a closing none."""
    glosa = ("GlosaError", ";".join(map(str, codes)))
    session = [] if request.closing else [(SESSION, "")]
    return {"kind": "error", "url": request["UrlError"], "fields": _fields(request, clock.now(), *session, glosa)}


def opened(request: RceRequest, public: str, since: datetime, until: datetime) -> Answer:
    """Return the response for an opened session, with the data for its page."""
    facts: dict[str, str | int] = {"since": _clock(since), "until": _clock(until)}
    fields = _fields(request, since, (SESSION, public))
    return {"kind": "opened", "url": request["UrlRetoma"], "fields": fields, "facts": facts}


def closed(request: RceRequest, at: datetime, seconds: int, total: int) -> Answer:
    """Return the response for a closed session: its duration `seconds`, and the `total` credited in the course."""
    facts: dict[str, str | int] = {"credited": seconds, "total": total}
    return {"kind": "closed", "url": request["UrlRetoma"], "fields": _fields(request, at), "facts": facts}


def _clock(instant: datetime) -> str:
    return instant.astimezone(clock.SANTIAGO).strftime("%H:%M")
