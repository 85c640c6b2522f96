"""Updating one's data (guide PN, section 5)."""

import pytest

from clave.holders.models import Holder
from tests.story import Mailbox, Visitor

CAMILA, MAIL = "11111111-1", "camila.rojas@example.cl"


def to_edit(visitor: Visitor) -> None:
    visitor.open("/persona/actualizar")
    visitor.send(rut=CAMILA, key="KM482915")
    visitor.send(question="mascota", answer="Copito")


def test_with_the_key_and_the_answer_address_and_phones_are_updated(visitor: Visitor, mailbox: Mailbox) -> None:
    to_edit(visitor)
    assert visitor.page.shows("11.111.111-1", "Camila Rojas Soto", "Paso 3 de 3")
    assert visitor.page.fields["street"] == "Pasaje Los Aromos" and visitor.page.fields["region"] == "13"
    page = visitor.send(street="Calle Larga", street_number="9", region="09", comuna="09101", mobile="9 7777 8888")
    assert page.shows("Sus datos han sido actualizados correctamente", "10 minutos")
    holder = Holder.objects.get(identifier=CAMILA)
    assert holder.address_line == "Calle Larga 9, Temuco, La Araucanía" and holder.mobile == "+56977778888"
    assert mailbox.last(MAIL)["subject"] == "Sus datos fueron actualizados"


def test_with_birth_date_and_mail_too(visitor: Visitor) -> None:
    visitor.open("/persona/actualizar/fecha-y-correo")
    visitor.send(rut=CAMILA, birth_date="14-05-1990", email="Camila.Rojas@example.cl")
    assert visitor.page.shows("Pregunta secreta")
    visitor.send(question="mascota", answer="copito")
    assert visitor.page.shows("Camila Rojas Soto")


@pytest.mark.parametrize("wrong", [{"birth_date": "15-05-1990"}, {"email": "otra@example.cl"}, {"rut": "44444444-4"}])
def test_one_wrong_datum_gets_one_answer_for_all(visitor: Visitor, wrong: dict[str, str]) -> None:
    visitor.open("/persona/actualizar/fecha-y-correo")
    typed = {"rut": CAMILA, "birth_date": "14-05-1990", "email": MAIL, **wrong}
    assert visitor.send(**typed).shows("no coinciden con una cuenta")


@pytest.mark.parametrize(
    ("date", "message"), [("1990-05-14", "día-mes-año"), ("31-02-1990", "día-mes-año"), ("01-01-2999", "futuro")]
)
def test_a_date_that_is_none_is_explained(visitor: Visitor, date: str, message: str) -> None:
    visitor.open("/persona/actualizar/fecha-y-correo")
    assert visitor.send(rut=CAMILA, birth_date=date, email=MAIL).shows(message)


@pytest.mark.parametrize("typed", [{"question": "pais", "answer": "Copito"}, {"question": "mascota", "answer": "Otro"}])
def test_wrong_question_or_answer_goes_no_further(visitor: Visitor, typed: dict[str, str]) -> None:
    visitor.open("/persona/actualizar")
    visitor.send(rut=CAMILA, key="KM482915")
    assert visitor.send(**typed).shows("La pregunta o la respuesta no son las que usted dejó")


def test_a_new_mail_is_told_to_the_old_and_the_new_one(visitor: Visitor, mailbox: Mailbox) -> None:
    to_edit(visitor)
    page = visitor.send(email="nueva@example.cl")
    assert page.shows("nuevxxxx@exaxxxx", "camixxxx@exaxxxx")
    assert mailbox.last("nueva@example.cl")["subject"] == "Sus datos fueron actualizados"
    old = mailbox.last(MAIL)
    assert old["subject"] == "Cambió el correo de su Clave SENCE" and "nueva@example.cl" not in old["text"]


def test_question_and_key_can_be_changed_here(visitor: Visitor) -> None:
    to_edit(visitor)
    typed = {
        "question": "escuela",
        "answer": "Liceo Uno",
        "key": "KM482915",
        "new_key": "NW604827",
        "new_key_again": "NW604827",
    }
    assert visitor.send(**typed).shows("Su Clave SENCE también fue cambiada")
    assert visitor.sign_in(CAMILA, "NW604827").shows("Camila")
    assert visitor.ask_for_key(CAMILA, "liceo uno").shows("Su clave va en camino")


def test_a_new_key_here_ends_this_session_too(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, "KM482915")
    to_edit(visitor)
    assert visitor.send(key="KM482915", new_key="NW604827", new_key_again="NW604827").shows("también fue cambiada")
    assert visitor.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


def test_a_new_key_needs_the_present_one(visitor: Visitor) -> None:
    to_edit(visitor)
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("Falta completar: Clave SENCE actual")
    page = visitor.send(key="AA999999", new_key="NW604827", new_key_again="NW604827", street="Otra")
    assert page.shows("La Clave SENCE actual no es correcta") and page.fields["street"] == "Otra"
    assert Holder.objects.get(identifier=CAMILA).street == "Pasaje Los Aromos", "nothing half done"


def test_who_lacks_minimum_data_completes_it_and_signs_in(visitor: Visitor) -> None:
    assert visitor.sign_in("55555555-5", "VB730164").shows("Faltan datos mínimos")
    visitor.open("/persona/actualizar")
    page = visitor.send(rut="55555555-5", key="VB730164")
    assert page.shows("A su cuenta le faltan datos", "su dirección")
    assert visitor.send(no_mobile="on").shows("Falta completar: Dirección particular")
    typed = {
        "street": "Los Pinos",
        "street_number": "7",
        "region": "13",
        "comuna": "13101",
        "question": "escuela",
        "answer": "Liceo Dos",
    }
    assert visitor.send(no_mobile="on", **typed).shows("actualizados correctamente")
    assert visitor.sign_in("55555555-5", "VB730164").shows("Iván Soto Lara")


def test_without_a_question_on_file_birth_date_and_mail_open_nothing(visitor: Visitor) -> None:
    visitor.open("/persona/actualizar/fecha-y-correo")
    page = visitor.send(rut="55555555-5", birth_date="17-08-1982", email="ivan.soto@example.cl")
    assert page.shows("Entre con su Clave SENCE")
