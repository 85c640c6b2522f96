"""Sending what is in the outbox. The outbox, not the task table, knows what is still to be sent."""

import random
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django_tasks import task

from clave.core import clock
from clave.core.timetable import every
from clave.courier import channels, pauses
from clave.courier.models import Message, State

log = structlog.get_logger(__name__)

# How long a worker may take to send one message before another worker takes it up again.
LEASE = timedelta(seconds=60)
FIRST_PAUSE, LONGEST_PAUSE = 5, 900


@task()
def deliver(message_id: str) -> str:
    """Send one message if it is due, and note what came of it."""
    message = _claim(UUID(message_id))
    if message is None:
        return "not due"
    try:
        channels.send(message)
    except Exception as error:  # whatever a gateway does, the message stays in the outbox
        if channels.is_fault_of_channel(error):
            pauses.note_failure(message.channel)
        _postpone(message, error)
        return "postponed"
    pauses.note_success(message.channel)
    _finish(message, State.SENT)
    return "sent"


@every(5)
@task()
def sweep() -> int:
    """Send what is due and no task is left for: a pause is over, or a worker was killed.

    What expires first goes first: keys, which live an hour, before notices, which live two days.
    """
    due = Message.objects.filter(state=State.PENDING, next_try_at__lte=clock.now())
    due = due.exclude(channel__in=pauses.paused()).order_by("expires_at")
    ids = list(due.values_list("pk", flat=True)[:200])
    for pk in ids:
        deliver.call(str(pk))
    return len(ids)


def _claim(pk: UUID) -> Message | None:
    """Take the message for as long as the lease; None if it is gone, not due, or another worker's."""
    now = clock.now()
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=pk, state=State.PENDING, next_try_at__lte=now).first()
        if message is None or message.channel in pauses.paused():
            return None
        if message.expires_at <= now:
            _finish(message, State.DEAD)
            log.error("message.expired", message=str(pk), template=message.template, tries=message.tries)
            return None
        message.tries += 1
        message.next_try_at = now + LEASE
        message.save(update_fields=["tries", "next_try_at"])
    return message


def _finish(message: Message, state: State) -> None:
    # The contents may hold a key: they go as soon as they are not needed.
    Message.objects.filter(pk=message.pk).update(
        state=state, sent_at=clock.now() if state == State.SENT else None, destination="", context="", last_error=""
    )


def _postpone(message: Message, error: Exception) -> None:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (message.tries - 1)) * random.uniform(0.8, 1.2)
    log.warning("message.postponed", message=str(message.pk), tries=message.tries, error=type(error).__name__)
    Message.objects.filter(pk=message.pk).update(
        next_try_at=clock.now() + timedelta(seconds=pause), last_error=type(error).__name__[:120]
    )
