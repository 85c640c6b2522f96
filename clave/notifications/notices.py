"""Notices that several rooms send; a full mailbox for today must not stop what they tell about."""

from contextlib import suppress

from clave.holders.models import Holder
from clave.notifications.outbox import TooManyMessages, send


def key_locked(holder: Holder | None) -> None:
    """Tell the holder, if there is one, that somebody tries keys or answers."""
    if holder is not None and holder.email:
        with suppress(TooManyMessages):
            send(holder, "key_locked", {"identifier": holder.display_name}, email=holder.email, quota="locked")
