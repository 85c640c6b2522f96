"""Periodic tasks of attendance: record lost sessions, warn before the limit."""

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django_tasks import task

from clave.attendance import sessions
from clave.attendance.models import ActiveSession, WarningOptOut
from clave.holders.service import find_person
from clave.lib import clock
from clave.lib.rut import Rut
from clave.lib.schedule import every
from clave.notifications import outbox
from clave.notifications.outbox import TooManyMessages

WARNING = timedelta(minutes=10)


@every(30)
@task()
def watch() -> int:
    """Record overdue sessions as lost and warn of limits ten minutes away. Return how many were lost."""
    soon = ActiveSession.objects.filter(warned=False, limit_at__lte=clock.now() + WARNING, limit_at__gte=clock.now())
    for running in soon.select_related("opening", "enrolment__action")[:500]:
        warn(running)
    return sessions.expire_overdue()


@transaction.atomic
def warn(running: ActiveSession) -> None:
    """Warn a participant, once, of the time by which the session must be closed, with a link to close it."""
    if not ActiveSession.objects.filter(pk=running.pk, opening=running.opening_id, warned=False).update(warned=True):
        return
    run = running.enrolment.run
    holder = None if WarningOptOut.objects.filter(run=run).exists() else find_person(Rut.parse(run))
    if holder is None:
        return
    context = {
        "course": running.enrolment.action.name,
        "until": running.limit_at.astimezone(clock.SANTIAGO).strftime("%H:%M"),
        "link": settings.CLAVE_URL + reverse("attendance_close", args=[running.opening.public]),
        "seconds": str(max(1, int((running.limit_at - clock.now()).total_seconds()))),
    }
    for destination in ({"email": holder.email}, {"mobile": holder.mobile}):
        with suppress(TooManyMessages):
            outbox.send(holder, "session_ending", context, **destination)
