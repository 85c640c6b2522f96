"""The help desk reviews, watches and keeps its own people (mission.md, section 9)."""

import re

import pytest

from clave.audit import seals
from clave.audit.models import Entry
from clave.backoffice.models import Operator, OperatorAction
from clave.backoffice.tasks import read_chain
from clave.documents.models import Document
from tests.desk import Desk
from tests.story import Mailbox, Visitor
from tests.test_facilitators import ask, asked

CAMILA = "11111111-1"


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


@pytest.mark.abuse(33)
def test_a_reviewer_reads_the_documents_and_decides(demo: None, visitor: Visitor, mailbox: Mailbox) -> None:
    ask(visitor)
    found = asked()
    reviewer = Desk("revisor")
    assert reviewer.open("/backoffice/solicitudes").shows(found.folio, "Capacita Austral SpA")
    assert reviewer.open(f"/backoffice/solicitudes/{found.pk}").shows(
        "Ana Lucía Quispe Mamani", "Bolivia", "05-06-1991"
    )
    assert OperatorAction.objects.filter(operator=reviewer.operator, kind="seen", note=found.folio).count() == 1
    answer = reviewer.client.get(f"/backoffice/solicitudes/{found.pk}/affidavit")
    assert answer.content.startswith(b"%PDF") and answer.headers["Content-Type"] == "application/pdf"
    assert (
        answer.headers["Content-Disposition"].startswith("attachment")
        and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert Entry.objects.filter(action="backoffice.document", detail__document="affidavit").count() == 1
    path = f"/backoffice/solicitudes/{found.pk}/identity"
    for nobody in (visitor, Visitor(), Desk("agente"), Desk("auditor")):
        assert b"PNG" not in nobody.client.get(path).content, "only reviewers"
    reviewer.open(f"/backoffice/solicitudes/{found.pk}")
    assert reviewer.send(decision="no").shows("Falta completar: Motivo")
    reviewer.send(decision="si")
    assert mailbox.key("ana.quispe@example.com") and asked().decided_by == str(reviewer.operator.pk)
    reviewer.open(f"/backoffice/solicitudes/{found.pk}")
    assert reviewer.send(decision="no", reason="demasiado tarde").shows("Otra persona ya resolvió")


def test_a_document_in_quarantine_is_not_given(demo: None, visitor: Visitor) -> None:
    ask(visitor)
    Document.objects.update(state="quarantine")
    reviewer = Desk("revisor")
    page = reviewer.open(f"/backoffice/solicitudes/{asked().pk}")
    assert page.shows("en cuarentena")
    assert reviewer.open(f"/backoffice/solicitudes/{asked().pk}/identity").status == 409


def test_the_trail_is_filtered_read_and_exported(agent: Desk) -> None:
    agent.account(CAMILA, note="=1+1")
    watcher = Desk("supervisor")
    watcher.open("/backoffice/auditoria")
    page = watcher.send(action="backoffice.", who="11.111.111-1")
    assert page.shows("backoffice.seen") and "operator.signin" not in page.text
    assert watcher.send(who="22222222-2").shows("No hay hechos con ese filtro")
    assert watcher.send(action="zzz", who="").shows("No hay hechos con ese filtro")
    page = watcher.send(action="", who="", operator=str(agent.operator.pk), first="2020-01-01", last="2030-01-01")
    assert page.shows("backoffice.seen", "operator.signin")
    for kind in ("csv", "xlsx"):
        watcher.open("/backoffice/auditoria")
        answer = watcher.client.post("/backoffice/auditoria", watcher.fill(action="backoffice.", exportar=kind))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="auditoria.{kind}"'
    assert Entry.objects.filter(action="audit.exported").count() == 2


@pytest.mark.abuse(34)
def test_an_export_holds_no_formulas(agent: Desk) -> None:
    Visitor(HTTP_USER_AGENT="=HYPERLINK(1)").sign_in(CAMILA, "AA000000")
    watcher = Desk("auditor")
    watcher.open("/backoffice/auditoria")
    answer = watcher.client.post("/backoffice/auditoria", watcher.fill(exportar="csv"))
    assert ";'=HYPERLINK(1);" in answer.getvalue().decode()


@pytest.mark.abuse(39)
def test_the_seals_are_verified_from_the_page(agent: Desk) -> None:
    seals.seal_new()
    watcher = Desk("auditor")
    token = {"csrfmiddlewaretoken": watcher.client.cookies["csrftoken"].value}
    assert watcher.post("/backoffice/auditoria/revisar", token).shows("Se está revisando la cadena")
    from clave.backoffice.models import ChainReading

    read_chain.call(ChainReading.objects.get().pk)
    assert watcher.open("/backoffice/auditoria").shows("sellos", "intacta")


def test_the_workload_and_the_messages_are_shown(agent: Desk, mailbox: Mailbox) -> None:
    agent.account(CAMILA)
    agent.act(CAMILA, "clave")
    mailbox.all()
    page = Desk("supervisor").open("/backoffice/trabajo")
    assert page.shows("Agente de prueba", "Vio la cuenta", "Envió una clave temporal", "email", "enviados")


@pytest.mark.abuse(38)
def test_nobody_changes_what_they_themselves_may_do(agent: Desk) -> None:
    token = {"csrfmiddlewaretoken": agent.client.cookies["csrftoken"].value}
    assert agent.post(f"/backoffice/operadores/{agent.operator.pk}", {**token, "rol": "supervisor"}).status == 403
    boss = Desk("supervisor")
    token = {"csrfmiddlewaretoken": boss.client.cookies["csrftoken"].value}
    assert boss.post(f"/backoffice/operadores/{boss.operator.pk}", {**token, "rol": "auditor"}).status == 403
    boss.open("/backoffice/operadores")
    assert boss.send(name="Yo", email=boss.email, role="supervisor").shows("No puede cambiar su propia cuenta")
    assert agent.operator.role == "agente" and boss.operator.role == "supervisor" and boss.operator.hash


def test_supervisors_invite_change_and_suspend_operators(agent: Desk, mailbox: Mailbox) -> None:
    boss, second = Desk("supervisor"), Desk("supervisor2", "198.51.100.201")
    boss.open("/backoffice/operadores")
    boss.send(name="Nueva", email="nueva@mesa.example.cl", role="agente")
    assert second.agree("nueva@mesa.example.cl").shows("nueva@mesa.example.cl", "invitada")
    assert re.search(r"\b[A-Z2-9]{12}\b", mailbox.last("nueva@mesa.example.cl")["text"])
    path = f"/backoffice/operadores/{agent.operator.pk}"
    boss.press(path, rol="revisor")
    second.agree(agent.email)
    assert agent.open("/backoffice/solicitudes").shows("Facilitadores extranjeros"), "at once"
    boss.press(path, activo="no")
    assert agent.open("/backoffice/").url == "/backoffice/ingresar", "at once"
    agent.enter()
    assert agent.page.shows("no son correctos")
    assert Operator.objects.get(email=agent.email).active is False
