"""What goes back to the learning platform, through the participant's browser. Source: rce-protocol.md, section 1.

Platforms decide by the mere presence of a field: GlosaError is an error, else IdSesionSence is an opening, else it is a
closing. So a field that does not belong in an answer is absent, never empty.
"""

from datetime import datetime
from typing import Any

from clave.lib import clock
from clave.rce.request import SESSION, RceRequest

ZONE = "America/Santiago"
_ECHOED = ("CodSence", "CodigoCurso", "IdSesionAlumno")

Answer = dict[str, Any]


def _fields(request: RceRequest, at: datetime, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [
        *((name, request[name]) for name in _ECHOED),
        *(pair for pair in more if pair[0] == SESSION),
        ("RunAlumno", request["RunAlumno"]),
        ("FechaHora", at.astimezone(clock.SANTIAGO).strftime("%Y-%m-%d %H:%M:%S")),
        ("ZonaHoraria", ZONE),
        ("LineaCapacitacion", request["LineaCapacitacion"]),
        *(pair for pair in more if pair[0] != SESSION),
    ]


def refused(request: RceRequest, codes: list[int]) -> Answer:
    """Return the answer for an error. An opening that failed has an empty IdSesionSence, a closing none."""
    glosa = ("GlosaError", ";".join(map(str, codes)))
    session = [] if request.closing else [(SESSION, "")]
    return {"kind": "error", "url": request["UrlError"], "fields": _fields(request, clock.now(), *session, glosa)}


def opened(request: RceRequest, public: str, since: datetime, until: datetime) -> Answer:
    """Return the answer for an opened session, with what its page says."""
    facts = {"since": _clock(since), "until": _clock(until)}
    fields = _fields(request, since, (SESSION, public))
    return {"kind": "opened", "url": request["UrlRetoma"], "fields": fields, "facts": facts}


def closed(request: RceRequest, at: datetime, seconds: int, total: int) -> Answer:
    """Return the answer for a closed session; `seconds` it lasted and `total` credited in the course so far."""
    facts = {"credited": seconds, "total": total}
    return {"kind": "closed", "url": request["UrlRetoma"], "fields": _fields(request, at), "facts": facts}


def _clock(instant: datetime) -> str:
    return instant.astimezone(clock.SANTIAGO).strftime("%H:%M")
