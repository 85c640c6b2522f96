"""Checks a whole roster before day one: which code would each participant earn, and who has no CS yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clave.attendance import checks
from clave.attendance.glosas import GLOSAS
from clave.attendance.models import Environment
from clave.attendance.request import MarkRequest, strict_rut
from clave.core.rut import InvalidRut, Rut
from clave.holders.models import Holder, Profile
from clave.training.models import Action, Body, Enrolment, Token

MOST = 2000
_SESSION = "revision"


@dataclass(frozen=True)
class Finding:
    """What would happen to one participant: `codes` in the protocol's order, none if all is well."""

    run: str
    codes: list[int]
    has_key: bool

    @property
    def meanings(self) -> list[Any]:
        return [GLOSAS[code] for code in self.codes]

    @property
    def ready(self) -> bool:
        return not self.codes and self.has_key


def review(body: Body, sent: Mapping[str, str], runs: list[str], day: date | None = None) -> list[Finding]:
    """Run the protocol's own checks for each RUN, as on `day` (the action's first, or today if it has begun).

    Without a token in `sent` one of the body's is taken for granted. A constant number of queries.
    """
    action = Action.objects.select_related("body").filter(code=sent.get("CodigoCurso", "")).first()
    enrolments = {each.run: each for each in Enrolment.objects.filter(action=action)} if action else {}
    wanted = {run: _written(run) for run in runs[:MOST]}
    keys = set(
        Holder.objects.filter(
            profile=Profile.PERSONA_NATURAL, identifier__in=wanted.values(), credential__isnull=False
        ).values_list("identifier", flat=True)
    )
    shared = MarkRequest(Environment.PRODUCTION, False, sent)
    token = shared.token if sent.get("Token") else Token(body=body)
    found = []
    for typed, run in wanted.items():
        asked = _asked(body, sent, run)
        enrolment = enrolments.get(run)
        asked.__dict__.update(action=action, enrolment=enrolment, token=token, day=day or _first_day(asked, action))
        found.append(Finding(typed, checks.codes(asked), run in keys))
    return found


def _asked(body: Body, sent: Mapping[str, str], run: str) -> MarkRequest:
    given = {"RutOtec": body.rut, "IdSesionAlumno": _SESSION, "Token": "-", **{k: v for k, v in sent.items() if v}}
    # In line 1 the course's code is blank, but there.
    return MarkRequest(Environment.PRODUCTION, False, {"CodSence": "", **given, "RunAlumno": run})


def _first_day(asked: MarkRequest, action: Action | None) -> date:
    return max(asked.day, action.starts) if action else asked.day


def _written(text: str) -> str:
    """Return a RUN as the protocol writes it if that is clear, so that dots alone are no fault."""
    try:
        return str(Rut.parse(text)) if strict_rut(text) is None else text.upper()
    except InvalidRut:
        return text
