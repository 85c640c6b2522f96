"""Delivery of messages from the outbox.

The worker runs several senders per channel, so that an unresponsive mail server does not hold up SMS, nor a slow
message every other one of its channel (abuse case 79). The outbox is the only source of truth: a sender claims a
message for the duration of a lease, and if it is killed, another takes over.
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
SENDERS = 3  # per channel and worker
POLL_SECONDS = 0.5
# How long a sender may hold a message before another one retries it.
LEASE = timedelta(seconds=60)
FIRST_PAUSE, LONGEST_PAUSE = 5, 900
_BATCH = 50


def start_senders(stopping: threading.Event) -> list[threading.Thread]:
    """Start one thread per channel that sends due messages until `stopping` is set; return the threads."""
    threads = [threading.Thread(target=_run_sender, args=(channel, stopping), daemon=True) for channel in CHANNELS]
    for thread in threads:
        thread.start()
    return threads


def _run_sender(channel: str, stopping: threading.Event) -> None:
    with ThreadPoolExecutor(SENDERS, thread_name_prefix=channel) as pool:
        while not stopping.is_set():
            sent = 0
            try:
                due = _due(channel)
                sent = sum(pool.map(_deliver_in_thread, due))
            except DatabaseFault as error:
                log.warning("sender.store_failed", channel=channel, error=type(error).__name__)
            finally:
                connection.close()
            if not sent:
                stopping.wait(POLL_SECONDS)


def _deliver_in_thread(pk: UUID) -> bool:
    """Deliver in a pool thread, closing its database connection afterwards."""
    try:
        return deliver(pk)
    finally:
        connection.close()


def send_due() -> int:
    """Send the due messages of all channels, one after another; return how many were sent."""
    return sum(deliver(pk) for channel in CHANNELS for pk in _due(channel))


def _due(channel: str) -> list[UUID]:
    """Return the messages to send now, earliest expiry first: keys, valid for an hour, go before notices."""
    if channel in pauses.paused():
        return []
    due = Message.objects.filter(state=State.PENDING, channel=channel, next_try_at__lte=clock.now())
    return list(due.order_by("expires_at").values_list("pk", flat=True)[:_BATCH])


def deliver(pk: UUID) -> bool:
    """Send one message if it is due, and record the result. Return whether it was sent."""
    message = _claim(pk)
    if message is None:
        return False
    try:
        channels.send(message)
    except Exception as error:  # whatever a gateway raises, the message must stay in the outbox
        if channels.is_fault_of_channel(error):
            pauses.note_failure(message.channel)
        _postpone(message, error)
        return False
    pauses.note_success(message.channel)
    _finish(message, State.SENT)
    return True


def _claim(pk: UUID) -> Message | None:
    """Claim a message for the duration of the lease; None if it is gone, not due, or claimed by another worker."""
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
    # The content may include a key: delete it as soon as it is not needed.
    Message.objects.filter(pk=message.pk).update(
        state=state, sent_at=clock.now() if state == State.SENT else None, destination="", context="", last_error=""
    )


def _postpone(message: Message, error: Exception) -> None:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (message.tries - 1)) * random.uniform(0.8, 1.2)
    log.warning("message.postponed", message=str(message.pk), tries=message.tries, error=type(error).__name__)
    Message.objects.filter(pk=message.pk).update(
        next_try_at=clock.now() + timedelta(seconds=pause), last_error=type(error).__name__[:120]
    )
