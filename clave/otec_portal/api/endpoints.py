"""The REST API of a training body: its courses, its roster, its marks. Signed in with a token of RTS as bearer.

Paths and answers are documented by the OpenAPI description at `/api/v1/openapi.json`. What does not match it is
answered with 422, what matches but breaks a rule of ours (a wrong check digit, an end before its start) with 400.
"""

from math import ceil

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.security import HttpBearer

from clave.attendance import record
from clave.attendance.models import SessionStart
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.rut import InvalidRut, Rut
from clave.otec_portal import service
from clave.otec_portal.api.schemas import (
    ActionIn,
    ActionOut,
    AttendanceOut,
    BlockIn,
    BlockOut,
    Changed,
    Code,
    FindingOut,
    Invalid,
    KeySet,
    Problem,
    ReviewIn,
    RunsIn,
    SessionId,
    SessionOut,
)
from clave.rce import block as blocks
from clave.rce import preflight
from clave.rce.receipts import keys as public_keys
from clave.training import course_import, tokens
from clave.training.models import Action, Otec
from clave.web.middleware import context_of


class OtecToken(HttpBearer):
    """A live token of a training body, as `Authorization: Bearer <token>`."""

    def authenticate(self, request: HttpRequest, token: str) -> Otec | None:
        found = tokens.find(token)
        if found is None or not tokens.is_live(found) or not found.otec.active:
            return None
        tokens.record_use(found, token)
        request.token = found  # type: ignore[attr-defined]
        return found.otec


api = NinjaAPI(
    title="Clave", version="1", auth=OtecToken(), docs_url=None, urls_namespace="api", description=__doc__ or ""
)

READS = {401: Problem}
FINDS = {400: Problem, 401: Problem, 404: Problem, 422: Invalid}
# 413: over 64 kB; 415: no JSON.
TAKES = {400: Problem, 401: Problem, 404: Problem, 413: Problem, 415: Problem, 422: Invalid}
# What may be done next with an action that was made. Source: OpenAPI 3.1, "Link Object".
LINKS: dict[str, object] = {
    "responses": {
        200: {
            "links": {
                name: {"operationId": operation, "parameters": {"code": "$response.body#/CodigoCurso"}}
                for name, operation in (
                    ("Change", "put_action"),
                    ("Enrol", "enrol"),
                    ("Remove", "remove_enrolments"),
                    ("Attendance", "attendance"),
                )
            }
        }
    }
}


@api.exception_handler(Refused)
def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Answer what a use case refused, in its words."""
    answer = api.create_response(request, {"detail": refusal.message}, status=refusal.status)
    until = getattr(refusal, "until", None)
    if until is not None:
        answer.headers["Retry-After"] = str(max(1, ceil((until - clock.now()).total_seconds())))
    return answer


def _otec(request: HttpRequest) -> Otec:
    otec: Otec = request.auth  # type: ignore[attr-defined]
    return otec


def _action(request: HttpRequest, code: str) -> Action:
    found = Action.objects.filter(otec=_otec(request), code=code).first()
    if found is None:
        raise HttpError(404, "no such action")
    return found


@api.get("/actions", response={200: list[ActionOut], **READS}, operation_id="list_actions")
def list_actions(request: HttpRequest) -> list[ActionOut]:
    """List the OTEC's actions, the newest first, 500 at most."""
    found = Action.objects.filter(otec=_otec(request)).order_by("-starts", "code")[:500]
    return [ActionOut.of(action) for action in found]


@api.put(
    "/actions/{code}", response={200: ActionOut, 409: Problem, **TAKES}, openapi_extra=LINKS, operation_id="put_action"
)
def put_action(request: HttpRequest, code: Code, action: ActionIn) -> ActionOut:
    """Make an action or change its data."""
    cells = {name.lower(): str(value) for name, value in action.model_dump().items()}
    [row] = course_import.Checker(_otec(request)).check_all([(1, {**cells, "codigocurso": code, "run": ""})])
    if row.problems:
        raise HttpError(400, "; ".join(f"{each['column']}: {each['remedy']}" for each in row.problems))
    service.save_action(_otec(request), row, context_of(request))
    return ActionOut.of(_action(request, code))


def _parsed(runs: list[str]) -> list[str]:
    """Return RUNs as they are stored. Raises `HttpError` naming the positions of those that are none."""
    found, wrong = [], []
    for position, run in enumerate(runs, 1):
        try:
            found.append(str(Rut.parse(run)))
        except InvalidRut:
            wrong.append(str(position))
    if wrong:
        raise HttpError(400, f"RUN not valid at position {', '.join(wrong[:20])}; nothing was changed")
    return found


@api.post("/actions/{code}/enrolments", response={200: Changed, **TAKES}, operation_id="enrol")
def enrol(request: HttpRequest, code: Code, sent: RunsIn) -> Changed:
    """Enrol people; all of them or, if a RUN is wrong, nobody."""
    action, runs = _action(request, code), _parsed(sent.runs)
    service.enrol(action, runs, context_of(request))
    return Changed(changed=len(runs))


@api.post("/actions/{code}/enrolments/remove", response={200: Changed, **TAKES}, operation_id="remove_enrolments")
def remove_enrolments(request: HttpRequest, code: Code, sent: RunsIn) -> Changed:
    """Take people out of an action; the marks stay. The RUNs stand in the body: addresses end up in logs."""
    runs = _parsed(sent.runs)
    return Changed(changed=service.remove(_action(request, code), runs, context_of(request)))


@api.get("/actions/{code}/attendance", response={200: list[AttendanceOut], **FINDS}, operation_id="attendance")
def attendance(request: HttpRequest, code: Code) -> list[AttendanceOut]:
    """Return what each participant has to its credit."""
    rows = record.records(_action(request, code).enrolments.order_by("run"))
    return [
        AttendanceOut(run=row.enrolment.run, seconds=row.seconds, percent=row.percent, sessions=len(row.sessions))
        for row in rows
    ]


@api.get("/sessions/{session}", response={200: SessionOut, **FINDS}, operation_id="session")
def session(request: HttpRequest, session: SessionId) -> SessionOut:
    """Return one session of the OTEC's courses: what a learner's browser cannot forge."""
    owned = SessionStart.objects.filter(enrolment__action__otec=_otec(request), public=session)
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


@api.post("/review", response={200: list[FindingOut], 429: Problem, **TAKES}, operation_id="review")
def review(request: HttpRequest, asked: ReviewIn) -> list[FindingOut]:
    """Check a roster before day one: the code that each RUN would earn, and which participants have no Clave SENCE.

    How many RUNs may be asked about is limited (429 with Retry-After); those enrolled can see that they were.
    """
    sent = {name: str(text) for name, text in asked.model_dump(exclude={"runs"}).items()}
    found = preflight.review(_otec(request), sent, asked.runs, context_of(request))
    return [FindingOut(run=each.run, codes=each.codes, has_key=each.has_key, ready=each.ready) for each in found]


@api.post("/blocks", response={200: BlockOut, **TAKES}, operation_id="block")
def block(request: HttpRequest, asked: BlockIn) -> BlockOut:
    """Return the address of a participant's block *Asistencia SENCE*, to be framed or linked; good for twelve hours."""
    sent = {name: str(text) for name, text in asked.model_dump().items()}
    return BlockOut(url=blocks.address(request.token, {**sent, "RutOtec": _otec(request).rut}))  # type: ignore[attr-defined]


@api.get("/keys", auth=None, response=KeySet, operation_id="keys")
def keys(request: HttpRequest) -> dict[str, object]:
    """Return the public keys that verify receipts (a JWK set, RFC 7517)."""
    return public_keys()
