"""REST API for training bodies: courses, enrolments and attendance. Authenticated with an RTS token as bearer token.

Paths and responses are described by the OpenAPI document at `/api/v1/openapi.json`. A request that does not match it is
answered with 422; one that matches but violates another rule (wrong check digit, end before start) with 400.
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
        stored = tokens.find(token)
        if stored is None or not tokens.is_live(stored) or not stored.otec.active:
            return None
        tokens.record_use(stored, token)
        request.token = stored  # type: ignore[attr-defined]
        return stored.otec


api = NinjaAPI(
    title="Clave", version="1", auth=OtecToken(), docs_url=None, urls_namespace="api", description=__doc__ or ""
)

READS = {401: Problem}
FINDS = {400: Problem, 401: Problem, 404: Problem, 422: Invalid}
# 413: over 64 kB; 415: not JSON.
TAKES = {400: Problem, 401: Problem, 404: Problem, 413: Problem, 415: Problem, 422: Invalid}
# Operations available on the created action. Source: OpenAPI 3.1, "Link Object".
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
    """Return a use case's refusal with its message."""
    response = api.create_response(request, {"detail": refusal.message}, status=refusal.status)
    until = getattr(refusal, "until", None)
    if until is not None:
        response.headers["Retry-After"] = str(max(1, ceil((until - clock.now()).total_seconds())))
    return response


def _otec(request: HttpRequest) -> Otec:
    otec: Otec = request.auth  # type: ignore[attr-defined]
    return otec


def _action(request: HttpRequest, code: str) -> Action:
    action = Action.objects.filter(otec=_otec(request), code=code).first()
    if action is None:
        raise HttpError(404, "no such action")
    return action


@api.get("/actions", response={200: list[ActionOut], **READS}, operation_id="list_actions")
def list_actions(request: HttpRequest) -> list[ActionOut]:
    """List the OTEC's actions, newest first, at most 500."""
    actions = Action.objects.filter(otec=_otec(request)).order_by("-starts", "code")[:500]
    return [ActionOut.of(action) for action in actions]


@api.put(
    "/actions/{code}", response={200: ActionOut, 409: Problem, **TAKES}, openapi_extra=LINKS, operation_id="put_action"
)
def put_action(request: HttpRequest, code: Code, action: ActionIn) -> ActionOut:
    """Create an action or change its data."""
    cells = {name.lower(): str(value) for name, value in action.model_dump().items()}
    [row] = course_import.Checker(_otec(request)).check_all([(1, {**cells, "codigocurso": code, "run": ""})])
    if row.problems:
        raise HttpError(400, "; ".join(f"{problem['column']}: {problem['remedy']}" for problem in row.problems))
    service.save_action(_otec(request), row, context_of(request))
    return ActionOut.of(_action(request, code))


def _parsed(runs: list[str]) -> list[str]:
    """Return RUNs as they are stored. Raises `HttpError` with the positions of invalid ones."""
    parsed, invalid = [], []
    for position, run in enumerate(runs, 1):
        try:
            parsed.append(str(Rut.parse(run)))
        except InvalidRut:
            invalid.append(str(position))
    if invalid:
        raise HttpError(400, f"RUN not valid at position {', '.join(invalid[:20])}; nothing was changed")
    return parsed


@api.post("/actions/{code}/enrolments", response={200: Changed, **TAKES}, operation_id="enrol")
def enrol(request: HttpRequest, code: Code, sent: RunsIn) -> Changed:
    """Enrol participants: all of them or, if any RUN is invalid, none."""
    action, runs = _action(request, code), _parsed(sent.runs)
    service.enrol(action, runs, context_of(request))
    return Changed(changed=len(runs))


@api.post("/actions/{code}/enrolments/remove", response={200: Changed, **TAKES}, operation_id="remove_enrolments")
def remove_enrolments(request: HttpRequest, code: Code, sent: RunsIn) -> Changed:
    """Remove participants from an action, keeping their attendance. RUNs are in the body because URLs get logged."""
    runs = _parsed(sent.runs)
    return Changed(changed=service.remove(_action(request, code), runs, context_of(request)))


@api.get("/actions/{code}/attendance", response={200: list[AttendanceOut], **FINDS}, operation_id="attendance")
def attendance(request: HttpRequest, code: Code) -> list[AttendanceOut]:
    """Return each participant's credited attendance."""
    rows = record.records(_action(request, code).enrolments.order_by("run"))
    return [
        AttendanceOut(run=row.enrolment.run, seconds=row.seconds, percent=row.percent, sessions=len(row.sessions))
        for row in rows
    ]


@api.get("/sessions/{session}", response={200: SessionOut, **FINDS}, operation_id="session")
def session(request: HttpRequest, session: SessionId) -> SessionOut:
    """Return a session of one of the OTEC's courses: authoritative, unlike what a participant's browser reports."""
    owned = SessionStart.objects.filter(enrolment__action__otec=_otec(request), public=session)
    opening = owned.select_related("ending", "enrolment__action").first()
    if opening is None:
        raise HttpError(404, "no such session")
    summary = record.Session.of(opening)
    return SessionOut(
        session=summary.public,
        run=opening.enrolment.run,
        action=opening.enrolment.action.code,
        state=summary.state,
        opened_at=summary.opened_at,
        limit_at=summary.limit_at,
        ended_at=summary.ended_at,
        seconds=summary.seconds,
    )


@api.post("/review", response={200: list[FindingOut], 429: Problem, **TAKES}, operation_id="review")
def review(request: HttpRequest, asked: ReviewIn) -> list[FindingOut]:
    """Check a roster before the course starts: the codes each RUN would get, and who has no Clave SENCE.

    The number of RUNs is rate-limited (429 with Retry-After); enrolled participants can see that they were checked.
    """
    fields = {name: str(text) for name, text in asked.model_dump(exclude={"runs"}).items()}
    findings = preflight.review(_otec(request), fields, asked.runs, context_of(request))
    return [
        FindingOut(run=finding.run, codes=finding.codes, has_key=finding.has_key, ready=finding.ready)
        for finding in findings
    ]


@api.post("/blocks", response={200: BlockOut, **TAKES}, operation_id="block")
def block(request: HttpRequest, asked: BlockIn) -> BlockOut:
    """Return the URL of a participant's *Asistencia SENCE* block, to be framed or linked; valid for twelve hours."""
    fields = {name: str(text) for name, text in asked.model_dump().items()}
    return BlockOut(url=blocks.address(request.token, {**fields, "RutOtec": _otec(request).rut}))  # type: ignore[attr-defined]


@api.get("/keys", auth=None, response=KeySet, operation_id="keys")
def keys(request: HttpRequest) -> dict[str, object]:
    """Return the public keys that verify receipts (a JWK set, RFC 7517)."""
    return public_keys()
