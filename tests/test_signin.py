"""Signing in, the account page, signing out (mission.md, section 7)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from clave.lib.clock import Stopped
from clave.signin.models import Session
from tests.story import Mailbox, Visitor

CAMILA, KEY, MAIL = "11111111-1", "KM482915", "camila.rojas@example.cl"


def test_a_holder_signs_in_sees_the_account_and_signs_out(visitor: Visitor) -> None:
    page = visitor.sign_in("11.111.111-1", KEY)
    assert page.shows("Mi cuenta", "Camila Rojas Soto", MAIL, "+56987650001", "Santiago", "Sesiones abiertas")
    assert visitor.open("/mi-cuenta/sesiones").shows("Sesiones abiertas", "(esta)", "Ingresó")
    visitor.page.url = "/salir"
    assert visitor.post("/salir", {}).shows("Salió de su cuenta")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_before_a_captcha_the_answer_does_not_tell_who_is_registered(visitor: Visitor) -> None:
    text = "No autorizado: persona no registrada o Clave SENCE incorrecta."
    wrong = visitor.sign_in(CAMILA, "AA000000")
    assert wrong.shows(text) and "captcha_ticket" in wrong.fields
    assert Visitor("198.51.100.1").sign_in("44444444-4", "AA000000").shows(text)
    assert Visitor("198.51.100.2").sign_in("66666666-6", "AA000000").shows(text)


@pytest.mark.parametrize(
    ("rut", "message"),
    [
        (CAMILA, "No autorizado: Clave SENCE incorrecta"),
        ("44444444-4", "No autorizado: persona no registrada"),
        ("66666666-6", "La clave ingresada corresponde al sistema antiguo"),
    ],
)
def test_with_a_captcha_the_guides_own_messages_are_given(
    visitor: Visitor, settings: Settings, rut: str, message: str
) -> None:
    visitor.sign_in(rut, "AA000000")
    page = visitor.send(key="AA000001")
    assert page.shows(message, "Regístrese para obtener su Clave SENCE", "Recupere su clave", "Actualice sus datos")
    settings.SIGNIN_MESSAGES = "uniform"
    assert visitor.send(key="AA000002").shows("persona no registrada o Clave SENCE incorrecta")


def test_after_a_failure_a_try_without_letters_is_not_even_hashed(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, "AA000000")
    visitor.open("/ingresar")
    page = visitor.send(rut=CAMILA, key=KEY)
    assert page.shows("también las letras de la imagen") and "captcha_ticket" in page.fields
    assert visitor.send(key=KEY).shows("Camila Rojas Soto")


def test_without_captcha_in_a_demo_any_answer_passes(visitor: Visitor, settings: Settings) -> None:
    settings.CLAVE_CAPTCHA = "off"
    assert visitor.sign_in("44444444-4", "AA000000").shows("No autorizado: persona no registrada.")
    assert visitor.sign_in(CAMILA, "AA000000").shows("No autorizado: Clave SENCE incorrecta")
    assert visitor.register(captcha="lo que sea").shows("Su cuenta fue creada")


def test_where_one_wanted_to_go_is_where_one_arrives(visitor: Visitor) -> None:
    visitor.open("/ingresar?volver=/ayuda")
    assert visitor.send(rut=CAMILA, key=KEY).url == "/ayuda"


@pytest.mark.abuse(17)
def test_the_session_changes_its_name_at_sign_in_and_ends_at_sign_out(visitor: Visitor) -> None:
    visitor.open("/persona/recuperar")
    visitor.send(rut=CAMILA)
    before = visitor.client.cookies["sesion"].value
    visitor.sign_in(CAMILA, KEY)
    after = visitor.client.cookies["sesion"].value
    assert before != after and not Session.objects.filter(pk=before).exists()
    visitor.post("/salir", {})
    thief = Visitor()
    thief.client.cookies["sesion"] = after
    assert thief.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


@pytest.mark.abuse(17)
def test_changing_the_key_ends_every_session(visitor: Visitor) -> None:
    other = Visitor("198.51.100.3")
    other.sign_in(CAMILA, KEY)
    visitor.change_key(CAMILA, KEY, "NW604827")
    assert other.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_the_other_sessions_are_seen_and_closed(visitor: Visitor) -> None:
    other = Visitor("198.51.100.3", HTTP_USER_AGENT="Telefono de la tia")
    other.sign_in(CAMILA, KEY)
    visitor.sign_in(CAMILA, KEY)
    page = visitor.open("/mi-cuenta/sesiones")
    assert page.shows("198.51.100.3", "Telefono de la tia", "Cerrar las demás sesiones")
    assert visitor.post("/mi-cuenta/cerrar-otras", {}).shows("Las demás sesiones se cerraron")
    assert "198.51.100.3 · Telefono" not in visitor.page.text
    assert other.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_many_sessions_are_shown_a_page_at_a_time(visitor: Visitor) -> None:
    for _ in range(25):
        Visitor("198.51.100.3", HTTP_USER_AGENT="Otro navegador").sign_in(CAMILA, KEY)
    visitor.sign_in(CAMILA, KEY)
    first = visitor.open("/mi-cuenta/sesiones")
    assert first.html.count("Otro navegador") == 19 and first.shows("(esta)", "Página 1 de 2", "Siguientes")
    second = visitor.open("/mi-cuenta/sesiones?pagina=2")
    assert second.html.count("Otro navegador") == 6 and second.shows("Página 2 de 2", "Anteriores")
    for odd in ("0", "99", "-1", "x", "9" * 40, "%00"):
        assert visitor.open(f"/mi-cuenta/sesiones?pagina={odd}").status == 200, odd


def test_minimum_data_missing_stops_the_sign_in(visitor: Visitor) -> None:
    assert visitor.sign_in("55555555-5", "VB730164").shows("Faltan datos mínimos", "Actualizar mis datos")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_a_locked_key_is_told_to_the_holder_once_and_waits_longer_each_time(
    visitor: Visitor, mailbox: Mailbox, clock: Stopped
) -> None:
    visitor.sign_in(CAMILA, "AA000000")
    for _ in range(4):
        visitor.send(key="AA000000")
    page = visitor.send(key=KEY)
    assert page.status == 429 and page.shows("Demasiados intentos", "espere hasta las")
    assert page.response.headers["Retry-After"]
    assert [mail["subject"] for mail in mailbox.to(MAIL)] == ["Muchos intentos con su Clave SENCE"]
    clock.move(seconds=31)
    visitor.open("/ingresar")
    visitor.send(rut=CAMILA, key="AA000000")
    visitor.send(key="AA000000")
    clock.move(seconds=31)
    visitor.open("/ingresar")
    assert visitor.send(rut=CAMILA, key=KEY).status == 429, "the second wait is longer"
    clock.move(seconds=60)
    visitor.sign_in(CAMILA, KEY)
    assert visitor.send(key=KEY).shows("Camila Rojas Soto")
    assert len(mailbox.to(MAIL)) == 1


def test_a_sign_in_asks_the_database_a_known_number_of_times(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, KEY)
    visitor.post("/salir", {})
    visitor.open("/ingresar")
    form = visitor.fill(rut=CAMILA, key=KEY)
    with CaptureQueriesContext(connection) as queries:
        assert visitor.client.post("/ingresar", form).status_code == 302
    asked = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len(asked) == 6, "\n".join(asked)
