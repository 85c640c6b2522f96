"""The company chooses its secret question; the help desk sees neither the link nor the answer."""

import pytest
from pytest_django import Settings

from clave.audit.models import Entry
from clave.credentials import service as credentials
from clave.credentials.models import SecretAnswer
from clave.lib.clock import Stopped
from clave.selfservice import tasks
from clave.selfservice.models import QuestionRenewal
from tests.contact import CAMILA, STRANGERS, company, link_in, propose, prove
from tests.desk import Desk, colleague
from tests.firms import AUSTRAL, AUSTRAL_MAIL, begin
from tests.story import Mailbox, Visitor


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


@pytest.mark.abuse(61, 65)
def test_the_company_chooses_its_question_by_a_link_that_the_agent_never_sees(
    agent: Desk, mailbox: Mailbox, clock: Stopped
) -> None:
    agent.enter()
    agent.account(AUSTRAL)
    pages = [agent.act(AUSTRAL, "pregunta"), agent.account(AUSTRAL), agent.open("/backoffice/")]
    link = link_in(mailbox.last(AUSTRAL_MAIL), "confirmar")
    code = link.partition("=")[2]
    assert pages[0].shows("El enlace va en camino") and not any(code in page.html for page in pages)
    visitor = Visitor()
    assert visitor.open(link).shows("Elegir la pregunta secreta", "Nadie de la mesa de ayuda la ve")
    assert credentials.question_of("", company()) == "escuela", "opening it changes nothing"
    assert visitor.send(question="mascota", answer="Palabra Canaria").shows("quedó guardada")
    assert "pregunta secreta nueva" in mailbox.last(AUSTRAL_MAIL)["text"]
    assert Visitor().open(link).shows("Ya no espera confirmación"), "it serves once"
    dump = str(list(Entry.objects.values_list("detail", flat=True))) + str(list(QuestionRenewal.objects.values()))
    assert code not in dump and "anaria" not in dump
    assert begin(visitor, AUSTRAL).shows("Nombre de mi mascota")
    assert visitor.send(answer="palabra canaria").shows("Su clave va en camino")


@pytest.mark.abuse(61)
def test_a_link_for_the_question_serves_one_hour_and_only_the_newest(
    demo: None, mailbox: Mailbox, clock: Stopped
) -> None:
    agent = Desk()
    agent.account(AUSTRAL)
    agent.act(AUSTRAL, "pregunta")
    first = link_in(mailbox.last(AUSTRAL_MAIL), "confirmar")
    agent.act(AUSTRAL, "pregunta")
    second = next(link for link in (link_in(m, "confirmar") for m in mailbox.to(AUSTRAL_MAIL)) if link != first)
    assert Visitor().open(first).status == 409
    visitor = Visitor()
    assert visitor.open(second).status == 200
    clock.move(hours=1, seconds=1)
    assert visitor.open(second).status == 409
    tasks.housekeeping.call()
    assert not QuestionRenewal.objects.exists()


@pytest.mark.abuse(61)
def test_a_page_opened_by_a_link_that_was_used_elsewhere_sets_nothing(agent: Desk, mailbox: Mailbox) -> None:
    agent.account(AUSTRAL)
    agent.act(AUSTRAL, "pregunta")
    link = link_in(mailbox.last(AUSTRAL_MAIL), "confirmar")
    first, second = Visitor(), Visitor("203.0.113.8")
    first.open(link)
    second.open(link)
    first.send(question="mascota", answer="Canelo Grande")
    assert second.send(question="calle", answer="Otra Calle").shows("Ya no espera confirmación")
    assert credentials.question_of("", company()) == "mascota"


@pytest.mark.abuse(65)
def test_the_link_goes_to_the_mail_on_file_and_dies_when_that_moves(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent, STRANGERS)
    other = colleague("colega")
    other.account(AUSTRAL)
    other.act(AUSTRAL, "pregunta")
    assert not any("pregunta secreta" in message["subject"] for message in mailbox.to(STRANGERS))
    link = next(link_in(m, "confirmar") for m in mailbox.to(AUSTRAL_MAIL) if "pregunta" in m["subject"])
    visitor = Visitor()
    visitor.open(link)
    assert other.decide(AUSTRAL).shows("quien cambia un correo no envía una clave"), "nor confirms who sent something"
    prover = Visitor("203.0.113.8")
    prove(prover)
    prover.send()
    assert visitor.send(question="mascota", answer="Canelo Grande").shows("Ya no espera confirmación")
    assert not SecretAnswer.objects.filter(holder=company()).exists(), "the card ended the old one too"


@pytest.mark.abuse(65)
def test_the_desks_form_takes_no_question_and_no_answer(agent: Desk) -> None:
    agent.account(AUSTRAL)
    page = agent.open(f"/backoffice/titular/{company().pk}/contacto")
    assert not {"question", "answer"} & set(page.fields)
    assert agent.open(f"/backoffice/titular/{company().pk}/pregunta").fields.keys() == {
        "csrfmiddlewaretoken", "envio", "reason", "note",
    }  # fmt: skip


@pytest.mark.abuse(65)
def test_persons_and_migrants_keep_their_contact_themselves(agent: Desk) -> None:
    agent.account(CAMILA)
    holder = company(CAMILA)
    for action in ("contacto", "pregunta", "cambio/1"):
        assert agent.open(f"/backoffice/titular/{holder.pk}/{action}").status == 403


def test_where_questions_are_off_the_card_confirms_contacts_only(agent: Desk, settings: Settings) -> None:
    settings.SECRET_QUESTIONS = False
    agent.account(AUSTRAL)
    assert "Pedir otra pregunta" not in agent.page.text
    assert agent.act(AUSTRAL, "pregunta").shows("no usa preguntas secretas")
    assert prove(Visitor()).shows("No hay nada que confirmar para esta empresa")
    propose(agent)
    visitor = Visitor()
    prove(visitor)
    assert visitor.send().shows("quedó confirmado", "Generar una clave nueva")


@pytest.mark.abuse(8)
def test_guessing_serials_on_the_public_page_is_stopped(visitor: Visitor) -> None:
    for _ in range(3):
        prove(visitor, serial="000000000")
    assert prove(visitor, serial="123456789").shows("Demasiados intentos")
