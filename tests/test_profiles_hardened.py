"""Companies, migrants and facilitators where today's standards are asked for instead of the guides' rules."""

import pytest
from pytest_django import Settings

from clave.holders.models import Holder
from clave.sandbox import services
from tests import files
from tests.desk import Desk
from tests.firms import NEW as COMPANY
from tests.story import Mailbox, Visitor
from tests.test_facilitators import DATA, asked, begin
from tests.test_migrants import NEW as MIGRANT

PHRASE = "tres arboles sobre la colina"


@pytest.fixture(autouse=True)
def hardened(settings: Settings) -> None:
    settings.SECRET_QUESTIONS = False
    settings.KEY_POLICY = "nist"
    settings.NEW_EMAIL_AFTER_SERIAL = False
    settings.REGISTRATION_PROOF = "id_card"
    settings.TEMPORARY_KEY_SECONDS = 600
    settings.ANSWERS = {
        **settings.ANSWERS,
        "SECRET_QUESTIONS": "off",
        "KEY_POLICY": "nist",
        "REGISTRATION_PROOF": "id_card",
    }


def without_question(data: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in data.items() if name not in ("question", "answer")}


def test_a_company_registers_with_its_representatives_card(visitor: Visitor) -> None:
    visitor.open("/empresa/registrarse")
    assert "question" not in visitor.page.fields
    typed = {**without_question(COMPANY), "new_key": PHRASE, "new_key_again": PHRASE}
    assert visitor.send(**typed, serial="000000000").shows("no corresponde a una cédula vigente")
    assert visitor.send(**typed, serial="444555666").shows("Su cuenta fue creada")
    services.set_behaviour("sii", "down")
    visitor.open("/empresa/registrarse")
    assert visitor.send(**{**typed, "rut": "76111222-8"}, serial="444555666").shows("no podemos revisar su cédula")


def test_a_company_recovers_by_representative_and_card_and_keeps_its_mail(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/empresa/recuperar")
    assert visitor.send(rut="76543210-3").shows("RUT del representante legal")
    visitor.send(representative="33333333-3")
    visitor.send(serial="123456789")
    assert "email" not in visitor.page.fields
    assert visitor.send(right="no").shows("Para cambiar el correo llame a la mesa de ayuda")
    assert visitor.send(right="si").shows("Su clave va en camino")
    assert mailbox.key("contacto@capacita-austral.example.cl")


def test_a_migrant_registers_and_recovers_without_a_question(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/migrante/registrarse")
    visitor.send(**{**without_question(MIGRANT), "new_key": PHRASE, "new_key_again": PHRASE})
    assert visitor.page.shows("Su cuenta fue creada")
    visitor.open("/migrante/recuperar")
    assert visitor.send(nie="900777888").shows("Fecha de nacimiento")
    assert visitor.send(birth_date="09-03-1994", email="marie@example.cl").shows("Su clave va en camino")


def test_a_facilitator_is_asked_for_without_a_question(visitor: Visitor, mailbox: Mailbox) -> None:
    begin(visitor)
    visitor.send(affidavit=files.brought(files.pdf(), "a.pdf"))
    assert "question" not in visitor.page.fields
    visitor.send(**without_question(DATA), scan=files.brought(files.image(), "p.png"))
    reviewer = Desk("revisor")
    reviewer.open(f"/backoffice/solicitudes/{asked().pk}")
    reviewer.send(decision="si")
    assert mailbox.key(DATA["email"])
    visitor.open("/facilitador/recuperar")
    assert visitor.send(document_kind="PAS", document="AB123456").shows("Fecha de nacimiento")


def test_the_desk_asks_for_no_answer(demo: None) -> None:
    agent = Desk()
    agent.account("76543210-3")
    holder = Holder.objects.get(identifier="76543210-3")
    assert "answer" not in agent.open(f"/backoffice/titular/{holder.pk}/contacto").fields
    assert agent.send(email="otra@example.cl", reason="call").shows("El cambio espera confirmación")
