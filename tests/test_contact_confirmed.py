"""A company's contact as the desk notes it waits for the company, which confirms or refuses it."""

import re

import pytest

from clave.audit.models import Entry
from clave.credentials import service as credentials
from clave.credentials.models import SecretAnswer, TemporaryKey
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.selfservice import tasks
from clave.selfservice.confirmations import contact_change
from clave.selfservice.models import ContactChange
from clave.signin.models import Session
from tests.contact import NEW_MAIL, STRANGERS, company, link_in, propose, prove
from tests.desk import Desk, colleague
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, ROSA, begin, new_key, sign_in
from tests.story import Mailbox, Visitor, found


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


@pytest.mark.abuse(37, 65)
def test_an_agent_with_a_second_window_does_not_get_a_companys_key(agent: Desk, mailbox: Mailbox) -> None:
    stranger = Visitor("198.51.100.99")
    page = propose(agent, STRANGERS, question="mascota", answer="Canelo")
    assert page.shows("El cambio espera confirmación") and company().email == AUSTRAL_MAIL
    assert begin(stranger, AUSTRAL).shows("Nombre de mi primera escuela"), "the question is still the company's"
    assert stranger.send(answer="Canelo").shows("La respuesta no es correcta")
    assert agent.act(AUSTRAL, "clave").shows("quien cambia un correo no envía una clave")
    assert agent.act(AUSTRAL, "pregunta").shows("quien cambia un correo no envía una clave")
    assert agent.decide(AUSTRAL).shows("Usted ya tuvo parte en esto")
    # A colleague who knows nothing of it sends a key: it goes where the company reads it.
    other = colleague("colega")
    other.account(AUSTRAL)
    assert other.act(AUSTRAL, "clave").shows("va en camino")
    assert mailbox.key(AUSTRAL_MAIL)
    arrived = "".join(message["text"] for message in mailbox.to(STRANGERS))
    assert "codigo=" not in arrived and not re.search(r"\b[A-Z]{4}[0-9]{6}\b", arrived)
    assert SecretAnswer.objects.get(holder=company()).question == "escuela"


@pytest.mark.abuse(65)
def test_meanwhile_the_public_recovery_goes_to_the_old_contact(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent, STRANGERS)
    visitor = Visitor()
    begin(visitor, AUSTRAL)
    assert visitor.send(answer="Liceo Austral").shows("contxxxx@capxxxx")
    assert mailbox.key(AUSTRAL_MAIL) and not any("clave temporal" in m["subject"] for m in mailbox.to(STRANGERS))


@pytest.mark.abuse(65)
def test_the_company_confirms_by_the_link_in_its_old_mailbox(agent: Desk, mailbox: Mailbox) -> None:
    other = Visitor("198.51.100.9")
    sign_in(other, AUSTRAL, ROSA, "CA739105")
    credentials.issue_temporary(company())
    propose(agent, work_phone="222333")
    assert "Todavía no vale" in mailbox.last(NEW_MAIL)["text"]
    visitor = Visitor()
    page = visitor.open(link_in(mailbox.last(AUSTRAL_MAIL), "confirmar"))
    assert page.shows("Todavía no vale", "nuevxxxx@capxxxx", "termina en 33") and company().email == AUSTRAL_MAIL
    assert visitor.send().shows("El contacto nuevo quedó confirmado", "nuevxxxx@capxxxx")
    found = company()
    assert (found.email, found.work_phone, found.review_contact) == (NEW_MAIL, "222333", False)
    assert not Session.objects.filter(holder=found).exists(), "whoever was in is out"
    assert not TemporaryKey.objects.filter(holder=found, used_at=None).exists()
    assert "se cambió el correo" in mailbox.last(AUSTRAL_MAIL)["text"]
    assert "actualizados" in mailbox.last(NEW_MAIL)["subject"]
    assert Entry.objects.get(action="contact.confirmed").detail == {"proof": "link", "operator": ""}


@pytest.mark.abuse(60, 61)
def test_a_link_opened_by_a_mail_scanner_changes_nothing_and_serves_once(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent)
    message = mailbox.last(AUSTRAL_MAIL)
    confirm, reject = link_in(message, "confirmar"), link_in(message, "rechazar")
    for path in (confirm, reject):
        assert Visitor("192.0.2.1").client.head(path, follow=True).status_code == 200
        assert Visitor("192.0.2.1").open(path).status == 200
    assert company().email == AUSTRAL_MAIL and contact_change.waiting_for(company())
    first, second = Visitor(), Visitor("203.0.113.8")
    first.open(confirm)
    second.open(reject)
    assert first.send().shows("quedó confirmado")
    for page in (second.send(), Visitor().open(confirm), Visitor().open(reject)):
        assert page.status == 409 and page.shows("Ya no espera confirmación")
    assert company().email == NEW_MAIL


@pytest.mark.abuse(65)
def test_the_company_refuses_and_everything_stays(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent, STRANGERS)
    visitor = Visitor()
    assert visitor.open(link_in(mailbox.last(AUSTRAL_MAIL), "rechazar")).shows("Rechazar el cambio de contacto")
    assert visitor.send().shows("El cambio quedó rechazado")
    assert company().email == AUSTRAL_MAIL and not contact_change.waiting().exists()
    for address in (AUSTRAL_MAIL, STRANGERS):
        assert "se rechazó el contacto nuevo" in mailbox.last(address)["text"]
    row = ContactChange.objects.get()
    assert (row.state, row.proof, row.email, row.link) == ("refused", "link", "", ""), "the values are gone"


@pytest.mark.abuse(61)
@pytest.mark.parametrize("code", ["", "x", "ñ", "%00", "a" * 3000, "' OR 1=1 --"])
def test_a_made_up_link_leads_nowhere(demo: None, code: str) -> None:
    propose(Desk())
    for path in ("confirmar", "rechazar"):
        page = Visitor().open(f"/{path}?codigo={code}")
        assert page.status == 409 and page.shows("Ya no espera confirmación")
        assert Visitor().client.post(f"/{path}?codigo={code}").status_code == 405


@pytest.mark.abuse(61)
def test_a_change_waits_a_week_and_its_values_are_forgotten(demo: None, mailbox: Mailbox, clock: Stopped) -> None:
    propose(Desk())
    message = mailbox.last(AUSTRAL_MAIL)
    visitor = Visitor()
    clock.move(days=7, seconds=-1)
    assert visitor.open(link_in(message, "confirmar")).status == 200
    clock.move(seconds=2)
    assert visitor.send().shows("Ya no espera confirmación") and company().email == AUSTRAL_MAIL
    tasks.housekeeping.call()
    row = ContactChange.objects.get()
    assert (row.state, row.email, row.old_email, row.work_phone, row.link) == ("expired", "", "", "", "")
    assert propose(Desk()).shows("El cambio espera confirmación"), "another may be proposed"


@pytest.mark.abuse(65)
def test_a_representative_confirms_with_the_card_and_chooses_the_question(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent)
    visitor = Visitor()
    assert prove(visitor, representative="11.111.111-1").shows("no es representante legal")
    assert prove(visitor, serial="111222333").shows("no coincide con una cédula vigente")
    assert prove(visitor).shows("Confirmar el contacto nuevo", "nuevxxxx@capxxxx", "Paso 2 de 2")
    page = visitor.send()
    assert page.shows("quedó confirmado") and company().email == NEW_MAIL and company().review_contact
    visitor.open(found(r'href="(/confirmar/[0-9a-f]+/pregunta)"', page.html)[1])
    assert visitor.send(question="mascota", answer="123").shows("muy corta o muy común")
    assert visitor.send(question="mascota", answer="Canelo Grande").shows("Su pregunta secreta quedó guardada")
    assert "pregunta secreta nueva" in mailbox.last(NEW_MAIL)["text"]
    visitor.open("/Account/GenerarNuevaCusPj")
    assert visitor.send(rut=AUSTRAL).shows("Nombre de mi mascota")
    visitor.send(answer="canelo grande")
    assert new_key(visitor, AUSTRAL, ROSA, mailbox.key(NEW_MAIL), "NW604827").shows("Su clave fue cambiada")


@pytest.mark.abuse(65)
def test_a_company_without_any_mail_is_not_stuck(agent: Desk, mailbox: Mailbox) -> None:
    Holder.objects.filter(identifier=MADERAS).update(email="")
    agent.account(MADERAS)
    assert agent.act(MADERAS, "pregunta").shows("No hay un correo registrado")
    assert propose(agent, "nuevo@maderas.example.cl", MADERAS).shows("un representante lo confirma con su cédula")
    visitor = Visitor()
    prove(visitor, rut=MADERAS, representative=DIEGO, serial="987654321")
    assert visitor.send().shows("quedó confirmado")
    assert company(MADERAS).email == "nuevo@maderas.example.cl"
