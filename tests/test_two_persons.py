"""What takes two persons: one person with two windows takes no company over."""

import pytest

from clave.audit.models import Entry
from clave.backoffice import operator_changes
from clave.backoffice.models import Operator, OperatorAction
from clave.credentials.models import TemporaryKey
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.notifications.models import Message
from clave.privacy.models import Petition
from clave.selfservice.confirmations import contact_change
from clave.selfservice.models import ContactChange
from tests.contact import CAMILA, NEW_MAIL, STRANGERS, company, link_in, propose
from tests.desk import Desk, colleague
from tests.firms import AUSTRAL, AUSTRAL_MAIL, ROSA, begin
from tests.story import Mailbox, Visitor
from tests.test_facilitators import ask, asked


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


@pytest.mark.abuse(65)
def test_a_second_operator_confirms_with_a_reason(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent, work_phone="222333")
    boss = Desk("supervisor", "198.51.100.201")
    assert boss.open("/backoffice/cambios").shows("76.543.210-3", "Agente de prueba", "Cambios de contacto (1)")
    change = contact_change.waiting().get()
    assert boss.open(f"/backoffice/titular/{company().pk}/cambio/{change.pk}").url.endswith("/motivo")
    boss.account(AUSTRAL)
    assert boss.decide(AUSTRAL, reason="").shows("Falta completar: Motivo") and company().email == AUSTRAL_MAIL
    assert boss.send(reason="call", decision="si").shows("El contacto quedó confirmado")
    found = company()
    assert (found.email, found.work_phone, found.review_contact) == (NEW_MAIL, "222333", True)
    assert set(OperatorAction.objects.filter(moved=True).values_list("kind", flat=True)) == {"contact", "confirmed"}
    assert boss.act(AUSTRAL, "clave").shows("quien cambia un correo no envía una clave")
    for desk in (agent, boss):
        assert desk.act(AUSTRAL, "revisado").shows("Usted ya tuvo parte en esto")
    third = colleague("tercera")
    third.account(AUSTRAL)
    assert third.act(AUSTRAL, "revisado").shows("El cambio quedó revisado")


@pytest.mark.abuse(65)
def test_the_proposer_does_not_confirm_from_another_session_nor_after_a_day(demo: None, clock: Stopped) -> None:
    propose(Desk())
    clock.move(hours=25)
    again = Desk("agente", "192.0.2.77")
    again.account(AUSTRAL)
    assert again.decide(AUSTRAL).status == 403 and company().email == AUSTRAL_MAIL
    assert again.decide(AUSTRAL, "no").shows("El cambio quedó rechazado"), "but may take it back"


@pytest.mark.abuse(65)
def test_an_operator_confirms_nothing_of_who_brought_them_in_today(demo: None, clock: Stopped) -> None:
    first, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    newcomer = colleague("nueva")
    operator_changes.confirm(
        operator_changes.propose_role(newcomer.operator, "supervisor", first.operator, SYSTEM), second.operator, SYSTEM
    )
    for proposer, confirmer in ((first, newcomer), (newcomer, second)):
        propose(proposer)
        confirmer.account(AUSTRAL)
        assert confirmer.decide(AUSTRAL).shows("Usted ya tuvo parte en esto"), (proposer.email, confirmer.email)
        agent = Desk("agente", "198.51.100.203")
        agent.account(AUSTRAL)
        agent.decide(AUSTRAL, "no")
    propose(first)
    clock.move(hours=24, seconds=1)
    newcomer.enter()
    newcomer.account(AUSTRAL)
    assert newcomer.decide(AUSTRAL).shows("El contacto quedó confirmado")


@pytest.mark.abuse(65)
def test_what_a_suspended_operator_proposed_only_the_company_confirms(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent)
    Operator.objects.filter(email=agent.email).update(active=False)
    boss = Desk("supervisor")
    boss.account(AUSTRAL)
    assert boss.decide(AUSTRAL).status == 403
    visitor = Visitor()
    visitor.open(link_in(mailbox.last(AUSTRAL_MAIL), "confirmar"))
    assert visitor.send().shows("quedó confirmado")


@pytest.mark.abuse(65)
def test_one_change_waits_and_another_does_not_take_its_place(agent: Desk) -> None:
    propose(agent)
    shown = contact_change.waiting().get()
    other = colleague("colega")
    assert propose(other, STRANGERS).shows("Ya hay un cambio de contacto que espera confirmación")
    assert other.page.status == 409 and contact_change.waiting().get() == shown
    assert Message.objects.filter(template="contact_proposed").count() == 1
    # What a colleague looks at is what is confirmed, although it was replaced meanwhile.
    path = f"/backoffice/titular/{company().pk}/cambio/{shown.pk}"
    other.account(AUSTRAL)
    other.open(path)
    form = other.fill(decision="si", reason="call")
    agent.decide(AUSTRAL, "no")
    propose(agent, STRANGERS)
    assert other.post(path, form).shows("Ya no espera confirmación") and company().email == AUSTRAL_MAIL


@pytest.mark.abuse(65)
def test_a_change_dies_when_the_mail_on_file_moves_otherwise(agent: Desk, mailbox: Mailbox) -> None:
    propose(agent, STRANGERS)
    old = link_in(mailbox.last(AUSTRAL_MAIL), "confirmar")
    visitor = Visitor()
    begin(visitor, AUSTRAL)
    visitor.send(forgotten="on")
    visitor.send(representative=ROSA)
    visitor.send(serial="123456789")
    visitor.send(right="no", email="propio@example.cl")
    assert Visitor().open(old).shows("Ya no espera confirmación")
    assert agent.open("/backoffice/cambios").shows("No hay cambios en espera")
    assert company().email == "propio@example.cl"


@pytest.mark.abuse(37)
def test_correcting_a_telephone_waits_too_but_is_no_change_of_mail(agent: Desk, mailbox: Mailbox) -> None:
    assert propose(agent, AUSTRAL_MAIL, work_phone="222 333").shows("El cambio espera confirmación")
    assert company().work_phone != "222 333"
    assert agent.act(AUSTRAL, "clave").shows("va en camino")
    visitor = Visitor()
    assert "Correo nuevo" not in visitor.open(link_in(mailbox.to(AUSTRAL_MAIL)[-1], "confirmar")).text
    assert visitor.send().shows("quedó confirmado") and company().work_phone == "222 333"
    assert TemporaryKey.objects.filter(holder=company(), used_at=None).exists(), "the mail did not move"


def test_what_is_on_file_already_is_no_change(agent: Desk) -> None:
    assert propose(agent, AUSTRAL_MAIL.upper()).shows("Estos datos ya están registrados")
    assert not ContactChange.objects.exists() and not OperatorAction.objects.filter(kind="contact").exists()


@pytest.mark.abuse(65)
def test_an_operator_gives_back_tries_once_a_day(demo: None, clock: Stopped) -> None:
    agent = Desk()
    agent.account(AUSTRAL)
    assert agent.act(AUSTRAL, "desbloquear").shows("quedó desbloqueada")
    assert agent.act(AUSTRAL, "desbloquear").shows("Usted ya tuvo parte en esto")
    other = colleague("colega")
    other.account(AUSTRAL)
    assert other.act(AUSTRAL, "desbloquear").shows("quedó desbloqueada")


@pytest.mark.abuse(65)
def test_who_had_a_part_decides_no_request_of_that_account(demo: None, visitor: Visitor) -> None:
    ask(visitor)
    boss = Desk("supervisor")
    propose(boss, STRANGERS)
    boss.open(f"/backoffice/solicitudes/{asked().pk}")
    assert boss.send(decision="si").shows("Usted ya tuvo parte en esto") and asked().state == "pending"
    petition = Petition.objects.create(holder=company(), right="correction", words="x", created_at=asked().created_at)
    boss.open(f"/backoffice/datos/{petition.pk}")
    assert boss.send(decision="si").shows("Usted ya tuvo parte en esto")
    petition.refresh_from_db()
    assert petition.state == "pending"


@pytest.mark.abuse(65)
def test_a_passkey_is_not_made_at_a_colleagues_open_desk(agent: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sits down at an open desk has the session, but not the authenticator."""
    from clave.backoffice import passkeys

    made: list[str] = []
    monkeypatch.setattr(passkeys, "register", lambda *args: made.append(args[3]))
    agent.open("/backoffice/mi-acceso")
    assert agent.send(label="Ajena", answer="{}").shows("Falta completar: Código de su aplicación")
    assert agent.send(label="Ajena", answer="{}", code="000000").shows("El código no es correcto o ya se usó")
    assert agent.send(label="Ajena", answer="{}", code=agent.code()).shows("ya se usó"), "it signed in"
    agent.send(label="Ajena", answer="{}", code="000000")
    Operator.objects.filter(email=agent.email).update(totp_step=0)
    assert agent.send(label="Ajena", answer="{}", code=agent.code()).shows("Demasiados intentos") and not made


@pytest.mark.abuse(36)
def test_whose_history_is_read_in_the_trail_sees_that(demo: None) -> None:
    watcher = Desk("auditor")
    watcher.open("/backoffice/auditoria")
    watcher.send(who=CAMILA)
    assert Entry.objects.filter(action="audit.read", subject=str(company(CAMILA).pk)).count() == 1
    watcher.send(who="99999999-9")
    assert Entry.objects.filter(action="audit.read").count() == 3
