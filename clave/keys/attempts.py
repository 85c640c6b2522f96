"""Limits on failures, on three axes, with growing delay (flows.md, section 2; abuse cases 7 and 8).

After `free` failures the axis waits `base` seconds, doubling with each further one up to `cap`. A success
from the holder clears the holder's own axes. A browser from which the holder has signed in before is
counted apart, so that a stranger cannot lock a holder out of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction

from clave.core import clock, store
from clave.core.outcome import Refused
from clave.core.prepared import Asked, Lookup, together
from clave.core.secrets import keyed_hash
from clave.core.visit import Visit
from clave.keys.models import Attempts


@dataclass(frozen=True)
class Limit:
    """`free` failures cost nothing; then `base` seconds, doubling to `cap`; forgotten after `window` quiet seconds."""

    free: int
    base: int
    cap: int
    window: int = 24 * 3600


KEY = Limit(free=5, base=30, cap=15 * 60)
ANSWER = Limit(free=3, base=60, cap=30 * 60)
ADDRESS = Limit(free=50, base=10, cap=10 * 60, window=3600)
TOTAL = Limit(free=5000, base=1, cap=30, window=600)
# Wrong keys from one address before everybody there is asked for the letters.
_PATIENCE = 10
WIDE = ("address", "total")
# What is tried at an account itself, and forgotten when it is unlocked.
OF_ACCOUNTS = ("key", "answer", "birth", "representative")


class TooManyAttempts(Refused):
    """This axis must wait until `until`."""

    status = 429

    def __init__(self, until: datetime) -> None:
        super().__init__("too_many_attempts")
        self.until = until


@dataclass
class Axes:
    """The axes a try counts on, looked up once: keyed hashes with their limits, and which one is the holder's."""

    limits: dict[str, Limit]
    own: str
    address: str
    rows: dict[str, Attempts]
    known_browser: bool

    def check(self) -> int:
        """Return how many failures call for more care: the holder's own, or the address's beyond the tenth.

        Raises `TooManyAttempts` if any axis must wait.
        """
        now = clock.now()
        counting = [row for axis, row in self.rows.items() if axis in self.limits]
        waits = [row.until for row in counting if row.until and row.until > now]
        if waits:
            raise TooManyAttempts(max(waits))
        alive = {row.axis: row.count for row in counting if not _forgotten(row, self.limits[row.axis])}
        return max(alive.get(self.own, 0), alive.get(self.address, 0) - _PATIENCE)

    def fail(self) -> bool:
        """Count a failure on every axis. Returns True when the holder's own axis has just begun to wait."""
        began = False
        for axis, limit in sorted(self.limits.items()):
            row = _count(axis, limit)
            began |= axis == self.own and row.count == limit.free
        return began

    def clear(self) -> None:
        """Forget the failures on the holder's axis, after a success."""
        Attempts.objects.filter(axis=self.own).delete()


def _forgotten(row: Attempts, limit: Limit) -> bool:
    return row.last_at < clock.now() - timedelta(seconds=limit.window)


def _count(axis: str, limit: Limit) -> Attempts:
    now = clock.now()
    with transaction.atomic():
        Attempts.objects.get_or_create(axis=axis, defaults={"last_at": now})
        row = Attempts.objects.select_for_update().get(axis=axis)
        row.count = 1 if _forgotten(row, limit) else row.count + 1
        row.last_at = now
        over = row.count - limit.free
        row.until = now + timedelta(seconds=min(limit.cap, limit.base * 2 ** min(over, 20))) if over >= 0 else None
        row.save()
    return row


_NAMES = ("holder", "browser", "address", "total", "known")
_ROWS = Lookup(lambda *names: Attempts.objects.filter(axis__in=names), *_NAMES)


def axes(purpose: str, identifier: str, visit: Visit, limit: Limit = KEY) -> Axes:
    """Return the axes for a try at `identifier`'s key or answer (`purpose`) from `visit`. One query."""
    return cast(Axes, together(asking(purpose, identifier, visit, limit))[0])


def asking(purpose: str, identifier: str, visit: Visit, limit: Limit = KEY) -> Asked:
    """Return the question for the axes of a try, to be put to the store together with others; read as `Axes`."""
    for_all = keyed_hash("attempts", purpose, identifier)
    for_browser = keyed_hash("attempts", purpose, identifier, visit.browser)
    address, total = (keyed_hash("attempts", purpose, name, _network(name, visit)) for name in WIDE)
    known = browser_axis(identifier, visit)
    question = _ROWS.ask(for_all, for_browser, address, total, known)

    def read(answer: store.Answer) -> Axes:
        rows = {row.axis: row for row in question.read(answer)}
        own = for_browser if visit.browser and known in rows else for_all
        return Axes({own: limit, address: ADDRESS, total: TOTAL}, own, address, rows, known in rows)

    return question._replace(read=read)


def for_everybody(account: str) -> list[str]:
    """Return the names of the rows that count what strangers try at an account."""
    return [keyed_hash("attempts", purpose, account) for purpose in OF_ACCOUNTS]


def browser_axis(identifier: str, visit: Visit) -> str:
    """Return the name of the row that says that `identifier` has signed in from this browser."""
    return keyed_hash("attempts", "known", identifier, visit.browser)


def _network(name: str, visit: Visit) -> str:
    """An IPv6 subscriber owns a /64, so that is what counts as one address."""
    if name != "address":
        return ""
    return ":".join(visit.address.split(":")[:4]) if ":" in visit.address else visit.address
