"""What the help desk sends twice, by a double click or after a lost answer, it does once and is told once."""

import pytest

from clave.audit.models import Entry
from clave.backoffice.models import OperatorAction, Proposal
from clave.credentials.models import TemporaryKey
from clave.holders.models import Holder
from clave.notifications.models import Message
from clave.privacy.models import Petition
from clave.selfservice.models import ContactChange, Decision
from tests.desk import Desk
from tests.firms import DIEGO, MADERAS, ROSA, sign_in
from tests.story import Page, Visitor
from tests.test_facilitators import ask, asked

CAMILA = "11111111-1"


def clicked_twice(visitor: Visitor, **typed: str) -> tuple[Page, Page]:
    """Send the present form two times as it stands."""
    path, data = visitor.page.url, visitor.fill(**typed)
    return visitor.post(path, data), visitor.post(path, data)


def test_a_key_is_sent_once(demo: None) -> None:
    agent = Desk()
    agent.account(CAMILA)
    agent.open(f"/backoffice/titular/{Holder.objects.get(identifier=CAMILA).pk}/clave")
    for page in clicked_twice(agent, reason="call", note="caso 2"):
        assert page.shows("La clave temporal va en camino", "Historia")
    assert TemporaryKey.objects.filter(holder__identifier=CAMILA).count() == 1
    assert OperatorAction.objects.filter(kind="key_sent").count() == 1
    assert agent.open(page.url).shows("va en camino"), "a reload says it again and sends nothing"
    assert "va en camino" not in Desk("supervisor").account(CAMILA).text, "only to who did it"


def test_what_was_done_is_said_to_no_other_browser_and_not_by_who_makes_up_a_reference(demo: None) -> None:
    agent = Desk()
    agent.account(CAMILA)
    said = agent.act(CAMILA, "desbloquear").url
    assert "?hecho=" in said
    other = Desk("supervisor")
    other.account(CAMILA)
    for path in (said, said.split("?")[0] + "?hecho=nada", said.split("?")[0] + "?hecho=%00<b>"):
        assert "quedó desbloqueada" not in other.open(path).text and other.page.status == 200


def test_a_refused_action_can_be_sent_again_corrected(demo: None) -> None:
    agent = Desk()
    agent.account(CAMILA)
    assert agent.act(CAMILA, "clave", reason="").shows("Falta completar: Motivo")
    assert agent.send(reason="call").shows("va en camino")


def test_an_operator_is_invited_once(demo: None) -> None:
    boss = Desk("supervisor")
    boss.open("/backoffice/operadores")
    for page in clicked_twice(boss, name="Nueva", email="nueva@mesa.example.cl", role="agente"):
        assert page.shows("La invitación a nueva@mesa.example.cl espera")
    second = Desk("supervisor2", "198.51.100.201")
    second.open(f"/backoffice/operadores/propuestas/{Proposal.objects.get().pk}")
    for page in clicked_twice(second, decision="si"):
        assert page.shows("La propuesta quedó confirmada")
    assert Message.objects.filter(template="operator_invited").count() == 1


@pytest.mark.parametrize(("decision", "said"), [("si", "quedó confirmado"), ("no", "quedó rechazado")])
def test_a_change_of_contact_is_proposed_and_decided_once(demo: None, decision: str, said: str) -> None:
    agent, boss = Desk(), Desk("supervisor", "198.51.100.201")
    agent.account(MADERAS)
    agent.open(f"/backoffice/titular/{Holder.objects.get(identifier=MADERAS).pk}/contacto")
    for page in clicked_twice(agent, email="nuevo@example.cl", reason="call"):
        assert page.shows("El cambio espera confirmación")
    boss.account(MADERAS)
    change = ContactChange.objects.get()
    boss.open(f"/backoffice/titular/{change.holder_id}/cambio/{change.pk}")
    for page in clicked_twice(boss, decision=decision, reason="call"):
        assert page.shows(said)
    assert OperatorAction.objects.filter(kind__in=["contact", "confirmed", "declined"]).count() == 2


@pytest.mark.parametrize(("decision", "said"), [("si", "quedó aprobada"), ("no", "quedó rechazada")])
def test_a_request_is_decided_once(demo: None, visitor: Visitor, decision: str, said: str) -> None:
    ask(visitor)
    reviewer = Desk("revisor")
    reviewer.open(f"/backoffice/solicitudes/{asked().pk}")
    for page in clicked_twice(reviewer, decision=decision, reason="La foto no se lee"):
        assert page.shows(f"La solicitud {asked().folio} {said}", "No hay solicitudes en espera")
    assert asked().state == (Decision.APPROVED if decision == "si" else Decision.REJECTED)
    assert OperatorAction.objects.filter(kind="decided").count() == 1


def test_a_deletion_is_granted_once_and_said_though_the_account_is_gone(demo: None, visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, "KM482915")
    visitor.open("/mi-cuenta/mis-datos/pedir")
    visitor.send(right="deletion", key="KM482915")
    boss = Desk("supervisor")
    boss.open(f"/backoffice/datos/{Petition.objects.get().pk}")
    for page in clicked_twice(boss, decision="si"):
        assert page.shows("La solicitud quedó resuelta", "No hay solicitudes en espera")
    assert not Holder.objects.filter(identifier=CAMILA).exists()


def test_a_representative_is_added_once(demo: None, visitor: Visitor) -> None:
    sign_in(visitor, MADERAS, DIEGO, "MS204986")
    visitor.open("/mi-cuenta/representantes")
    typed = {"representative_name": "Alguien Más", "representative_mobile": "87654321"}
    for page in clicked_twice(visitor, representative=ROSA, representative_email="x@example.cl", **typed):
        assert page.shows("33.333.333-3 quedó como representante legal")
    assert Entry.objects.filter(action="representative.added").count() == 1
