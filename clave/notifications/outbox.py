"""The only way to send messages: write them to the outbox in the use case's transaction, for delivery afterwards.

Guarantee: a message whose transaction commits is never lost. It may be delivered more than once, always with the
same Message-ID (e-mail) or Idempotency-Key (SMS), because after a timeout there is no telling whether the other side
accepted it.
"""

import json
from collections.abc import Mapping
from datetime import timedelta

from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.lib.outcome import Refused
from clave.notifications.models import Message, State

EMAIL, SMS = "email", "sms"
# For each quota, per destination and day, so that nobody can flood a mailbox or phone (abuse cases 6 and 69).
DAILY = {EMAIL: 20, SMS: 8}
# Quotas counted per holder, so that activity on another account does not use up this one's. The first `ALWAYS` messages
# of a day always go; after that, what all holders together cause at one destination also counts.
PER_HOLDER_QUOTAS = frozenset({"recovery", "birth", "company", "desk"})
ALWAYS, TOGETHER = 3, 3
LIFE = timedelta(days=2)
LATE = timedelta(minutes=10)


class TooManyMessages(Refused):
    """This destination has used up its quota for today."""

    status = 429

    def __init__(self) -> None:
        super().__init__("too_many_messages")


def send(
    holder: Holder | None,
    template: str,
    context: Mapping[str, str],
    *,
    email: str = "",
    mobile: str = "",
    language: str = "",
    quota: str = "",
) -> list[str]:
    """Write a message to each given destination to the outbox; return the channels used.

    It is rendered in the holder's language, or in `language` if there is no holder. A message that carries a temporary
    key expires with the key (context `seconds`).

    `quota` names the daily quota that the message counts against, for messages that strangers can trigger
    (`registration`, `birth`, `locked`...); each is separate, so that none uses up another's. Without one the message
    always goes: it reports the holder's own action. An SMS over quota is dropped; an e-mail over quota raises
    `TooManyMessages` before anything is written.
    """
    if email and quota and _is_over_quota(EMAIL, email, quota, holder):
        raise TooManyMessages
    if mobile and quota and _is_over_quota(SMS, mobile, quota, holder):
        mobile = ""
    destinations = [(channel, to) for channel, to in ((EMAIL, email), (SMS, mobile)) if to]
    for channel, to in destinations:
        _enqueue(holder, template, context, channel, to, language, quota)
    return [channel for channel, _ in destinations]


def _is_over_quota(channel: str, to: str, quota: str, holder: Holder | None) -> bool:
    since = clock.now() - timedelta(days=1)
    sent = Message.objects.filter(destination_hash=_hash(channel, to), created_at__gt=since, quota=quota)
    if quota not in PER_HOLDER_QUOTAS or holder is None:
        return sent.count() >= DAILY[channel]
    by_holder = sent.filter(holder=str(holder.pk)).count()
    return by_holder >= DAILY[channel] or (by_holder >= ALWAYS and sent.count() >= TOGETHER * DAILY[channel])


def _hash(channel: str, destination: str) -> str:
    return keyed_hash("destination", channel, destination.lower())


def _enqueue(
    holder: Holder | None,
    template: str,
    context: Mapping[str, str],
    channel: str,
    to: str,
    language: str,
    quota: str,
) -> None:
    now = clock.now()
    life = timedelta(seconds=int(context["seconds"])) if "seconds" in context else LIFE
    Message.objects.create(
        channel=channel,
        template=template,
        quota=quota,
        language=language or (holder.language if holder else "es"),
        holder=str(holder.pk) if holder else "",
        destination=to,
        destination_hash=_hash(channel, to),
        context=json.dumps(dict(context)),
        created_at=now,
        expires_at=now + life,
        next_try_at=now,
    )


def late_messages() -> int:
    """Return how many messages have been pending for more than ten minutes."""
    return Message.objects.filter(state=State.PENDING, created_at__lt=clock.now() - LATE).count()
