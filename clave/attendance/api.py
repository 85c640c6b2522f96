"""The REST API of a training body: its courses, its roster, its marks. Signed in with a token of RTS as bearer.

Paths and answers are documented by the OpenAPI description at `/api/v1/openapi.json`.
"""

from datetime import date, datetime
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from clave.attendance import block as blocks
from clave.attendance import preflight, record
from clave.attendance.models import Opening
from clave.attendance.receipts import keys as public_keys
from clave.audit import service as audit
from clave.core import clock
from clave.core.middleware import visit_of
from clave.training import loading, tokens
from clave.training.models import Action, Body, Enrolment

MOST_RUNS = 2000
Run = Annotated[str, Field(max_length=12, examples=["12345678-5"])]


class TokenOfBody(HttpBearer):
    """A live token of a training body, as `Authorization: Bearer <token>`."""

    def authenticate(self, request: HttpRequest, token: str) -> Body | None:
        found = tokens.find(token)
        if found is None or not tokens.is_live(found) or not found.body.active:
            return None
        tokens.note_use(found, token)
        request.token = found  # type: ignore[attr-defined]
        return found.body


api = NinjaAPI(
    title="Clave", version="1", auth=TokenOfBody(), docs_url=None, urls_namespace="api", description=__doc__ or ""
)


class ActionIn(Schema):
    """What describes an action; the same rules as for a table that is loaded."""

    CodSence: str = Field("", max_length=10)
    Linea: int
    Nombre: str = Field(max_length=160)
    Modalidad: str = Field("e-learning", max_length=20)
    Horas: int
    Inicio: date
    Termino: date


class ActionOut(Schema):
    CodigoCurso: str
    CodSence: str
    Linea: int
    Nombre: str
    Modalidad: str
    Horas: int
    Inicio: date
    Termino: date
    Estado: str

    @classmethod
    def of(cls, action: Action) -> "ActionOut":
        return cls(
            CodigoCurso=action.code,
            CodSence=action.cod_sence,
            Linea=action.line,
            Nombre=action.name,
            Modalidad=action.modality,
            Horas=action.hours,
            Inicio=action.starts,
            Termino=action.ends,
            Estado=action.state,
        )


class RunsIn(Schema):
    runs: list[Run] = Field(max_length=MOST_RUNS)


class Changed(Schema):
    changed: int


class SessionOut(Schema):
    """A session by its IdSesionSence. `state`: open, closed, lost or abandoned; `seconds`: credited."""

    session: str
    run: str
    action: str
    state: str
    opened_at: datetime
    limit_at: datetime
    ended_at: datetime | None
    seconds: int


class AttendanceOut(Schema):
    run: str
    seconds: int
    percent: int
    sessions: int


class ReviewIn(RunsIn):
    CodigoCurso: str = Field(max_length=60)
    CodSence: str = Field("", max_length=20)
    LineaCapacitacion: str = Field(max_length=2)
    UrlRetoma: str = Field(max_length=250)
    UrlError: str = Field(max_length=250)
    Token: str = Field("", max_length=40)


class BlockIn(Schema):
    CodigoCurso: str = Field(max_length=50)
    CodSence: str = Field("", max_length=10)
    LineaCapacitacion: str = Field(max_length=2)
    RunAlumno: Run
    IdSesionAlumno: str = Field(max_length=149)
    UrlRetoma: str = Field(max_length=200)
    UrlError: str = Field(max_length=200)


class BlockOut(Schema):
    url: str


class FindingOut(Schema):
    run: str
    codes: list[int]
    has_key: bool
    ready: bool


def _body(request: HttpRequest) -> Body:
    body: Body = request.auth  # type: ignore[attr-defined]
    return body


def _action(request: HttpRequest, code: str) -> Action:
    found = Action.objects.filter(body=_body(request), code=code).first()
    if found is None:
        raise HttpError(404, "no such action")
    return found


@api.get("/actions", response=list[ActionOut])
def list_actions(request: HttpRequest) -> list[ActionOut]:
    """List the body's actions, the newest first, 500 at most."""
    found = Action.objects.filter(body=_body(request)).order_by("-starts", "code")[:500]
    return [ActionOut.of(action) for action in found]


@api.put("/actions/{code}", response=ActionOut)
def put_action(request: HttpRequest, code: str, action: ActionIn) -> ActionOut:
    """Make an action or change its data."""
    cells = {name.lower(): str(value) for name, value in action.model_dump().items()}
    row = loading.Checker(_body(request)).check(1, {**cells, "codigocurso": code, "run": ""})
    if row.problems:
        raise HttpError(400, "; ".join(f"{each['column']}: {each['remedy']}" for each in row.problems))
    with transaction.atomic():
        loading.save_actions(_body(request), {row.code: row.action})
        audit.record("api.action", visit_of(request), action_code=row.code)
    return ActionOut.of(_action(request, code))


@api.post("/actions/{code}/enrolments", response=Changed)
def enrol(request: HttpRequest, code: str, sent: RunsIn) -> Changed:
    """Enrol people; all of them or, if a RUN is wrong, nobody."""
    action = _action(request, code)
    checker = loading.Checker(_body(request))
    rows = [checker.check(place, {"codigocurso": code, "run": run}) for place, run in enumerate(sent.runs, 1)]
    wrong = [str(row.line) for row in rows if row.problems]
    if wrong:
        raise HttpError(400, f"RUN not valid at position {', '.join(wrong[:20])}; nobody was enrolled")
    with transaction.atomic():
        loading.enrol([(action.pk, row.run) for row in rows])
        audit.record("api.enrolled", visit_of(request), action_code=code, count=len(rows))
    return Changed(changed=len(rows))


@api.delete("/actions/{code}/enrolments/{run}", response=Changed)
def take_out(request: HttpRequest, code: str, run: str) -> Changed:
    """Take a person out of an action; the marks stay."""
    enrolled = Enrolment.objects.filter(action=_action(request, code), run=run.upper(), removed_at=None)
    with transaction.atomic():
        changed = enrolled.update(removed_at=clock.now())
        audit.record("api.taken_out", visit_of(request), action_code=code, count=changed)
    return Changed(changed=changed)


@api.get("/actions/{code}/attendance", response=list[AttendanceOut])
def attendance(request: HttpRequest, code: str) -> list[AttendanceOut]:
    """Return what each participant has to its credit."""
    rows = record.records(_action(request, code).enrolments.order_by("run"))
    return [
        AttendanceOut(run=row.enrolment.run, seconds=row.seconds, percent=row.percent, sessions=len(row.sessions))
        for row in rows
    ]


@api.get("/sessions/{session}", response=SessionOut)
def session(request: HttpRequest, session: str) -> SessionOut:
    """Return one session of the body's courses: what a learner's browser cannot forge."""
    owned = Opening.objects.filter(enrolment__action__body=_body(request), public=session)
    found = owned.select_related("ending", "enrolment__action").first()
    if found is None:
        raise HttpError(404, "no such session")
    seen = record.Session.of(found)
    return SessionOut(
        session=seen.public,
        run=found.enrolment.run,
        action=found.enrolment.action.code,
        state=seen.state,
        opened_at=seen.opened_at,
        limit_at=seen.limit_at,
        ended_at=seen.ended_at,
        seconds=seen.seconds,
    )


@api.post("/review", response=list[FindingOut])
def review(request: HttpRequest, asked: ReviewIn) -> list[FindingOut]:
    """Check a roster before day one: the code that each RUN would earn, and who has no Clave SENCE yet."""
    sent = {name: str(text) for name, text in asked.model_dump(exclude={"runs"}).items()}
    found = preflight.review(_body(request), sent, asked.runs)
    return [FindingOut(run=each.run, codes=each.codes, has_key=each.has_key, ready=each.ready) for each in found]


@api.post("/blocks", response=BlockOut)
def block(request: HttpRequest, asked: BlockIn) -> BlockOut:
    """Return the address of a participant's block *Asistencia SENCE*, to be framed or linked; good for twelve hours."""
    sent = {name: str(text) for name, text in asked.model_dump().items()}
    return BlockOut(url=blocks.address(request.token, {**sent, "RutOtec": _body(request).rut}))  # type: ignore[attr-defined]


@api.get("/keys", auth=None)
def keys(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Return the public keys that verify receipts (a JWK set, RFC 7517)."""
    return public_keys()
