"""Marks that may have been made by one person: many participants, one address, seconds apart (abuse case 31)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from clave.attendance.models import SessionStart

PEOPLE, WITHIN = 5, timedelta(seconds=60)


@dataclass(frozen=True)
class Cluster:
    """Sessions opened by several people from one network address within a minute, for one training body."""

    address: str
    otec: str
    since: datetime
    until: datetime
    people: int


def clusters(since: datetime, people: int = PEOPLE, within: timedelta = WITHIN) -> Iterator[Cluster]:
    """Yield every run of openings since then in which `people` or more are never more than `within` apart.

    A class starting together in one room looks the same: a cluster merits a look; it is no proof of fraud.
    """
    rows = SessionStart.objects.filter(opened_at__gte=since).exclude(address="")
    fields = ("address", "enrolment__action__otec__rut", "opened_at", "enrolment__run")
    run_so_far: deque[tuple[str, str, datetime, str]] = deque()
    for row in rows.order_by("address", "enrolment__action__otec__rut", "opened_at").values_list(*fields).iterator():
        if run_so_far and (row[:2] != run_so_far[-1][:2] or row[2] - run_so_far[-1][2] > within):
            yield from _cluster_of(run_so_far, people)
            run_so_far.clear()
        run_so_far.append(row)
    yield from _cluster_of(run_so_far, people)


def _cluster_of(rows: deque[tuple[str, str, datetime, str]], people: int) -> Iterator[Cluster]:
    runs = {run for *_, run in rows}
    if len(runs) >= people:
        yield Cluster(rows[0][0], rows[0][1], rows[0][2], rows[-1][2], len(runs))
