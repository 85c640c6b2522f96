"""What participants see and do here themselves: their courses, warnings, closing without the platform."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clave.attendance import sessions
from clave.attendance.models import ActiveSession, Correction, SessionEnd, SessionStart
from clave.attendance.tasks import watch
from clave.lib import clock as clave_clock
from clave.lib.clock import SANTIAGO, Stopped
from clave.rce.models import PendingRequest
from clave.rce.tasks import forget
from clave.sandbox.courses import CAMILA
from clave.training.models import Action, Enrolment
from tests import factories
from tests.story import Mailbox, Visitor
from tests.wire.platform import Answer, Platform

MAIL, PHONE = "camila.rojas@example.cl", "+56987650001"


@pytest.fixture
def platform(demo: None) -> Platform:
    return Platform()


def test_my_courses_show_every_session_and_what_it_is_worth(platform: Platform, clock: Stopped) -> None:
    first = platform.open()
    clock.move(minutes=120)
    platform.close(first.fields["IdSesionSence"])
    platform.open()
    clock.move(minutes=180)
    watch.call()
    platform.open()
    page = platform.visitor.open("/mi-cuenta/cursos")
    assert page.shows("Ingresar con mi Clave SENCE")
    page = platform.visitor.send(rut=CAMILA, key="KM482915")
    assert page.url == "/mi-cuenta/cursos"
    assert page.shows("Excel intermedio", "Capacita Austral SpA", "2 horas y 0 minutos de 40 horas (5 %)", "3 sesiones")
    assert page.shows(
        "Cerrada a tiempo", "Perdida: no se cerró a tiempo", "Tiene una sesión abierta", "Todavía no ha abierto"
    )


def test_my_courses_ask_the_database_as_often_for_many_sessions_as_for_few(platform: Platform, clock: Stopped) -> None:
    platform.visitor.sign_in(CAMILA, "KM482915")
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert platform.visitor.open("/mi-cuenta/cursos").shows("Mis cursos")
        asked.append(len(queries))
        for enrolment in Enrolment.objects.select_related("action").filter(run=CAMILA):
            for _ in range(3):
                opening = sessions.open_session(enrolment, factories.token_of(enrolment), "x", "")
                sessions.close(opening)
    assert asked[0] == asked[1] == 6


def test_a_correction_adds_to_the_marks_and_leaves_them_as_they_are(platform: Platform, clock: Stopped) -> None:
    platform.open()
    clock.move(minutes=180)
    watch.call()
    opening = SessionStart.objects.get()
    Correction.objects.create(
        opening=opening, seconds=3600, reason="corte de luz", operator="op-1", at=clave_clock.now()
    )
    assert sessions.credited(opening.enrolment) == 3600 and SessionEnd.objects.get().seconds == 0
    platform.visitor.sign_in(CAMILA, "KM482915")
    assert platform.visitor.open("/mi-cuenta/cursos").shows("1 hora y 0 minutos de 40 horas")


def test_ten_minutes_before_the_limit_a_warning_leads_to_the_closing_page(
    platform: Platform, clock: Stopped, mailbox: Mailbox
) -> None:
    platform.open()
    until = ActiveSession.objects.get().limit_at.astimezone(SANTIAGO).strftime("%H:%M")
    clock.move(minutes=159)
    watch.call()
    assert not mailbox.to(MAIL)
    clock.move(minutes=2)
    watch.call()
    watch.call()
    assert len(mailbox.to(MAIL)) == len(mailbox.to(PHONE)) == 1, "once"
    mail, link = mailbox.last(MAIL), f"/asistencia/cerrar/{SessionStart.objects.get().public}"
    assert until in mail["subject"] and "Excel intermedio" in mail["text"] and link in mail["text"]
    assert until in mailbox.last(PHONE)["text"] and link in mailbox.last(PHONE)["text"]
    page = platform.visitor.open(link)
    assert page.shows("Cerrar sesión en SENCE", "Excel intermedio", until) and page.fields["rut"] == "11.111.111-1"
    assert platform.visitor.send(key="KM482915").shows("Su sesión quedó cerrada", "2 horas y 41 minutos")
    closed = platform.close(SessionStart.objects.get().public)
    assert closed.verdict == "closed", "the platform's own closing is answered alike"
    assert sessions.credited(SessionStart.objects.get().enrolment) == 161 * 60


def test_who_wants_no_warnings_gets_none(platform: Platform, clock: Stopped, mailbox: Mailbox) -> None:
    platform.visitor.sign_in(CAMILA, "KM482915")
    page = platform.visitor.open("/mi-cuenta/cursos")
    token = platform.visitor.client.cookies["csrftoken"].value
    off = {"csrfmiddlewaretoken": token, "avisos": "no"}
    assert platform.visitor.post("/mi-cuenta/cursos/avisos", off).shows("No le avisamos", "Quiero avisos")
    platform.open()
    clock.move(minutes=165)
    watch.call()
    assert not mailbox.to(MAIL) and page.status == 200
    assert platform.visitor.post("/mi-cuenta/cursos/avisos", {**off, "avisos": "si"}).shows("Le avisamos por correo")


@pytest.mark.abuse(25)
def test_nobody_else_closes_a_session_on_its_page(platform: Platform) -> None:
    public = platform.open().fields["IdSesionSence"]
    stranger = Visitor()
    stranger.open(f"/asistencia/cerrar/{public}")
    assert stranger.send(rut="22222222-2", key="TR618204").shows("Ingresó una persona distinta del participante")
    assert stranger.open("/asistencia/cerrar/" + "0" * 32).status == 404
    assert not SessionEnd.objects.exists()


def test_a_lost_session_says_so_on_its_page(platform: Platform, clock: Stopped) -> None:
    public = platform.open().fields["IdSesionSence"]
    clock.move(minutes=171)
    assert platform.visitor.open(f"/asistencia/cerrar/{public}").shows("Esta sesión ya no puede cerrarse")


def test_a_person_taken_out_of_a_course_can_still_close_and_keeps_the_marks(platform: Platform, clock: Stopped) -> None:
    public = platform.open().fields["IdSesionSence"]
    Enrolment.objects.filter(run=CAMILA, action__code="6700001").update(removed_at=clave_clock.now())
    Action.objects.filter(code="6700001").update(state="anulada")
    assert platform.close(public).verdict == "closed"
    assert platform.ask("IniciarSesion").verdict == "error 310"


def test_requests_of_yesterday_are_thrown_away(platform: Platform, clock: Stopped) -> None:
    platform.post("IniciarSesion")
    clock.move(hours=25)
    forget.call()
    assert not PendingRequest.objects.exists()
    assert platform.visitor.open(platform.visitor.page.url).shows("Esta solicitud ya no está disponible")
    assert Answer(Platform().ask("IniciarSesion", RutOtec="1").page).verdict == "error 209"
