"""The one clock. Everything that depends on time asks here, so that time can be set."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")
_fixed: datetime | None = None
# Says by how many seconds a demo has moved its clock.
mover: Callable[[], float] | None = None


def now() -> datetime:
    """Return the present instant, aware, in UTC; moved in a demo."""
    if _fixed is not None:
        return _fixed
    return datetime.now(UTC) + timedelta(seconds=mover()) if mover else datetime.now(UTC)


def today() -> date:
    """Return the date on Santiago's calendar."""
    return now().astimezone(SANTIAGO).date()


class Stopped:
    """A clock that stands still until told to move; for tests."""

    def move(self, **parts: float) -> None:
        """Go forward by the `timedelta` made of `parts` (seconds=, minutes=, hours=...)."""
        self.set(now() + timedelta(**parts))

    def set(self, instant: datetime) -> None:
        global _fixed
        _fixed = instant


@contextmanager
def stopped(instant: datetime) -> Iterator[Stopped]:
    """Stop the clock at `instant`; on leaving it runs again."""
    global _fixed
    clock = Stopped()
    clock.set(instant)
    try:
        yield clock
    finally:
        _fixed = None
