"""What takes two persons: one person with two windows takes over no account and makes no second identity."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from clave.audit.models import Entry
from clave.backoffice import accounts, operator_changes, service
from clave.backoffice.models import Deed, Operator, Proposal
from clave.backoffice.service import Why
from clave.core.visit import SYSTEM
from clave.courier.models import Message
from clave.flows import tasks
from clave.flows.confirmations import contact_change, question_renewal
from clave.flows.models import ContactChange, QuestionRenewal
from clave.holders.models import Holder
from clave.keys import service as keys
from clave.keys.models import SecretAnswer, TemporaryKey
from clave.privacy.models import Petition
from clave.signin.models import Session
from tests.desk import Desk, colleague
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, ROSA, begin, new_key, sign_in
from tests.story import Mailbox, Page, Visitor
from tests.test_facilitators import ask, asked
from tests.test_races import at_once

NEW_MAIL, STRANGERS = "nuevo@capacita-austral.example.cl", "complice@example.cl"
CARD = {"rut": AUSTRAL, "representative": ROSA, "serial": "123456789"}
CAMILA = "11111111-1"


def company(identifier: str = AUSTRAL) -> Holder:
    return Holder.objects.get(identifier=identifier)


def propose(desk: Desk, email: str = NEW_MAIL, identifier: str = AUSTRAL, **more: str) -> Page:
    desk.account(identifier)
    return desk.act(identifier, "contacto", email=email, **more)


def link_in(message: dict[str, str], path: str) -> str:
    return re.search(rf"/{path}\?codigo=[\w-]+", message["text"])[0]


def prove(visitor: Visitor, **changed: str) -> Page:
    visitor.open("/empresa/confirmar")
    return visitor.send(**{**CARD, **changed})


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


# A company's contact


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
    keys.issue_temporary(company())
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
def test_a_change_waits_a_week_and_its_values_are_forgotten(demo: None, mailbox: Mailbox, clock) -> None:
    propose(Desk())
    message = mailbox.last(AUSTRAL_MAIL)
    visitor = Visitor()
    clock.move(days=7, seconds=-1)
    assert visitor.open(link_in(message, "confirmar")).status == 200
    clock.move(seconds=2)
    assert visitor.send().shows("Ya no espera confirmación") and company().email == AUSTRAL_MAIL
    tasks.tidy.call()
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
    visitor.open(re.search(r'href="(/confirmar/[0-9a-f]+/pregunta)"', page.html)[1])
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
    assert set(Deed.objects.filter(moved=True).values_list("kind", flat=True)) == {"contact", "confirmed"}
    assert boss.act(AUSTRAL, "clave").shows("quien cambia un correo no envía una clave")
    for desk in (agent, boss):
        assert desk.act(AUSTRAL, "revisado").shows("Usted ya tuvo parte en esto")
    third = colleague("tercera")
    third.account(AUSTRAL)
    assert third.act(AUSTRAL, "revisado").shows("El cambio quedó revisado")


@pytest.mark.abuse(65)
def test_the_proposer_does_not_confirm_from_another_session_nor_after_a_day(demo: None, clock) -> None:
    propose(Desk())
    clock.move(hours=25)
    again = Desk("agente", "192.0.2.77")
    again.account(AUSTRAL)
    assert again.decide(AUSTRAL).status == 403 and company().email == AUSTRAL_MAIL
    assert again.decide(AUSTRAL, "no").shows("El cambio quedó rechazado"), "but may take it back"


@pytest.mark.abuse(65)
def test_an_operator_confirms_nothing_of_who_brought_them_in_today(demo: None, clock) -> None:
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
    assert not ContactChange.objects.exists() and not Deed.objects.filter(kind="contact").exists()


# The secret question


@pytest.mark.abuse(61, 65)
def test_the_company_chooses_its_question_by_a_link_that_the_agent_never_sees(
    agent: Desk, mailbox: Mailbox, clock
) -> None:
    agent.enter()
    agent.account(AUSTRAL)
    pages = [agent.act(AUSTRAL, "pregunta"), agent.account(AUSTRAL), agent.open("/backoffice/")]
    link = link_in(mailbox.last(AUSTRAL_MAIL), "confirmar")
    code = link.partition("=")[2]
    assert pages[0].shows("El enlace va en camino") and not any(code in page.html for page in pages)
    visitor = Visitor()
    assert visitor.open(link).shows("Elegir la pregunta secreta", "Nadie de la mesa de ayuda la ve")
    assert keys.question_of("", company()) == "escuela", "opening it changes nothing"
    assert visitor.send(question="mascota", answer="Palabra Canaria").shows("quedó guardada")
    assert "pregunta secreta nueva" in mailbox.last(AUSTRAL_MAIL)["text"]
    assert Visitor().open(link).shows("Ya no espera confirmación"), "it serves once"
    dump = str(list(Entry.objects.values_list("detail", flat=True))) + str(list(QuestionRenewal.objects.values()))
    assert code not in dump and "anaria" not in dump
    assert begin(visitor, AUSTRAL).shows("Nombre de mi mascota")
    assert visitor.send(answer="palabra canaria").shows("Su clave va en camino")


@pytest.mark.abuse(61)
def test_a_link_for_the_question_serves_one_hour_and_only_the_newest(demo: None, mailbox: Mailbox, clock) -> None:
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
    tasks.tidy.call()
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
    assert keys.question_of("", company()) == "mascota"


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
    assert keys.question_of("", company()) == "escuela"


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


def test_where_questions_are_off_the_card_confirms_contacts_only(agent: Desk, settings) -> None:
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


# Other things one person might do with two windows


@pytest.mark.abuse(65)
def test_an_operator_gives_back_tries_once_a_day(demo: None, clock) -> None:
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


# A second identity


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
    code = accounts.invite(email, "Yo", "supervisor", None, SYSTEM)
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
def test_who_was_brought_in_today_does_not_confirm_for_who_brought_them(demo: None, clock) -> None:
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


# At the same moment


@pytest.mark.abuse(61, 65)
def test_of_many_confirmations_at_once_one_counts(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent, boss = (Operator.objects.get(email=f"{name}@mesa.example.cl") for name in ("agente", "supervisor"))
    why, holder = Why("call", "caso 1"), company()
    service.propose_contact(agent, holder, {"email": NEW_MAIL, "work_phone": ""}, why, SYSTEM)
    change = contact_change.waiting().select_related("holder").get()
    ways: list[Callable[[], object]] = [
        lambda: service.confirm_contact(boss, change, why, SYSTEM),
        lambda: contact_change.confirm(change, "link", SYSTEM),
        lambda: contact_change.confirm(change, "card", SYSTEM, representative=ROSA),
        lambda: contact_change.refuse(change, "link", SYSTEM),
        lambda: service.confirm_contact(agent, change, why, SYSTEM),
    ]
    results = at_once([ways[number % len(ways)] for number in range(tries)])
    refused = [each for each in results if isinstance(each, (contact_change.NoLongerWaiting, service.NeedsAnother))]
    assert len(results) - len(refused) == 1, results
    assert ContactChange.objects.get().decided_at and Entry.objects.filter(action__startswith="contact.").count() == 1


@pytest.mark.abuse(65)
def test_an_operators_proposal_and_key_at_once_do_not_miss_each_other(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent, why, holder = Operator.objects.get(email="agente@mesa.example.cl"), Why("call", "caso 1"), company()
    data = {"email": STRANGERS, "work_phone": ""}
    ways: list[Callable[[], object]] = [
        lambda: service.propose_contact(agent, holder, data, why, SYSTEM),
        lambda: service.send_key(agent, holder, why, SYSTEM),
        lambda: service.start_question(agent, holder, why, SYSTEM),
    ]
    results = at_once([ways[number % len(ways)] for number in range(tries)])
    assert not [each for each in results if isinstance(each, Exception) and not hasattr(each, "code")], results
    kinds = set(Deed.objects.filter(operator=agent).values_list("kind", flat=True))
    assert kinds and not ("contact" in kinds and kinds & {"key_sent", "question"}), kinds


@pytest.mark.abuse(61)
def test_of_many_answers_by_one_link_at_once_one_counts(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent = Operator.objects.get(email="agente@mesa.example.cl")
    service.start_question(agent, company(), Why("call", "caso 1"), SYSTEM)
    renewal, holder = QuestionRenewal.objects.get(), company()
    results = at_once(
        [
            lambda n=n: question_renewal.renew(holder, "mascota", f"Canelo {n}", SYSTEM, renewal=renewal.pk)
            for n in range(tries)
        ]
    )
    assert sum(isinstance(each, question_renewal.QuestionRenewed) for each in results) == 1, results
    assert sum(isinstance(each, contact_change.NoLongerWaiting) for each in results) == tries - 1


@pytest.mark.abuse(65)
def test_of_many_supervisors_windows_at_once_one_invites(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    boss, second = (Operator.objects.get(email=f"{name}@mesa.example.cl") for name in ("supervisor", "supervisor2"))
    proposal = operator_changes.propose_invitation("nueva@mesa.example.cl", "Nueva", "agente", boss, SYSTEM)
    results = at_once(
        [
            lambda by=(second if number % 2 else boss): operator_changes.confirm(proposal, by, SYSTEM)
            for number in range(tries)
        ]
    )
    assert results.count(None) == 1, results
    assert Message.objects.filter(template="operator_invited").count() == 1
    assert Proposal.objects.get().decided_at - Proposal.objects.get().created_at < timedelta(minutes=5)
