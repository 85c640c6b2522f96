"""Life cycle of a session: opened, then closed, lost or abandoned. The only module that writes marks.

Source: mission.md, section 8. Times are UTC instants of this server, durations whole seconds: neither the client's
clock nor Chile's daylight saving time affects them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from clave.attendance.models import ActiveSession, Correction, EndKind, SessionEnd, SessionStart
from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.training.models import Enrolment, Token

_ACTIVE = Lookup(
    lambda enrolment: (
        ActiveSession.objects.select_for_update(of=("self",)).select_related("opening").filter(enrolment=enrolment)
    ),
    -1,
)
_ENDING = Lookup(lambda pk: SessionEnd.objects.filter(pk=pk), -1)
_CREDIT = """
SELECT COALESCE(SUM(ending.seconds), 0) + COALESCE(SUM(
         (SELECT SUM(correction.seconds) FROM attendance_correction correction WHERE correction.opening_id = opening.id)
       ), 0)
FROM attendance_sessionstart opening
LEFT JOIN attendance_sessionend ending ON ending.opening_id = opening.id
WHERE opening.enrolment_id = %s
"""


class AlreadyOpen(Exception):
    """The enrolment has an open session that can still be closed."""


def max_duration(line: int) -> timedelta:
    """Return the maximum duration of a session for this programme line."""
    return timedelta(minutes=settings.RCE_SESSION_MINUTES[line])


def active(enrolment: Enrolment) -> ActiveSession | None:
    """Return the session that is open now and can still be closed."""
    unexpired = ActiveSession.objects.select_related("opening").filter(pk=enrolment.pk, limit_at__gte=clock.now())
    return unexpired.first()


@transaction.atomic
def open_session(enrolment: Enrolment, token: Token, client_session: str, address: str) -> SessionStart:
    """Open a session; an open one past its limit is recorded as lost. Raises `AlreadyOpen`.

    Source: rce-protocol.md, section 1.
    """
    now = clock.now()
    active = _ACTIVE.one(enrolment.pk)
    if active and now <= active.limit_at:
        raise AlreadyOpen
    if active:
        _end(active.opening, EndKind.LOST, active.limit_at, 0)
    opening = SessionStart(
        enrolment=enrolment,
        token=token,
        client_session=client_session,
        opened_at=now,
        limit_at=now + max_duration(enrolment.action.line),
        address=address,
    )
    opening.save(force_insert=True)
    try:
        ActiveSession(enrolment=enrolment, opening=opening, limit_at=opening.limit_at).save(force_insert=True)
    except IntegrityError:  # a concurrent request opened one
        raise AlreadyOpen from None
    return opening


@transaction.atomic(savepoint=False)
def close(opening: SessionStart, address: str = "") -> SessionEnd:
    """Close a session and return its end: closed now or earlier, or lost because the limit had passed."""
    if ended := _ended(opening):
        return ended
    now = clock.now()
    if now > opening.limit_at:
        return _end(opening, EndKind.LOST, opening.limit_at, 0)
    seconds = max(0, int((now - opening.opened_at).total_seconds()))
    return _end(opening, EndKind.CLOSED, now, seconds, address)


@transaction.atomic(savepoint=False)
def abandon(opening: SessionStart, address: str = "") -> SessionEnd:
    """Abandon a session: it ends now and earns no credit."""
    return _ended(opening) or _end(opening, EndKind.ABANDONED, clock.now(), 0, address)


def _ended(opening: SessionStart) -> SessionEnd | None:
    """Return a session's end; if there is none, lock out concurrent endings until this transaction is over."""
    active = _ACTIVE.one(opening.enrolment_id)
    return None if active and active.opening_id == opening.pk else _ENDING.one(opening.pk)


def _end(opening: SessionStart, kind: EndKind, at: datetime, seconds: int, address: str = "") -> SessionEnd:
    ending = SessionEnd(opening=opening, kind=kind, at=at, seconds=seconds, address=address)
    ending.save(force_insert=True)
    ActiveSession.objects.filter(opening=opening).delete()
    return ending


def expire_overdue(most: int = 500) -> int:
    """Record overdue sessions as lost, up to `most` of them; return how many were."""
    overdue = ActiveSession.objects.filter(limit_at__lt=clock.now()).select_related("opening")[:most]
    return sum(close(session.opening).kind == EndKind.LOST for session in overdue)


def correct(opening: SessionStart, seconds: int, reason: str, operator: str) -> Correction:
    """Record a correction of a session's credit: a new fact beside the marks, audited. Raises `ValueError`.

    Including all corrections, a session's credit must lie between zero and its maximum duration.
    """
    ending = SessionEnd.objects.filter(pk=opening.pk).first()
    before = opening.corrections.aggregate(total=Coalesce(Sum("seconds"), 0))["total"]
    credit = (ending.seconds if ending else 0) + int(before) + seconds
    maximum = int((opening.limit_at - opening.opened_at).total_seconds())
    if ending is None or not 0 <= credit <= maximum or not reason.strip() or not operator.strip():
        raise ValueError(
            f"needs a session that has ended, a reason, an operator and a credit from 0 to {maximum} seconds"
        )
    with transaction.atomic():
        audit.record("attendance.corrected", SYSTEM, session=opening.public, seconds=seconds, operator=operator)
        return Correction.objects.create(
            opening=opening, seconds=seconds, reason=reason, operator=operator, at=clock.now()
        )


def credited(enrolment: Enrolment) -> int:
    """Return the seconds credited to a participant in an action, including corrections."""
    with connection.cursor() as cursor:
        cursor.execute(_CREDIT, [enrolment.pk])
        return max(0, int(cursor.fetchone()[0]))
