"""Marks that look as if one hand made them: many people, one address, seconds apart (abuse case 31)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clave.attendance.models import SessionStart

PEOPLE, WITHIN = 5, timedelta(seconds=60)


@dataclass(frozen=True)
class Cluster:
    """Openings by several people from one network address within a minute, for one training body."""

    address: str
    otec: str
    since: datetime
    until: datetime
    people: int


def clusters(since: datetime, people: int = PEOPLE, within: timedelta = WITHIN) -> Iterator[Cluster]:
    """Yield every run of openings since then in which `people` or more are never more than `within` apart.

    A class that begins together in one room looks the same: this names what deserves a look, not who is guilty.
    """
    rows = SessionStart.objects.filter(opened_at__gte=since).exclude(address="")
    fields = ("address", "enrolment__action__otec__rut", "opened_at", "enrolment__run")
    seen: deque[tuple[str, str, datetime, str]] = deque()
    for row in rows.order_by("address", "enrolment__action__otec__rut", "opened_at").values_list(*fields).iterator():
        if seen and (row[:2] != seen[-1][:2] or row[2] - seen[-1][2] > within):
            yield from _judged(seen, people)
            seen.clear()
        seen.append(row)
    yield from _judged(seen, people)


def _judged(seen: deque[tuple[str, str, datetime, str]], people: int) -> Iterator[Cluster]:
    runs = {run for *_, run in seen}
    if len(runs) >= people:
        yield Cluster(seen[0][0], seen[0][1], seen[0][2], seen[-1][2], len(runs))
