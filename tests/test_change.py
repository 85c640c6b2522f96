"""Changing the CS (guide PN, section 4) and the life of a temporary key."""

import pytest
from pytest_django import Settings

from clave.lib.clock import Stopped
from tests.story import Mailbox, Visitor

CAMILA, MAIL = "11111111-1", "camila.rojas@example.cl"


def test_the_key_is_changed_and_the_holder_told(visitor: Visitor, mailbox: Mailbox) -> None:
    page = visitor.change_key(CAMILA, "KM482915", "NW604827")
    assert page.shows("Su clave fue cambiada", "camixxxx@exaxxxx", "10 minutos")
    assert mailbox.last(MAIL)["subject"] == "Su Clave SENCE fue cambiada"
    assert visitor.sign_in(CAMILA, "NW604827").shows("Camila Rojas Soto")
    assert Visitor("198.51.100.4").sign_in(CAMILA, "KM482915").shows("No autorizado")


def test_changing_the_key_while_signed_in_ends_this_session_too(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, "KM482915")
    assert visitor.change_key(CAMILA, "KM482915", "NW604827").shows("Su clave fue cambiada")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")
    assert visitor.sign_in(CAMILA, "NW604827").shows("Camila Rojas Soto")


def test_a_wrong_present_key_goes_no_further(visitor: Visitor) -> None:
    page = visitor.change_key(CAMILA, "KM482916", "NW604827")
    assert page.shows("El RUT o la Clave SENCE no son correctos") and page.fields["rut"] == CAMILA


@pytest.mark.abuse(13)
@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("KM482915", "no puede ser igual a la anterior"),
        ("XX123456", "el ejemplo de la guía"),
        ("AB111111", "los números de su RUT"),
        ("AB140590", "su fecha de nacimiento"),
        ("AB765000", "su teléfono"),
        ("AA123456", "muy fácil de adivinar"),
        ("ab482916", "2 letras mayúsculas"),
        ("ABCD4829", "al menos 6 números"),
        ("AB 482916", "sin espacios ni tildes"),
        ("ABC48291600", "de 8 a 10 caracteres"),
    ],
)
def test_a_forbidden_key_is_refused_with_its_reason(visitor: Visitor, new: str, reason: str) -> None:
    if new == "AB765000":
        from clave.holders.models import Holder

        camila = Holder.objects.get(identifier=CAMILA)
        camila.mobile = "+56976500012"
        camila.save()
    page = visitor.change_key(CAMILA, "KM482915", new)
    assert page.status == 400 and page.shows(reason)
    assert visitor.sign_in(CAMILA, "KM482915").shows("Camila Rojas Soto")


def test_the_key_before_the_last_change_is_refused_too(visitor: Visitor) -> None:
    visitor.change_key(CAMILA, "KM482915", "NW604827")
    assert visitor.change_key(CAMILA, "NW604827", "KM482915").shows("no puede ser igual a la anterior")


@pytest.mark.abuse(11)
def test_a_temporary_key_works_for_one_hour(visitor: Visitor, mailbox: Mailbox, clock: Stopped) -> None:
    visitor.ask_for_key(CAMILA, "Copito")
    key = mailbox.key(MAIL)
    clock.move(minutes=59, seconds=59)
    visitor.open("/persona/cambiar")
    assert visitor.send(rut=CAMILA, key=key).shows("Clave SENCE nueva")
    clock.move(seconds=2)
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("ya fue cambiada con esta validación")
    assert visitor.change_key(CAMILA, key, "NW604827").shows("no son correctos")


@pytest.mark.abuse(11)
def test_a_temporary_key_works_once(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.ask_for_key(CAMILA, "Copito")
    key = mailbox.key(MAIL)
    assert visitor.change_key(CAMILA, key, "NW604827").shows("Su clave fue cambiada")
    assert visitor.change_key(CAMILA, key, "PT604827").shows("no son correctos")


@pytest.mark.abuse(11)
def test_a_temporary_key_opens_nothing_but_the_change(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.ask_for_key(CAMILA, "Copito")
    key = mailbox.key(MAIL)
    visitor.open("/persona/actualizar")
    assert visitor.send(rut=CAMILA, key=key).shows("Esta clave es temporal")
    assert visitor.sign_in(CAMILA, key).shows("Cambiar mi Clave SENCE", "Clave SENCE nueva")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE"), "nobody is signed in"


def test_the_old_key_still_works_while_a_temporary_one_waits(visitor: Visitor) -> None:
    visitor.ask_for_key(CAMILA, "Copito")
    assert visitor.sign_in(CAMILA, "KM482915").shows("Camila Rojas Soto")


def test_with_minimum_data_missing_the_change_stops(visitor: Visitor) -> None:
    page = visitor.change_key("55555555-5", "VB730164", "NW604827")
    assert page.shows("Faltan datos mínimos", "su dirección", "su celular", "su pregunta y respuesta secreta")


def test_under_the_nist_policy_a_long_phrase_is_taken_and_a_common_one_refused(
    visitor: Visitor, settings: Settings
) -> None:
    settings.KEY_POLICY = "nist"
    assert visitor.change_key(CAMILA, "KM482915", "NW604827").shows("de 15 a 64 caracteres")
    assert visitor.change_key(CAMILA, "KM482915", "contraseña12345").shows("de las más usadas")
    assert visitor.change_key(CAMILA, "KM482915", "tres gatos bajo la lluvia").shows("Su clave fue cambiada")
    assert visitor.sign_in(CAMILA, "tres gatos bajo la lluvia").shows("Camila Rojas Soto")
