"""Issue, annul and find sworn statements.

The OTEC issues first, from the day after the course ends, stating who passed and who failed; then each participant with
at least one credited session issues theirs. A course that spans the turn of the year may have a partial statement up to
31 December. Source: mission.md, section 8.
"""

import hashlib
import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from clave.attendance import record
from clave.attendance.record import CourseRecord
from clave.audit import service as audit
from clave.holders.models import Holder, Profile
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.statements.models import VALID, Counter, Kind, State, Statement
from clave.training.models import Action
from clave.training.models import State as ActionState

FOLIO = re.compile(r"[0-9]{1,9}-[0-9]{4}")
SETTLE_WITHIN, PAPERS_WITHIN = timedelta(days=60), timedelta(days=40)
REMIND_AGAIN = timedelta(hours=20)
PASSED, FAILED = "aprobado", "reprobado"


class NotYet(Refused):
    """It is too early, or the training body has not issued its statement yet."""

    status = 403

    def __init__(self, message: str) -> None:
        super().__init__("statement_not_yet", message)


class NothingToState(Refused):
    """The participant has no credited session, or did not complete the course."""

    status = 403

    def __init__(self) -> None:
        super().__init__("nothing_to_state", _("No tiene sesiones acreditadas que declarar en este curso."))


class AlreadyIssued(Refused):
    """A valid statement already exists."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_issued", _("Ya hay una declaración vigente para este curso."))


class ActionAnnulled(Refused):
    """The action was annulled: no statements can be issued. Existing ones stay readable and show the annulment."""

    status = 409

    def __init__(self) -> None:
        super().__init__("action_annulled", _("Esta acción fue anulada: no se puede emitir una declaración."))


def deadlines(action: Action) -> dict[str, date]:
    """Return the last days for submitting papers to the intermediary and for settling the course."""
    return {"papers": action.ends + PAPERS_WITHIN, "settle": action.ends + SETTLE_WITHIN}


def period(action: Action) -> tuple[date, bool] | None:
    """Return the day up to which a statement may be issued now and whether it is partial; None if it is too early."""
    today = clock.today()
    if today > action.ends:
        return action.ends, False
    year_end = date(today.year - 1, 12, 31)
    return (year_end, True) if action.starts <= year_end else None


def records_until(action: Action, until: date) -> list[CourseRecord]:
    """Return each participant's attendance record up to a calendar day in Santiago."""
    records = record.records(action.enrolments.filter(removed_at=None).order_by("run"))
    for row in records:
        row.sessions = [s for s in row.sessions if s.opened_at.astimezone(clock.SANTIAGO).date() <= until]
    return records


def _about(action: Action, until: date, partial: bool) -> dict[str, object]:
    return {
        "course": action.name,
        "action": action.code,
        "cod_sence": action.cod_sence,
        "line": action.line,
        "hours": action.hours,
        "starts": action.starts.isoformat(),
        "ends": action.ends.isoformat(),
        "until": until.isoformat(),
        "partial": partial,
        "otec": action.otec.name,
        "otec_rut": action.otec.rut,
        "threshold": settings.STATEMENT_PERCENT[action.line],
    }


def issue_for_otec(
    action: Action, results: dict[str, str], holder: Holder, person: str, context: RequestContext
) -> Statement:
    """Issue the OTEC's statement; `results` maps RUNs to passed or failed and omits those who did not finish.

    Raises `ActionAnnulled`, `NotYet`, `AlreadyIssued`.
    """
    when = period(action)
    if when is None:
        raise NotYet(_("La declaración se emite desde el día siguiente al término del curso."))
    until, partial = when
    rows = []
    for row in records_until(action, until):
        result = results.get(row.enrolment.run)
        if result in (PASSED, FAILED):
            rows.append({"run": row.enrolment.run, "result": result, "seconds": row.seconds, "percent": row.percent})
    data = {**_about(action, until, partial), "rows": rows, "person": person}
    return _issue(Kind.OTEC, action, "", until, partial, data, holder, context)


def require_in_force(action: Action) -> None:
    """Raise `ActionAnnulled` if no statements can be issued about this action."""
    if action.state == ActionState.ANNULLED:
        raise ActionAnnulled


def _otec_statement(action: Action) -> Statement:
    statement = Statement.objects.filter(kind=Kind.OTEC, action=action, state__in=VALID).order_by("-until").first()
    if statement is None:
        raise NotYet(_("Su organismo de capacitación todavía no emite su declaración."))
    return statement


def summary(action: Action, run: str) -> dict[str, Any]:
    """Return the content of a participant's statement. Raises `ActionAnnulled`, `NotYet`, `NothingToState`."""
    require_in_force(action)
    otec = _otec_statement(action)
    listed = next((row for row in otec.data["rows"] if row["run"] == run), None)
    own = next((row for row in records_until(action, otec.until) if row.enrolment.run == run), None)
    credited = [session for session in own.sessions if session.seconds] if own else []
    if listed is None or own is None or not credited:
        raise NothingToState
    return {
        **_about(action, otec.until, otec.partial),
        "result": listed["result"],
        "seconds": own.seconds,
        "percent": own.percent,
        "sessions": len(credited),
    }


def issue_for_participant(
    action: Action, holder: Holder, profession: str, address: str, context: RequestContext
) -> Statement:
    """Issue a participant's statement. Raises `ActionAnnulled`, `NotYet`, `NothingToState`, `AlreadyIssued`."""
    facts = summary(action, holder.identifier)
    person = {"name": holder.full_name, "profession": profession, "address": address}
    until, partial = date.fromisoformat(facts["until"]), bool(facts["partial"])
    return _issue(Kind.PARTICIPANT, action, holder.identifier, until, partial, {**facts, **person}, holder, context)


def _issue(
    kind: Kind,
    action: Action,
    run: str,
    until: date,
    partial: bool,
    data: dict[str, object],
    holder: Holder,
    context: RequestContext,
) -> Statement:
    now = clock.now()
    year = clock.today().year
    same = Statement.objects.filter(kind=kind, action=action, run=run, until=until)
    try:
        with transaction.atomic():
            # Read again and lock: the action may have been annulled in the meantime.
            require_in_force(Action.objects.select_for_update(no_key=True).get(pk=action.pk))
            Counter.objects.get_or_create(year=year)
            Counter.objects.filter(year=year).update(last=F("last") + 1)
            number = Counter.objects.get(year=year).last
            same.filter(state=State.APPROVED).update(state=State.ANNULLED)
            about = {"kind": kind, "action": action, "run": run, "until": until, "partial": partial, "data": data}
            statement = Statement.objects.create(year=year, number=number, issued_at=now, **about)
            audit.record("statement.issued", context, holder=holder, folio=statement.folio, kind=kind.value)
    except IntegrityError:
        raise AlreadyIssued from None
    return statement


def find(folio: str) -> Statement | None:
    """Return the statement with this folio, `number-year`."""
    if not FOLIO.fullmatch(folio):
        return None
    number, year = map(int, folio.split("-"))
    return Statement.objects.select_related("action__otec").filter(year=year, number=number).first()


def find_paper(content: bytes) -> Statement | None:
    """Return the statement whose signed PDF this is, byte for byte."""
    digest = hashlib.sha256(content).hexdigest()
    return Statement.objects.select_related("action__otec").filter(digest=digest).first()


def request_annulment(statement: Statement, reason: str, holder: Holder, context: RequestContext) -> None:
    """Request that a valid statement be annulled so that it can be reissued. Raises `ActionAnnulled`."""
    with transaction.atomic():
        require_in_force(statement.action)
        valid = Statement.objects.filter(pk=statement.pk, state__in=(State.ISSUED, State.REJECTED))
        if valid.update(state=State.REQUESTED, reason=reason):
            audit.record("statement.annulment", context, holder=holder, folio=statement.folio)


def decide(statement: Statement, approve: bool, decision: str, context: RequestContext, operator: str) -> bool:
    """Decide a request for annulment as an operator. Return whether there was one."""
    state = State.APPROVED if approve else State.REJECTED
    with transaction.atomic():
        requested = Statement.objects.filter(pk=statement.pk, state=State.REQUESTED)
        changed = requested.update(state=state, decision=decision)
        if changed:
            audit.record("statement.decided", context, outcome=state.value, folio=statement.folio, operator=operator)
    return bool(changed)


def remind(action: Action, issued: Statement) -> int | None:
    """Send an e-mail reminder to participants who have not issued their statement. Return the number sent.

    Limited to once a day because of the daily mail quota per person; a call within that time sends nothing and returns
    None. Raises `ActionAnnulled`.
    """
    require_in_force(action)
    now = clock.now()
    unreminded = Q(reminded_at=None) | Q(reminded_at__lt=now - REMIND_AGAIN)
    if not Statement.objects.filter(unreminded, pk=issued.pk).update(reminded_at=now):
        return None
    done = Statement.objects.filter(kind=Kind.PARTICIPANT, action=action, until=issued.until, state__in=VALID)
    pending = {row["run"] for row in issued.data["rows"]} - set(done.values_list("run", flat=True))
    variables = {"course": action.name, "until": deadlines(action)["settle"].strftime("%d-%m-%Y")}
    sent = 0
    for holder in Holder.objects.filter(profile=Profile.PERSONA_NATURAL, identifier__in=pending).exclude(email=""):
        with suppress(outbox.TooManyMessages):
            outbox.send(holder, "statement_reminder", variables, email=holder.email, quota="reminder")
            sent += 1
    return sent
