"""Recovering a lost CS (guide PN, section 3)."""

import pytest
from pytest_django import Settings

from clave.credentials.models import TemporaryKey
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.sandbox import services
from clave.signin.models import Session
from tests.story import Mailbox, Visitor

CAMILA, CAMILA_MAIL, CAMILA_PHONE = "11111111-1", "camila.rojas@example.cl", "+56987650001"
DIEGO, DIEGO_MAIL = "22222222-2", "diego.munoz@example.cl"


def test_with_the_answer_a_temporary_key_arrives_by_mail_and_sms_and_sets_a_new_key(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    visitor.open("/persona/recuperar")
    assert visitor.send(rut="11.111.111-1").shows("Nombre de mi mascota", "Paso 2 de 2")
    page = visitor.send(answer="  cópito ")
    assert page.shows("Su clave va en camino", "camixxxx@exaxxxx", "+56 9 xxxx xx01", "10 minutos")
    key = mailbox.key(CAMILA_MAIL)
    assert key == mailbox.key(CAMILA_PHONE) and key not in page.html
    assert visitor.change_key(CAMILA, key, "NW604827").shows("Su clave fue cambiada")
    assert visitor.sign_in(CAMILA, "NW604827").shows("Camila Rojas Soto")


def test_with_screen_delivery_the_key_is_on_the_page_only_and_never_again(
    visitor: Visitor, mailbox: Mailbox, settings: Settings
) -> None:
    settings.KEY_DELIVERY = "screen"
    visitor.open("/persona/recuperar")
    visitor.send(rut=CAMILA)
    form = visitor.fill(answer="Copito")
    path = visitor.page.url
    page = visitor.post(path, form)
    key = page.html.split('class="destacado clave">')[1].split("<")[0]
    assert page.shows("Anótela ahora", "Su clave temporal")
    assert visitor.post(path, form).shows(key), "a repeated post of the same form shows the same result"
    notice = mailbox.last(CAMILA_MAIL)
    assert notice["subject"] == "Se pidió recuperar su Clave SENCE" and key not in notice["text"]
    assert visitor.change_key(CAMILA, key, "NW604827").shows("Su clave fue cambiada")


def test_a_wrong_answer_is_told_and_nothing_is_sent(visitor: Visitor, mailbox: Mailbox) -> None:
    assert visitor.ask_for_key(CAMILA, "Firulais").shows("La respuesta no es correcta")
    assert mailbox.all() == []


def test_neither_answer_nor_the_box_names_the_field(visitor: Visitor) -> None:
    assert visitor.ask_for_key(CAMILA, "").shows("Falta completar: Respuesta secreta")


def test_a_rut_that_is_not_registered_sees_a_question_too_and_fails_alike(visitor: Visitor) -> None:
    visitor.open("/persona/recuperar")
    first = visitor.send(rut="44444444-4")
    assert first.shows("Pregunta secreta", "Respuesta secreta")
    assert visitor.send(answer="Copito").shows("La respuesta no es correcta")
    visitor.open("/persona/recuperar")
    assert visitor.send(rut="44444444-4").text == first.text, "the same question every time"


def to_card(visitor: Visitor, rut: str) -> None:
    visitor.open("/persona/recuperar")
    visitor.send(rut=rut)
    visitor.send(forgotten="on")


def test_without_the_answer_the_card_serial_shows_the_masked_mail_and_sends_the_key(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    to_card(visitor, DIEGO)
    assert visitor.page.shows("Número de serie", "Paso 2 de 3")
    assert visitor.send(serial="987.654.321").shows("diegxxxx@exaxxxx", "¿El correo es correcto?")
    assert visitor.send(right="si").shows("Su clave va en camino")
    assert visitor.change_key(DIEGO, mailbox.key(DIEGO_MAIL), "NW604827").shows("Su clave fue cambiada")


@pytest.mark.abuse(4)
def test_with_the_card_the_owner_takes_the_account_back_from_a_squatter(visitor: Visitor, mailbox: Mailbox) -> None:
    squatter = Visitor("198.51.100.9")
    squatter.register(email="ladron@example.cl", mobile="1111 1111".replace("1", "9"))
    assert squatter.sign_in("44444444-4", "QZ571938").shows("Mi cuenta")
    to_card(visitor, "44444444-4")
    visitor.send(serial="444555666")
    page = visitor.send(right="no", email="duena@example.cl")
    assert page.shows("duenxxxx@exaxxxx") and "+56" not in page.text
    assert mailbox.last("ladron@example.cl")["subject"] == "Cambió el correo de su Clave SENCE"
    assert squatter.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")
    assert visitor.change_key("44444444-4", mailbox.key("duena@example.cl"), "NW604827").shows("Su clave fue cambiada")
    assert Holder.objects.get(identifier="44444444-4").review_contact
    assert "No autorizado" in squatter.sign_in("44444444-4", "QZ571938").text


def test_taking_the_account_back_while_signed_in_is_no_fault(visitor: Visitor) -> None:
    visitor.sign_in(DIEGO, "TR618204")
    to_card(visitor, DIEGO)
    visitor.send(serial="987654321")
    assert visitor.send(right="no", email="otra@example.cl").shows("Su clave va en camino")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_saying_no_without_a_new_mail_asks_for_it(visitor: Visitor) -> None:
    to_card(visitor, DIEGO)
    visitor.send(serial="987654321")
    assert visitor.send(right="no", email="").shows("Falta completar: Correo actual")


def test_in_the_hardened_profile_a_new_mail_is_not_taken_on_the_strength_of_a_card(
    visitor: Visitor, settings: Settings
) -> None:
    settings.NEW_EMAIL_AFTER_SERIAL = False
    to_card(visitor, DIEGO)
    page = visitor.send(serial="987654321")
    assert "email" not in page.fields
    assert visitor.send(right="no").shows("llame a la mesa de ayuda")


@pytest.mark.parametrize(
    ("rut", "serial"), [(DIEGO, "111111111"), ("44444444-4", "444555666"), ("12345678-5", "123456789")]
)
def test_a_wrong_card_and_an_unregistered_rut_get_one_answer(visitor: Visitor, rut: str, serial: str) -> None:
    to_card(visitor, rut)
    assert visitor.send(serial=serial).shows("El número de serie no coincide con una cédula vigente de este RUT.")


def test_when_the_registry_is_down_the_card_step_says_so(visitor: Visitor) -> None:
    services.set_behaviour("registro_civil", "down")
    to_card(visitor, DIEGO)
    assert visitor.send(serial="987654321").shows("El Registro Civil no responde")


def test_with_minimum_data_missing_recovery_stops_and_says_what_is_missing(
    visitor: Visitor, settings: Settings
) -> None:
    Holder.objects.filter(identifier=CAMILA).update(street="", email="")
    page = visitor.ask_for_key(CAMILA, "Copito")
    assert page.shows("Faltan datos mínimos", "su correo electrónico", "su dirección", "Actualizar mis datos")
    assert not TemporaryKey.objects.exists()


@pytest.mark.abuse(23)
def test_a_step_cannot_be_skipped_or_continued_in_another_browser_and_expires(visitor: Visitor, clock: Stopped) -> None:
    visitor.open("/persona/recuperar")
    answer = visitor.send(rut=DIEGO).url
    assert visitor.open(answer.replace("pregunta", "correo")).shows("Este paso ya no está disponible")
    assert Visitor().open(answer).shows("Este paso ya no está disponible", "Empezar de nuevo")
    assert visitor.open(answer).shows("Respuesta secreta"), "a reload is harmless"
    clock.move(minutes=16)
    assert visitor.open(answer).shows("Pasaron más de 15 minutos")


def test_a_second_request_replaces_the_first_temporary_key(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.ask_for_key(CAMILA, "Copito")
    first = mailbox.key(CAMILA_MAIL)
    visitor.ask_for_key(CAMILA, "Copito")
    second = mailbox.key(CAMILA_MAIL)
    assert visitor.change_key(CAMILA, first, "NW604827").shows("no son correctos")
    assert visitor.change_key(CAMILA, second, "NW604827").shows("Su clave fue cambiada")
    assert Session.objects.filter(holder__isnull=False).count() == 0
