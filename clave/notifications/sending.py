"""Sending what is in the outbox.

The worker runs a few senders for each channel, so that a mail server that hangs holds up no SMS, and a slow message not
every other one of its channel (abuse case 79). The outbox alone says what is still to be sent: a sender takes a message
for as long as a lease lasts, and whoever is killed meanwhile leaves it to the next.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import Error as DatabaseFault
from django.db import connection, transaction

from clave.lib import clock
from clave.notifications import channels, pauses
from clave.notifications.models import Message, State

log = structlog.get_logger(__name__)

CHANNELS = ("email", "sms")
SENDERS = 3  # of each channel in a worker
POLL_SECONDS = 0.5
# How long a sender may take for one message before another one takes it up again.
LEASE = timedelta(seconds=60)
FIRST_PAUSE, LONGEST_PAUSE = 5, 900
_BATCH = 50


def start_senders(stopping: threading.Event) -> list[threading.Thread]:
    """Send what is due, channel by channel, in threads of their own until told to stop."""
    threads = [threading.Thread(target=_send_until, args=(channel, stopping), daemon=True) for channel in CHANNELS]
    for thread in threads:
        thread.start()
    return threads


def _send_until(channel: str, stopping: threading.Event) -> None:
    with ThreadPoolExecutor(SENDERS, thread_name_prefix=channel) as pool:
        while not stopping.is_set():
            sent = 0
            try:
                due = _due(channel)
                sent = sum(pool.map(_deliver_apart, due))
            except DatabaseFault as error:
                log.warning("sender.store_failed", channel=channel, error=type(error).__name__)
            finally:
                connection.close()
            if not sent:
                stopping.wait(POLL_SECONDS)


def _deliver_apart(pk: UUID) -> bool:
    """Deliver in a thread of the pool, whose connection to the store goes back each time."""
    try:
        return deliver(pk)
    finally:
        connection.close()


def send_due() -> int:
    """Send what is due of every channel, one after the other; return how much was sent."""
    return sum(deliver(pk) for channel in CHANNELS for pk in _due(channel))


def _due(channel: str) -> list[UUID]:
    """Return what may be sent now. What expires first goes first: keys, which live an hour, before notices."""
    if channel in pauses.paused():
        return []
    due = Message.objects.filter(state=State.PENDING, channel=channel, next_try_at__lte=clock.now())
    return list(due.order_by("expires_at").values_list("pk", flat=True)[:_BATCH])


def deliver(pk: UUID) -> bool:
    """Send one message if it is due, and note what came of it. Returns whether it was sent."""
    message = _claim(pk)
    if message is None:
        return False
    try:
        channels.send(message)
    except Exception as error:  # whatever a gateway does, the message stays in the outbox
        if channels.is_fault_of_channel(error):
            pauses.note_failure(message.channel)
        _postpone(message, error)
        return False
    pauses.note_success(message.channel)
    _finish(message, State.SENT)
    return True


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
