"""The life of a session: opened, then closed, lost or abandoned. The only writer of the marks.

Source: flows.md, section 8. Times are UTC instants of this server, durations whole seconds; neither the client's
clock nor a change of Chile's has any part in them.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from clave.attendance.models import Correction, Ended, Ending, Opening, Running
from clave.audit import service as audit
from clave.core import clock
from clave.core.prepared import Lookup, insert
from clave.core.visit import SYSTEM
from clave.training.models import Enrolment, Token

_RUNNING = Lookup(
    lambda pk: Running.objects.select_for_update(of=("self",)).select_related("opening").filter(pk=pk), -1
)
_LOCK = Lookup(lambda opening: Running.objects.select_for_update().filter(opening=opening), -1)
_ENDING = Lookup(lambda pk: Ending.objects.filter(pk=pk), -1)
_CREDIT = """
SELECT (SELECT COALESCE(SUM(ending.seconds), 0) FROM attendance_ending ending
        JOIN attendance_opening opening ON opening.id = ending.opening_id WHERE opening.enrolment_id = %s)
     + (SELECT COALESCE(SUM(correction.seconds), 0) FROM attendance_correction correction
        JOIN attendance_opening opening ON opening.id = correction.opening_id WHERE opening.enrolment_id = %s)
"""


class AlreadyOpen(Exception):
    """The enrolment has a session open that can still be closed."""


def longest(line: int) -> timedelta:
    """Return how long a session of this line may last."""
    return timedelta(minutes=settings.RCE_SESSION_MINUTES[line])


def running(enrolment: Enrolment) -> Running | None:
    """Return the session that is open now and can still be closed."""
    found = Running.objects.select_related("opening").filter(pk=enrolment.pk, limit_at__gte=clock.now())
    return found.first()


@transaction.atomic
def open_session(enrolment: Enrolment, token: Token, client_session: str, address: str) -> Opening:
    """Open a session. One whose limit has passed is lost by this. Raises `AlreadyOpen`."""
    now = clock.now()
    before = _RUNNING.one(enrolment.pk)
    if before:
        if now <= before.limit_at:
            raise AlreadyOpen
        _end(before.opening, Ended.LOST, before.limit_at, 0)
    opening = Opening(
        enrolment=enrolment,
        token=token,
        client_session=client_session,
        opened_at=now,
        limit_at=now + longest(enrolment.action.line),
        address=address,
    )
    insert(opening)
    try:
        with transaction.atomic():
            insert(Running(enrolment=enrolment, opening=opening, limit_at=opening.limit_at))
    except IntegrityError:
        raise AlreadyOpen from None
    return opening


@transaction.atomic
def close(opening: Opening, address: str = "") -> Ending:
    """Close a session and return how it ended: closed now, or earlier, or lost because the limit had passed."""
    _LOCK.all(opening.pk)
    ended = _ENDING.one(opening.pk)
    if ended:
        return ended
    now = clock.now()
    if now > opening.limit_at:
        return _end(opening, Ended.LOST, opening.limit_at, 0)
    return _end(opening, Ended.CLOSED, now, max(0, int((now - opening.opened_at).total_seconds())), address)


@transaction.atomic
def abandon(opening: Opening, address: str = "") -> Ending:
    """Give a session up: it ends now and counts nothing."""
    _LOCK.all(opening.pk)
    ended = _ENDING.one(opening.pk)
    return ended or _end(opening, Ended.ABANDONED, clock.now(), 0, address)


def _end(opening: Opening, kind: Ended, at: datetime, seconds: int, address: str = "") -> Ending:
    ending = Ending(opening=opening, kind=kind, at=at, seconds=seconds, address=address)
    insert(ending)
    Running.objects.filter(opening=opening).delete()
    return ending


def lose_expired(most: int = 500) -> int:
    """Mark as lost what was not closed in time. Returns how many sessions that were."""
    late = Running.objects.filter(limit_at__lt=clock.now()).select_related("opening")[:most]
    return sum(close(each.opening).kind == Ended.LOST for each in late)


def correct(opening: Opening, seconds: int, reason: str, operator: str) -> Correction:
    """Add a correction to a session's credit: a new fact beside the marks, audited. Raises `ValueError`.

    With all its corrections a session is worth neither less than nothing nor more than its longest time.
    """
    ending = Ending.objects.filter(pk=opening.pk).first()
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
    with connection.cursor() as cursor:
        cursor.execute(_CREDIT, [enrolment.pk, enrolment.pk])
        return max(0, int(cursor.fetchone()[0]))
