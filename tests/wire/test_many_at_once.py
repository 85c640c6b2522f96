"""Whole classes at once, double clicks, and closings that race each other."""

from collections.abc import Callable

import pytest
from django.db import connection

from clave.attendance import sessions
from clave.attendance.models import ActiveSession, EndKind, SessionEnd, SessionStart
from clave.credentials.models import Credential, SecretAnswer
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.rut import check_digit
from clave.sandbox.courses import CAMILA
from clave.training.models import Action, Enrolment, Token
from tests.story import Visitor
from tests.test_races import at_once, done_at_once, posting
from tests.wire.platform import Answer, Platform


def a_class_of(many: int) -> list[str]:
    """Register and enrol as many people, who all have Camila's key."""
    camila = Holder.objects.select_related("credential", "secret_answer").get(identifier=CAMILA)
    runs = [f"{number}-{check_digit(number)}" for number in range(20_000_000, 20_000_000 + many)]
    fields = {
        f.attname: getattr(camila, f.attname)
        for f in Holder._meta.concrete_fields
        if f.attname not in ("id", "identifier")
    }
    people = Holder.objects.bulk_create([Holder(**fields, identifier=run) for run in runs])
    key, answer = camila.credential.hash, camila.secret_answer.hash
    Credential.objects.bulk_create([Credential(holder=h, hash=key, changed_at=clock.now()) for h in people])
    SecretAnswer.objects.bulk_create([SecretAnswer(holder=h, question="mascota", hash=answer) for h in people])
    action = Action.objects.get(code="6700001")
    Enrolment.objects.bulk_create([Enrolment(action=action, run=run) for run in runs])
    return runs


@pytest.mark.alone
def test_a_class_that_begins_together_is_served(committed: None) -> None:
    many = 200 if connection.vendor == "postgresql" else 30
    jobs = []
    for number, run in enumerate(a_class_of(many)):
        platform = Platform(Visitor(f"198.51.100.{number % 250}"))
        platform.post("IniciarSesion", RunAlumno=run)
        jobs.append(posting(platform.visitor, platform.visitor.fill(key="KM482915")))
    verdicts = [Answer(page).verdict for page in done_at_once(jobs)]
    assert verdicts == ["opened"] * many
    assert SessionStart.objects.count() == ActiveSession.objects.count() == many


@pytest.mark.abuse(26)
def test_a_double_click_opens_once_and_both_see_it(committed: None) -> None:
    platform = Platform()
    platform.post("IniciarSesion")
    form = platform.visitor.fill(key="KM482915")
    answers = [Answer(page) for page in done_at_once([posting(platform.visitor, form)] * 4)]
    assert {answer.verdict for answer in answers} == {"opened"}
    assert len({answer.fields["IdSesionSence"] for answer in answers}) == 1 and SessionStart.objects.count() == 1


@pytest.mark.abuse(26)
def test_two_requests_at_once_open_one_session(committed: None) -> None:
    jobs = []
    for number in range(5):
        platform = Platform(Visitor(f"198.51.100.{number}"))
        platform.post("IniciarSesion", IdSesionAlumno=str(number))
        jobs.append(posting(platform.visitor, platform.visitor.fill(key="KM482915")))
    texts = [page.text for page in done_at_once(jobs)]
    assert sum("Su sesión está abierta" in text for text in texts) == 1
    assert sum("Ya tiene una sesión abierta" in text for text in texts) == 4
    assert SessionStart.objects.count() == 1


@pytest.mark.abuse(25, 26)
def test_closings_that_race_count_once(committed: None) -> None:
    opening = an_open_session()
    results = done_at_once([lambda: sessions.close(opening)] * 10 + [lambda: sessions.abandon(opening)] * 5)
    assert all(isinstance(result, SessionEnd) for result in results), results
    assert SessionEnd.objects.count() == 1 and len({(r.kind, r.seconds) for r in results}) == 1


def an_open_session() -> SessionStart:
    enrolment = Enrolment.objects.select_related("action").get(run=CAMILA, action__code="6700001")
    return sessions.open_session(enrolment, Token.objects.get(otec__rut="76543210-3"), "x", "")


@pytest.mark.abuse(27)
def test_a_closing_that_races_the_limit_is_either_credited_or_lost(committed: None) -> None:
    with clock.stopped(clock.now()) as stopped:
        opening = an_open_session()
        stopped.move(minutes=170, seconds=1)
        jobs: list[Callable[[], object]] = [sessions.expire_overdue, lambda: sessions.close(opening)]
        results = at_once(jobs * 2)
    assert not [result for result in results if isinstance(result, Exception)], results
    assert SessionEnd.objects.get().kind == EndKind.LOST and not ActiveSession.objects.exists()


@pytest.mark.abuse(30)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET opening_id = opening_id",
        "DELETE FROM {}",
        "UPDATE attendance_sessionstart SET opened_at = limit_at",
        "DELETE FROM attendance_sessionstart",
    ],
)
def test_a_mark_cannot_be_changed_or_deleted(committed: None, change: str) -> None:
    sessions.close(an_open_session())
    with pytest.raises(Exception, match="never changed or deleted"), connection.cursor() as cursor:
        cursor.execute(change.format("attendance_sessionend"))
    assert SessionEnd.objects.count() == SessionStart.objects.count() == 1
