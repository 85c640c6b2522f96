"""The life of a session: opened, then closed, lost or abandoned. The only writer of the marks.

Source: flows.md, section 8. Times are UTC instants of this server, durations whole seconds; neither the client's
clock nor a change of Chile's has any part in them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from clave.attendance.models import ActiveSession, Correction, EndKind, SessionEnd, SessionStart
from clave.audit import service as audit
from clave.db.hot_queries import Asked, Lookup, deleting, inserting, numbering, together
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.training.models import Enrolment, Token

_RUNNING = Lookup(
    lambda run, code: (
        ActiveSession.objects.select_for_update(of=("self",))
        .select_related("opening")
        .filter(enrolment__run=run, enrolment__action__code=code)
    ),
    "run",
    "code",
)
_LOCK = Lookup(
    lambda public: ActiveSession.objects.select_for_update(of=("self",)).filter(opening__public=public), "public"
)
_ENDING = Lookup(lambda pk: SessionEnd.objects.filter(pk=pk), -1)
_CREDIT = """
SELECT COALESCE(SUM(ending.seconds), 0) + COALESCE(SUM(
         (SELECT SUM(correction.seconds) FROM attendance_correction correction WHERE correction.opening_id = opening.id)
       ), 0)
FROM training_enrolment place
JOIN training_action action ON action.id = place.action_id
JOIN attendance_sessionstart opening ON opening.enrolment_id = place.id
LEFT JOIN attendance_sessionend ending ON ending.opening_id = opening.id
WHERE place.run = %s AND action.code = %s
"""


# What is to be stored together with a mark.
Told = Callable[[Any], Sequence[Asked]]


def _nothing(_mark: Any) -> Sequence[Asked]:
    return ()


class AlreadyOpen(Exception):
    """The enrolment has a session open that can still be closed."""


def longest(line: int) -> timedelta:
    """Return how long a session of this line may last."""
    return timedelta(minutes=settings.RCE_SESSION_MINUTES[line])


def running(enrolment: Enrolment) -> ActiveSession | None:
    """Return the session that is open now and can still be closed."""
    found = ActiveSession.objects.select_related("opening").filter(pk=enrolment.pk, limit_at__gte=clock.now())
    return found.first()


def locking_running(run: str, code: str) -> Asked:
    """Return the question for the session that a participant has open in an action; it stays as it is meanwhile."""
    return _RUNNING.ask(run, code)


def locking(public: str) -> Asked:
    """Return the question that keeps everybody else from ending a session meanwhile."""
    return _LOCK.ask(public)._replace(read=lambda _answer: None)


@transaction.atomic
def open_session(enrolment: Enrolment, token: Token, client_session: str, address: str) -> SessionStart:
    """Open a session. One whose limit has passed is lost by this. Raises `AlreadyOpen`."""
    before, number = together(locking_running(enrolment.run, enrolment.action.code), numbering(SessionStart))
    return open_after(before, number, enrolment, token, client_session, address)


def open_after(
    running: Sequence[ActiveSession],
    number: int,
    enrolment: Enrolment,
    token: Token,
    client_session: str,
    address: str,
    told: Told = _nothing,
) -> SessionStart:
    """Open a session, as row `number`, after what is running, as `locking_running` found it, with what tells of it.

    Call it inside a transaction, which is lost when this raises `AlreadyOpen`.
    """
    now = clock.now()
    for before in running:
        if now <= before.limit_at:
            raise AlreadyOpen
        _end(before.opening, EndKind.LOST, before.limit_at, 0)
    opening = SessionStart(
        id=number,
        enrolment=enrolment,
        token=token,
        client_session=client_session,
        opened_at=now,
        limit_at=now + longest(enrolment.action.line),
        address=address,
    )
    pointer = ActiveSession(enrolment=enrolment, opening=opening, limit_at=opening.limit_at)
    try:
        together(inserting(opening), inserting(pointer), *told(opening))
    except IntegrityError:
        raise AlreadyOpen from None
    return opening


@transaction.atomic
def close(opening: SessionStart, address: str = "") -> SessionEnd:
    """Close a session and return how it ended: closed now, or earlier, or lost because the limit had passed."""
    _locked, ended = together(locking(opening.public), _ENDING.ask(opening.pk))
    return ended[0] if ended else close_locked(opening, address)


def close_locked(opening: SessionStart, address: str, told: Told = _nothing) -> SessionEnd:
    """Close a session that is locked and has not ended, with what tells of it if it is closed in time."""
    now = clock.now()
    if now > opening.limit_at:
        return _end(opening, EndKind.LOST, opening.limit_at, 0)
    seconds = max(0, int((now - opening.opened_at).total_seconds()))
    return _end(opening, EndKind.CLOSED, now, seconds, address, told)


@transaction.atomic
def abandon(opening: SessionStart, address: str = "") -> SessionEnd:
    """Give a session up: it ends now and counts nothing."""
    _locked, ended = together(locking(opening.public), _ENDING.ask(opening.pk))
    return ended[0] if ended else _end(opening, EndKind.ABANDONED, clock.now(), 0, address)


def _end(
    opening: SessionStart, kind: EndKind, at: datetime, seconds: int, address: str = "", told: Told = _nothing
) -> SessionEnd:
    ending = SessionEnd(opening=opening, kind=kind, at=at, seconds=seconds, address=address)
    together(inserting(ending), deleting(ActiveSession, opening=opening.pk), *told(ending))
    return ending


def lose_expired(most: int = 500) -> int:
    """Mark as lost what was not closed in time. Returns how many sessions that were."""
    late = ActiveSession.objects.filter(limit_at__lt=clock.now()).select_related("opening")[:most]
    return sum(close(each.opening).kind == EndKind.LOST for each in late)


def correct(opening: SessionStart, seconds: int, reason: str, operator: str) -> Correction:
    """Add a correction to a session's credit: a new fact beside the marks, audited. Raises `ValueError`.

    With all its corrections a session is worth neither less than nothing nor more than its longest time.
    """
    ending = SessionEnd.objects.filter(pk=opening.pk).first()
    before = opening.corrections.aggregate(total=Coalesce(Sum("seconds"), 0))["total"]
    worth = (ending.seconds if ending else 0) + int(before) + seconds
    most = int((opening.limit_at - opening.opened_at).total_seconds())
    if ending is None or not 0 <= worth <= most or not reason.strip() or not operator.strip():
        raise ValueError(f"needs a session that has ended, a reason, an operator and a credit from 0 to {most} seconds")
    with transaction.atomic():
        audit.record("attendance.corrected", SYSTEM, session=opening.public, seconds=seconds, operator=operator)
        return Correction.objects.create(
            opening=opening, seconds=seconds, reason=reason, operator=operator, at=clock.now()
        )


def credited(enrolment: Enrolment) -> int:
    """Return the seconds a participant has to its credit in an action, corrections included."""
    return cast(int, together(crediting(enrolment.run, enrolment.action.code))[0])


def crediting(run: str, code: str) -> Asked:
    """Return the question for `credited`, to be put to the store together with others."""
    return Asked((_CREDIT, [run, code]), lambda answer: max(0, int(answer.rows[0][0])))
