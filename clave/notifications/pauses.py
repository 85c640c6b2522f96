"""Circuit breaker for channels: one that keeps failing is paused, so that other channels do not wait behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clave.lib import clock

FAILURES, PAUSE = 5, timedelta(seconds=30)


@dataclass
class _Health:
    failures: int = 0
    until: datetime | None = None


_channels: dict[str, _Health] = {}


def note_failure(channel: str) -> None:
    """Count a failure; from the fifth in a row, each one starts a pause, after which one message is tried."""
    health = _channels.setdefault(channel, _Health())
    health.failures += 1
    if health.failures >= FAILURES:
        health.until = clock.now() + PAUSE


def note_success(channel: str) -> None:
    _channels.pop(channel, None)


def paused() -> list[str]:
    """Return the channels currently paused in this process."""
    now = clock.now()
    return [channel for channel, health in _channels.items() if health.until and health.until > now]


def forget() -> None:
    """Resume all channels."""
    _channels.clear()
