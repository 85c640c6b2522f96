"""A session from its opening to its end, as platform, participant and store see it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clave.attendance import sessions
from clave.attendance.models import ActiveSession, SessionEnd, SessionStart
from clave.lib import clock as clave_clock
from clave.lib.clock import SANTIAGO, Stopped
from clave.sandbox.courses import CAMILA
from clave.training.models import Action, Enrolment, Otec
from tests import factories
from tests.story import Page
from tests.wire.platform import BACK, CLOSED, GOOD, LINE_1, LINE_6, OPENED, Answer, Platform


@pytest.fixture
def platform(demo: None) -> Platform:
    return Platform()


def credited() -> int:
    return sessions.credited(Enrolment.objects.get(run=CAMILA, action__code="6700001"))


def test_a_session_is_opened_and_closed_and_its_time_counts(platform: Platform, clock: Stopped) -> None:
    page = platform.post("IniciarSesion")
    assert page.shows("Excel intermedio", "Capacita Austral SpA", "aula.example.cl", "Abrir sesión en SENCE")
    assert page.fields["rut"] == "11.111.111-1" and "readonly" in page.html
    opened = Answer(platform.sign())
    now, limit = (moment(minutes) for minutes in (0, 170))
    assert opened.page.shows(
        "Su sesión está abierta", f"desde las {now:%H:%M}", f"antes de las {limit:%H:%M}", "Aceptar"
    )
    assert (opened.verdict, opened.url, opened.names, opened.at_once) == ("opened", BACK, OPENED, False)
    assert (
        opened.fields["FechaHora"] == f"{now:%Y-%m-%d %H:%M:%S}" and opened.fields["ZonaHoraria"] == "America/Santiago"
    )
    assert opened.fields["IdSesionAlumno"] == "moodle-42" and opened.fields["RunAlumno"] == CAMILA
    clock.move(minutes=62, seconds=5)
    closed = platform.close(opened.fields["IdSesionSence"])
    assert (closed.verdict, closed.url, closed.names) == ("closed", BACK, CLOSED)
    assert closed.page.shows("Su sesión quedó cerrada", "1 hora y 2 minutos")
    assert credited() == 62 * 60 + 5


def moment(minutes: int) -> datetime:
    return (clave_clock.now() + timedelta(minutes=minutes)).astimezone(SANTIAGO)


@pytest.mark.parametrize("changes", [LINE_1, {**LINE_1, "CodSence": " "}, LINE_6, {"RunAlumno": "11111111-1"}])
def test_the_three_lines_open_and_close(platform: Platform, changes: dict[str, str]) -> None:
    opened = platform.open(**changes)
    assert opened.verdict == "opened" and opened.fields["CodSence"] == changes.get("CodSence", "1238000001")
    assert platform.close(opened.fields["IdSesionSence"], **changes).verdict == "closed"


def test_a_run_with_k_is_taken_in_either_case(platform: Platform) -> None:
    factories.enrolment("10000013-K")
    assert platform.post("IniciarSesion", RunAlumno="10000013-k").fields["rut"] == "10.000.013-K"
    assert platform.post("IniciarSesion", RunAlumno="10000013-K").fields["rut"] == "10.000.013-K"


def test_both_addresses_may_be_the_same(platform: Platform) -> None:
    assert platform.open(UrlError=BACK).verdict == "opened"


def second_opening(platform: Platform, clock: Stopped) -> tuple[Answer, Page]:
    first = platform.open()
    clock.move(minutes=30)
    platform.post("IniciarSesion", IdSesionAlumno="otra")
    page = platform.sign()
    assert page.shows("Ya tiene una sesión abierta") and SessionStart.objects.count() == 1
    return first, page


@pytest.mark.abuse(26)
@pytest.mark.parametrize(("choice", "seconds"), [("cerrar", 1800), ("abandonar", 0)])
def test_a_second_opening_asks_what_becomes_of_the_first(
    platform: Platform, clock: Stopped, choice: str, seconds: int
) -> None:
    first, _page = second_opening(platform, clock)
    second = Answer(platform.visitor.send(anterior=choice))
    assert second.verdict == "opened" and second.fields["IdSesionSence"] != first.fields["IdSesionSence"]
    assert credited() == seconds and ActiveSession.objects.count() == 1
    late = platform.ask("CerrarSesion", IdSesionSence=first.fields["IdSesionSence"]) if choice == "abandonar" else None
    assert late is None or late.verdict == "error 305"


def test_the_choice_can_be_cancelled_and_nothing_changes(platform: Platform, clock: Stopped) -> None:
    second_opening(platform, clock)
    assert Answer(platform.visitor.send(cancelar="1")).verdict == "error 312"
    assert ActiveSession.objects.count() == 1 and not SessionEnd.objects.exists()


def test_a_choice_not_made_in_a_quarter_of_an_hour_asks_for_the_key_again(platform: Platform, clock: Stopped) -> None:
    _first, page = second_opening(platform, clock)
    clock.move(minutes=16)
    assert platform.visitor.post(page.url, {**page.fields, "anterior": "cerrar"}).shows("Escriba su Clave SENCE")
    assert not SessionEnd.objects.exists()


def test_a_session_not_closed_in_time_is_lost(platform: Platform, clock: Stopped) -> None:
    first = platform.open()
    clock.move(minutes=170, seconds=1)
    answer = platform.ask("CerrarSesion", IdSesionSence=first.fields["IdSesionSence"])
    assert (answer.verdict, answer.names) == ("error 305", [*CLOSED, "GlosaError"])
    assert sessions.expire_overdue() == 1 and credited() == 0 and not ActiveSession.objects.exists()
    assert SessionEnd.objects.get().kind == "lost"
    assert platform.open().verdict == "opened", "another may be opened, without being asked about the lost one"


def test_a_session_closed_at_its_last_moment_counts(platform: Platform, clock: Stopped) -> None:
    first = platform.open()
    clock.move(minutes=170)
    assert platform.close(first.fields["IdSesionSence"]).verdict == "closed" and credited() == 170 * 60


def test_opening_after_the_limit_loses_the_old_session_even_before_the_job_runs(
    platform: Platform, clock: Stopped
) -> None:
    platform.open()
    clock.move(minutes=171)
    assert platform.open().verdict == "opened"
    assert [ending.kind for ending in SessionEnd.objects.all()] == ["lost"]


@pytest.mark.abuse(25)
def test_the_same_closing_twice_answers_alike_and_counts_once(platform: Platform, clock: Stopped) -> None:
    first = platform.open()
    clock.move(minutes=20)
    one = platform.close(first.fields["IdSesionSence"])
    clock.move(minutes=5)
    two = platform.close(first.fields["IdSesionSence"])
    assert one.fields == two.fields and credited() == 1200


@pytest.mark.abuse(25)
def test_a_closing_must_name_ones_own_session(platform: Platform) -> None:
    mine = platform.open().fields["IdSesionSence"]
    for changes in (
        {"IdSesionSence": "0" * 32},
        {"IdSesionSence": mine, "RunAlumno": "22222222-2"},
        {"IdSesionSence": mine, **LINE_1},
    ):
        assert platform.ask("CerrarSesion", **changes).verdict == "error 304"
    assert platform.ask("CerrarSesion", IdSesionSence=None).verdict == "error 200"
    assert platform.ask("IniciarSesion", IdSesionSence=mine).verdict == "error 304"
    assert platform.ask("IniciarSesion", IdSesionAlumno="x" * 150).verdict == "error 304"


def test_a_session_is_closed_where_it_was_opened(platform: Platform) -> None:
    test = Platform(environment="rcetest")
    real, attempt = platform.open().fields["IdSesionSence"], test.open().fields["IdSesionSence"]
    assert test.ask("CerrarSesion", IdSesionSence=real).verdict == "error 313"
    assert platform.ask("CerrarSesion", IdSesionSence=attempt).verdict == "error 313"


def test_the_test_environment_records_nothing(demo: None, clock: Stopped) -> None:
    test = Platform(environment="rcetest")
    for changes in (
        {},
        {"CodSence": "-1", "CodigoCurso": "-1"},
        {**LINE_1, "CodigoCurso": "-1"},
        {"CodigoCurso": "-1", "RunAlumno": "22222222-2"},
    ):
        opened = test.open(**changes)
        assert (
            opened.page.shows("Ambiente de prueba")
            and opened.names == OPENED
            and len(opened.fields["IdSesionSence"]) <= 149
        )
        clock.move(minutes=3)
        closed = test.close(opened.fields["IdSesionSence"], **changes)
        assert closed.page.shows("0 horas y 3 minutos") and closed.names == CLOSED
    assert not SessionStart.objects.exists() and not SessionEnd.objects.exists()
    clock.move(minutes=171)
    assert test.ask("CerrarSesion", IdSesionSence=opened.fields["IdSesionSence"], **changes).verdict == "error 305"


def test_production_takes_no_minus_one(platform: Platform) -> None:
    assert platform.ask("IniciarSesion", CodSence="-1").verdict == "error 204"
    assert platform.ask("IniciarSesion", CodigoCurso="-1").verdict == "error 205"


def test_a_session_of_the_last_evening_is_closed_after_midnight(platform: Platform, clock: Stopped) -> None:
    action = Action.objects.get(code="6700001")
    clock.set(datetime(action.ends.year, action.ends.month, action.ends.day, 23, 30, tzinfo=SANTIAGO).astimezone(UTC))
    first = platform.open()
    clock.move(minutes=60)
    assert platform.ask("IniciarSesion").verdict == "error 309"
    assert platform.close(first.fields["IdSesionSence"]).verdict == "closed" and credited() == 3600


@pytest.mark.abuse(27)
@pytest.mark.parametrize("start", [datetime(2026, 4, 5, 1, 30, tzinfo=UTC), datetime(2026, 9, 6, 2, 30, tzinfo=UTC)])
def test_a_session_across_a_change_of_the_clocks_lasts_what_it_lasts(
    platform: Platform, clock: Stopped, start: datetime
) -> None:
    Action.objects.update(starts=start.date() - timedelta(days=5), ends=start.date() + timedelta(days=5))
    clock.set(start)
    first = platform.open()
    clock.move(minutes=170)
    assert platform.close(first.fields["IdSesionSence"]).verdict == "closed" and credited() == 170 * 60


@pytest.mark.abuse(27)
def test_a_server_clock_put_back_credits_nothing_negative(platform: Platform, clock: Stopped) -> None:
    first = platform.open()
    clock.move(minutes=-5)
    assert platform.close(first.fields["IdSesionSence"]).verdict == "closed" and credited() == 0


@pytest.mark.abuse(21, 28)
def test_where_a_person_is_sent_is_shown_and_can_be_narrowed(platform: Platform, settings: Any) -> None:
    assert platform.post("IniciarSesion").shows("Después volverá a", "aula.example.cl")
    settings.RCE_RETURN_HOSTS = "registered"
    assert platform.ask("IniciarSesion").verdict == "error 202"
    Otec.objects.update(return_hosts=["aula.example.cl"])
    assert platform.post("IniciarSesion").shows("Escriba su Clave SENCE")
    assert platform.ask("IniciarSesion", UrlRetoma="https://otra.example.cl/").verdict == "error 202"
    assert platform.post("IniciarSesion", UrlError="https://otra.example.cl/").shows("203")


@pytest.mark.abuse(28)
def test_the_answering_page_can_lead_nowhere_else(platform: Platform) -> None:
    headers = platform.open().page.response.headers
    assert "form-action https://aula.example.cl;" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "strict-origin" and headers["Cache-Control"] == "no-store"
    inside = platform.ask("IniciarSesion", UrlError="http://10.0.0.7:8080/x", RutOtec="1").page.response
    assert "form-action http://10.0.0.7:8080 https://10.0.0.7;" in inside.headers["Content-Security-Policy"]


@pytest.mark.abuse(19)
def test_what_a_platform_sends_is_escaped(platform: Platform) -> None:
    text = '"><script>alert(1)</script>'
    answer = platform.open(IdSesionAlumno=text)
    assert answer.fields["IdSesionAlumno"] == text and "<script>alert" not in answer.page.html


def test_a_door_opened_by_hand_explains_itself(platform: Platform) -> None:
    for endpoint in ("/rce/Registro/IniciarSesion", "/rcetest/Registro/CerrarSesion"):
        page = platform.visitor.open(endpoint)
        assert page.status == 405 and page.shows("Para abrir o cerrar su sesión, entre a su curso")


def test_a_pair_of_marks_asks_the_database_a_known_number_of_times(platform: Platform) -> None:
    platform.close(platform.open().fields["IdSesionSence"])
    asked: list[int] = []

    def counted(response: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as queries:
            answer = response()
        asked.append(len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]))
        return answer

    client = platform.visitor.client
    session: dict[str, str] = {}
    for endpoint in ("IniciarSesion", "CerrarSesion"):
        page = Page(counted(partial(client.post, f"/rce/Registro/{endpoint}", {**GOOD, **session})))
        answer = Answer(counted(partial(platform.visitor.post, page.url, {**page.fields, "key": "KM482915"})))
        session = {"IdSesionSence": answer.fields.get("IdSesionSence", "")}
    assert asked == [3, 12, 3, 13]
