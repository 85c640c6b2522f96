"""Notices sent by several packages; an exhausted quota must not fail the action they report."""

from contextlib import suppress

from clave.holders.models import Holder
from clave.notifications.outbox import TooManyMessages, send


def key_locked(holder: Holder | None) -> None:
    """Notify the holder, if any, that somebody is guessing keys or answers."""
    if holder is not None and holder.email:
        with suppress(TooManyMessages):
            send(holder, "key_locked", {"identifier": holder.display_name}, email=holder.email, quota="locked")
