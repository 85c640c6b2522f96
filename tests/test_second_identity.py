"""A supervisor alone makes no second identity: what gives an operator power takes two."""

import re

import pytest

from clave.audit.models import Entry
from clave.backoffice import operator_accounts
from clave.backoffice.models import Operator, Proposal
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from tests.contact import STRANGERS
from tests.desk import Desk, colleague
from tests.story import Mailbox


@pytest.mark.abuse(65)
def test_a_supervisor_alone_makes_no_second_identity(demo: None, mailbox: Mailbox) -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    boss.open("/backoffice/operadores")
    assert boss.send(name="Cómplice", email=STRANGERS, role="supervisor").shows("espera que otra persona", "(1)")
    assert not mailbox.to(STRANGERS) and not Operator.objects.filter(email=STRANGERS).exists()
    for window in (boss, Desk("supervisor", "192.0.2.77")):
        assert window.agree(STRANGERS).shows("Debe confirmarlo otra persona") and window.page.status == 403
    assert not Operator.objects.filter(email=STRANGERS).exists()
    assert second.agree(STRANGERS).shows("La propuesta quedó confirmada")
    assert re.search(r"\b[A-Z2-9]{12}\b", mailbox.last(STRANGERS)["text"])
    assert Entry.objects.filter(action__in=["operator.proposed", "operator.confirmed", "operator.invited"]).count() == 3


@pytest.mark.abuse(65)
@pytest.mark.parametrize(
    "email", ["supervisor@mesa.example.cl", "SUPERVISOR@mesa.example.cl", "Supervisor@MESA.example.cl"]
)
def test_capitals_make_no_second_account(demo: None, email: str) -> None:
    boss = Desk("supervisor")
    boss.open("/backoffice/operadores")
    assert boss.send(name="Yo", email=email, role="supervisor").shows("No puede cambiar su propia cuenta")
    code = operator_accounts.invite(email, "Yo", "supervisor", None, SYSTEM)
    assert code and Operator.objects.filter(email__iexact=email).count() == 1


@pytest.mark.abuse(65)
def test_inviting_again_and_reactivating_take_two_and_suspending_one(demo: None, mailbox: Mailbox) -> None:
    boss, second, agent = Desk("supervisor"), Desk("supervisor2", "198.51.100.201"), Desk("agente")
    boss.open("/backoffice/operadores")
    boss.send(name="Agente", email=agent.email, role="agente")
    assert Operator.objects.get(email=agent.email).hash, "password and codes are the agent's until two agree"
    assert agent.open("/backoffice/").status == 200 and agent.page.url == "/backoffice/"
    assert second.agree(agent.email, "no").shows("La propuesta quedó rechazada")
    assert Operator.objects.get(email=agent.email).hash and not mailbox.to(agent.email)
    path = f"/backoffice/operadores/{agent.operator.pk}"
    boss.press(path, activo="no")
    assert not agent.operator.active, "at once"
    boss.press(path, activo="si")
    assert not agent.operator.active
    assert boss.agree(agent.email).status == 403 and not agent.operator.active
    assert second.agree(agent.email).shows("quedó confirmada") and agent.operator.active


@pytest.mark.abuse(65)
def test_a_role_that_gives_something_takes_two_and_one_that_only_takes_away_takes_one(demo: None) -> None:
    boss, second, agent = Desk("supervisor"), Desk("supervisor2", "198.51.100.201"), Desk("agente")
    for role in ("supervisor", "revisor", "auditor"):
        boss.press(f"/backoffice/operadores/{agent.operator.pk}", rol=role)
        assert agent.operator.role == "agente"
        assert boss.agree(agent.email).status == 403 and agent.operator.role == "agente"
        boss.agree(agent.email, "no")
    boss.press(f"/backoffice/operadores/{agent.operator.pk}", rol="revisor")
    assert boss.press(f"/backoffice/operadores/{agent.operator.pk}", rol="auditor").shows("Ya hay una propuesta")
    assert second.agree(agent.email).shows("quedó confirmada") and agent.operator.role == "revisor"
    boss.press(f"/backoffice/operadores/{second.operator.pk}", rol="agente")
    assert second.operator.role == "agente", "at once"


@pytest.mark.abuse(65)
def test_who_was_brought_in_today_does_not_confirm_for_who_brought_them(demo: None, clock: Stopped) -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    third = colleague("tercera", "agente")
    boss.press(f"/backoffice/operadores/{third.operator.pk}", rol="supervisor")
    second.agree(third.email)
    boss.open("/backoffice/operadores")
    boss.send(name="Cómplice", email=STRANGERS, role="agente")
    assert third.agree(STRANGERS).shows("Debe confirmarlo otra persona")
    clock.move(hours=24, seconds=1)
    third.enter()
    assert third.agree(STRANGERS).shows("quedó confirmada")


@pytest.mark.abuse(65)
def test_nobody_confirms_what_is_proposed_about_themselves(demo: None) -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    boss.open("/backoffice/operadores")
    boss.send(name="Otra vez", email=second.email, role="supervisor")
    assert second.agree(second.email).status == 403 and second.operator.hash


@pytest.mark.abuse(65)
def test_what_a_former_supervisor_proposed_is_void(demo: None) -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    boss.open("/backoffice/operadores")
    boss.send(name="Cómplice", email=STRANGERS, role="agente")
    second.press(f"/backoffice/operadores/{boss.operator.pk}", rol="agente")
    assert second.agree(STRANGERS).shows("ya no espera una decisión")
    assert not Operator.objects.filter(email=STRANGERS).exists()


def test_a_supervisor_alone_is_told_what_to_do(demo: None) -> None:
    Operator.objects.filter(email="supervisor2@mesa.example.cl").delete()
    boss = Desk("supervisor")
    page = boss.open("/backoffice/operadores")
    assert page.shows("Usted es la única persona con rol Supervisor", "manage.py add_operator")
    assert boss.send(name="Nueva", email="nueva@mesa.example.cl", role="agente").shows("Pida a quien administra")
    agent = Operator.objects.get(email="agente@mesa.example.cl")
    assert boss.press(f"/backoffice/operadores/{agent.pk}", rol="supervisor").shows("No se hizo", "add_operator")
    assert not Proposal.objects.exists()
