"""Totals of the marks, for display to those allowed to see them."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet

from clave.attendance.models import Correction, EndKind, SessionStart
from clave.lib import clock
from clave.training.models import Action, Enrolment

OPEN = "open"


@dataclass(frozen=True)
class Session:
    """One session for display: `state` is open, closed, lost or abandoned; `seconds` are credited."""

    public: str
    opened_at: datetime
    limit_at: datetime
    state: str
    ended_at: datetime | None
    seconds: int

    @classmethod
    def of(cls, opening: SessionStart) -> "Session":
        """Combine an opening with its ending. Past its limit it counts as lost, even before the job has recorded it."""
        ending = getattr(opening, "ending", None)
        if ending:
            end = (ending.kind, ending.at, ending.seconds)
        else:
            lost = opening.limit_at < clock.now()
            end = (EndKind.LOST, opening.limit_at, 0) if lost else (OPEN, None, 0)
        return cls(opening.public, opening.opened_at, opening.limit_at, *end)


@dataclass
class CourseRecord:
    """A participant's marks in one action; `seconds` are credited, including corrections."""

    enrolment: Enrolment
    sessions: list[Session] = field(default_factory=list)
    corrected: int = 0

    @property
    def action(self) -> Action:
        return self.enrolment.action

    @property
    def seconds(self) -> int:
        return max(0, sum(session.seconds for session in self.sessions) + self.corrected)

    @property
    def percent(self) -> int:
        """Return the credited share of the course's hours, 0 to 100."""
        return min(100, self.seconds * 100 // max(1, self.action.hours * 3600))

    @property
    def ended(self) -> bool:
        """Return whether the course is over or has run into a new year, so that a sworn statement may be due."""
        return min(self.action.ends, date(self.action.starts.year, 12, 31)) < clock.today()

    @property
    def open_session(self) -> Session | None:
        return next((session for session in self.sessions if session.state == OPEN), None)

    @property
    def last(self) -> Session | None:
        """Return the most recent session that has ended."""
        return next((session for session in self.sessions if session.state != OPEN), None)


def records(enrolments: QuerySet[Enrolment]) -> list[CourseRecord]:
    """Return the record of each enrolment, sessions newest first; three queries whatever their number."""
    by_enrolment = {enrolment.pk: CourseRecord(enrolment) for enrolment in enrolments.select_related("action__otec")}
    openings = (
        SessionStart.objects.filter(enrolment__in=list(by_enrolment)).select_related("ending").order_by("-opened_at")
    )
    for opening in openings:
        by_enrolment[opening.enrolment_id].sessions.append(Session.of(opening))
    corrections = Correction.objects.filter(opening__enrolment__in=list(by_enrolment))
    for enrolment_id, seconds in corrections.values_list("opening__enrolment", "seconds"):
        by_enrolment[enrolment_id].corrected += seconds
    return list(by_enrolment.values())


def courses_of(run: str) -> list[CourseRecord]:
    """Return a participant's courses, newest first."""
    return records(Enrolment.objects.filter(run=run, removed_at=None).order_by("-action__starts", "action__code"))
