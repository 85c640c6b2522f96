"""Issuing, annulling and finding sworn statements.

The OTEC issues first, from the day after the course's end, saying who passed and who failed; then each participant
with at least one credited session issues theirs. A course that crosses the year may have a partial statement up to
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
    """It is too early, or the training body has not issued its statement."""

    status = 403

    def __init__(self, message: str) -> None:
        super().__init__("statement_not_yet", message)


class NothingToState(Refused):
    """The participant has no credited session, or did not complete the course."""

    status = 403

    def __init__(self) -> None:
        super().__init__("nothing_to_state", _("No tiene sesiones acreditadas que declarar en este curso."))


class AlreadyIssued(Refused):
    """There is a valid statement already."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_issued", _("Ya hay una declaración vigente para este curso."))


class ActionAnnulled(Refused):
    """The action was annulled: nobody states about it. Statements made before stay readable, and say so."""

    status = 409

    def __init__(self) -> None:
        super().__init__("action_annulled", _("Esta acción fue anulada: no se puede emitir una declaración."))


def deadlines(action: Action) -> dict[str, date]:
    """Return until when the intermediary takes papers and until when the course must be settled."""
    return {"papers": action.ends + PAPERS_WITHIN, "settle": action.ends + SETTLE_WITHIN}


def period(action: Action) -> tuple[date, bool] | None:
    """Return up to which day a statement may be issued today and whether it is partial; None if it is too early."""
    today = clock.today()
    if today > action.ends:
        return action.ends, False
    year_end = date(today.year - 1, 12, 31)
    return (year_end, True) if action.starts <= year_end else None


def records_until(action: Action, until: date) -> list[CourseRecord]:
    """Return each participant's marks up to a day of Santiago's calendar."""
    found = record.records(action.enrolments.filter(removed_at=None).order_by("run"))
    for each in found:
        each.sessions = [s for s in each.sessions if s.opened_at.astimezone(clock.SANTIAGO).date() <= until]
    return found


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
    """Issue the OTEC's statement; `results` maps RUNs to passed or failed, who did not finish is left out.

    Raises `ActionAnnulled`, `NotYet`, `AlreadyIssued`.
    """
    when = period(action)
    if when is None:
        raise NotYet(_("La declaración se emite desde el día siguiente al término del curso."))
    until, partial = when
    rows = []
    for each in records_until(action, until):
        result = results.get(each.enrolment.run)
        if result in (PASSED, FAILED):
            facts = {"seconds": each.seconds, "percent": each.percent}
            rows.append({"run": each.enrolment.run, "result": result, **facts})
    data = {**_about(action, until, partial), "rows": rows, "person": person}
    return _issue(Kind.OTEC, action, "", until, partial, data, holder, context)


def require_in_force(action: Action) -> None:
    """Raise `ActionAnnulled` if nobody may state about this action."""
    if action.state == ActionState.ANNULLED:
        raise ActionAnnulled


def _body_statement(action: Action) -> Statement:
    found = Statement.objects.filter(kind=Kind.OTEC, action=action, state__in=VALID).order_by("-until").first()
    if found is None:
        raise NotYet(_("Su organismo de capacitación todavía no emite su declaración."))
    return found


def summary(action: Action, run: str) -> dict[str, Any]:
    """Return what a participant would state. Raises `ActionAnnulled`, `NotYet`, `NothingToState`."""
    require_in_force(action)
    otec = _body_statement(action)
    listed = next((row for row in otec.data["rows"] if row["run"] == run), None)
    mine = next((each for each in records_until(action, otec.until) if each.enrolment.run == run), None)
    credited = [session for session in mine.sessions if session.seconds] if mine else []
    if listed is None or mine is None or not credited:
        raise NothingToState
    return {
        **_about(action, otec.until, otec.partial),
        "result": listed["result"],
        "seconds": mine.seconds,
        "percent": mine.percent,
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
            # Read again and held: it may have been annulled while somebody signed.
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
    """Ask that a valid statement be annulled, to be issued again. Raises `ActionAnnulled`."""
    with transaction.atomic():
        require_in_force(statement.action)
        valid = Statement.objects.filter(pk=statement.pk, state__in=(State.ISSUED, State.REJECTED))
        if valid.update(state=State.REQUESTED, reason=reason):
            audit.record("statement.annulment", context, holder=holder, folio=statement.folio)


def decide(statement: Statement, approve: bool, decision: str, context: RequestContext, operator: str) -> bool:
    """Answer a request for annulment, as an operator. Returns whether there was one."""
    state = State.APPROVED if approve else State.REJECTED
    with transaction.atomic():
        asked = Statement.objects.filter(pk=statement.pk, state=State.REQUESTED)
        changed = asked.update(state=state, decision=decision)
        if changed:
            audit.record("statement.decided", context, outcome=state.value, folio=statement.folio, operator=operator)
    return bool(changed)


def remind(action: Action, issued: Statement) -> int | None:
    """Remind by e-mail who could issue a statement and has not. Returns how many were written to.

    Once a day, because a person's mails of a day are counted: more than that returns None and sends nothing.
    Raises `ActionAnnulled`.
    """
    require_in_force(action)
    now = clock.now()
    unreminded = Q(reminded_at=None) | Q(reminded_at__lt=now - REMIND_AGAIN)
    if not Statement.objects.filter(unreminded, pk=issued.pk).update(reminded_at=now):
        return None
    done = Statement.objects.filter(kind=Kind.PARTICIPANT, action=action, until=issued.until, state__in=VALID)
    waiting = {row["run"] for row in issued.data["rows"]} - set(done.values_list("run", flat=True))
    context = {"course": action.name, "until": deadlines(action)["settle"].strftime("%d-%m-%Y")}
    written = 0
    for holder in Holder.objects.filter(profile=Profile.PERSONA_NATURAL, identifier__in=waiting).exclude(email=""):
        with suppress(outbox.TooManyMessages):
            outbox.send(holder, "statement_reminder", context, email=holder.email, quota="reminder")
            written += 1
    return written
