"""The only door out: messages are written to the outbox in the use case's transaction and sent later.

What is promised: a message whose transaction commits is never lost; it may arrive more than once, always
with the same Message-ID (e-mail) or Idempotency-Key (SMS), because after a time-out nobody can know
whether the other side took it.
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
# Of each quota, per destination and day: nobody's mailbox or phone is flooded from here (abuse cases 6 and 69).
DAILY = {EMAIL: 20, SMS: 8}
# Shares that each holder has for itself: somebody else's account must not use up this one's. The first few of a day
# always go; beyond those, what all holders cause at one destination counts too.
OF_EACH_HOLDER = frozenset({"recovery", "birth", "company", "desk"})
ALWAYS, TOGETHER = 3, 3
LIFE = timedelta(days=2)
LATE = timedelta(minutes=10)


class TooManyMessages(Refused):
    """This destination has had its share for today."""

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
    """Put a message to each destination given into the outbox; return the channels.

    It speaks the holder's language, or `language` to who is no holder.
    `life` of a message that carries a temporary key ends with the key (context `seconds`).

    `quota` names the share of a day that the message counts against, for what strangers may cause (`registration`,
    `birth`, `locked`...); each has its own, so that none uses up another's. Without one the message always goes: it
    tells a holder what the holder has done. An SMS beyond its share is left out; an e-mail beyond it raises
    `TooManyMessages`, before anything is written.
    """
    if email and quota and _is_used_up(EMAIL, email, quota, holder):
        raise TooManyMessages
    if mobile and quota and _is_used_up(SMS, mobile, quota, holder):
        mobile = ""
    wanted = [(channel, to) for channel, to in ((EMAIL, email), (SMS, mobile)) if to]
    for channel, to in wanted:
        _post(holder, template, context, channel, to, language, quota)
    return [channel for channel, _ in wanted]


def _is_used_up(channel: str, to: str, quota: str, holder: Holder | None) -> bool:
    since = clock.now() - timedelta(days=1)
    sent = Message.objects.filter(destination_hash=_hash(channel, to), created_at__gt=since, quota=quota)
    if quota not in OF_EACH_HOLDER or holder is None:
        return sent.count() >= DAILY[channel]
    own = sent.filter(holder=str(holder.pk)).count()
    return own >= DAILY[channel] or (own >= ALWAYS and sent.count() >= TOGETHER * DAILY[channel])


def _hash(channel: str, destination: str) -> str:
    return keyed_hash("destination", channel, destination.lower())


def _post(
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
    """Return how many messages have waited more than ten minutes."""
    return Message.objects.filter(state=State.PENDING, created_at__lt=clock.now() - LATE).count()
