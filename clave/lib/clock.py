"""The application clock. All time-dependent code reads it from here, so tests and demos can set the time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")
_fixed: datetime | None = None
# Returns the offset in seconds by which a demo has shifted its clock.
mover: Callable[[], float] | None = None


def now() -> datetime:
    """Return the current time as an aware datetime in UTC, including a demo's offset."""
    if _fixed is not None:
        return _fixed
    return datetime.now(UTC) + timedelta(seconds=mover()) if mover else datetime.now(UTC)


def today() -> date:
    """Return the current date in Santiago."""
    return now().astimezone(SANTIAGO).date()


class Stopped:
    """A frozen clock that advances only on request; for tests."""

    def move(self, **parts: float) -> None:
        """Advance by the `timedelta` built from `parts` (seconds=, minutes=, hours=...)."""
        self.set(now() + timedelta(**parts))

    def set(self, instant: datetime) -> None:
        global _fixed
        _fixed = instant


@contextmanager
def stopped(instant: datetime) -> Iterator[Stopped]:
    """Freeze the clock at `instant` for the duration of the block."""
    global _fixed
    clock = Stopped()
    clock.set(instant)
    try:
        yield clock
    finally:
        _fixed = None
