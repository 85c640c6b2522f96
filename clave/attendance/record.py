"""What the marks add up to, for who may see them."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import QuerySet

from clave.attendance.models import Correction, EndKind, SessionStart
from clave.lib import clock
from clave.training.models import Action, Enrolment

OPEN = "open"


@dataclass(frozen=True)
class Session:
    """One session as people see it: `state` is open, closed, lost or abandoned; `seconds` are credited."""

    public: str
    opened_at: datetime
    limit_at: datetime
    state: str
    ended_at: datetime | None
    seconds: int

    @classmethod
    def of(cls, opening: SessionStart) -> "Session":
        """Read an opening with its ending; past its limit without one it is lost, though no job has said so yet."""
        ending = getattr(opening, "ending", None)
        if ending:
            end = (ending.kind, ending.at, ending.seconds)
        else:
            lost = opening.limit_at < clock.now()
            end = (EndKind.LOST, opening.limit_at, 0) if lost else (OPEN, None, 0)
        return cls(opening.public, opening.opened_at, opening.limit_at, *end)


@dataclass
class CourseRecord:
    """A participant's marks in one action; `seconds` credited, corrections included."""

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
        """Return how much of the course's hours is credited, 0 to 100."""
        return min(100, self.seconds * 100 // max(1, self.action.hours * 3600))

    @property
    def ended(self) -> bool:
        """Say whether the course is over, or has crossed a year: then there may be something to state."""
        return min(self.action.ends, date(self.action.starts.year, 12, 31)) < clock.today()

    @property
    def open_session(self) -> Session | None:
        return next((session for session in self.sessions if session.state == OPEN), None)

    @property
    def last(self) -> Session | None:
        """Return the last session that has ended."""
        return next((session for session in self.sessions if session.state != OPEN), None)


def records(enrolments: QuerySet[Enrolment]) -> list[CourseRecord]:
    """Return the record of each enrolment, sessions newest first; three queries however many there are."""
    found = {each.pk: CourseRecord(each) for each in enrolments.select_related("action__otec")}
    openings = SessionStart.objects.filter(enrolment__in=list(found)).select_related("ending").order_by("-opened_at")
    for opening in openings:
        found[opening.enrolment_id].sessions.append(Session.of(opening))
    corrections = Correction.objects.filter(opening__enrolment__in=list(found))
    for enrolment, seconds in corrections.values_list("opening__enrolment", "seconds"):
        found[enrolment].corrected += seconds
    return list(found.values())


def courses_of(run: str) -> list[CourseRecord]:
    """Return a participant's courses, the newest first."""
    return records(Enrolment.objects.filter(run=run, removed_at=None).order_by("-action__starts", "action__code"))
