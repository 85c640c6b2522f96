"""Sworn statements of actions that were annulled."""

import io

import pytest

from clave.holders.models import Holder
from clave.lib.request_context import SYSTEM
from clave.sandbox.courses import CAMILA, OTEC
from clave.statements import service
from clave.statements.models import Counter, Statement
from clave.training.models import Action
from clave.training.models import State as ActionState
from tests.story import Mailbox, Visitor
from tests.test_statements import MINE, issue_for_otec, participant, the_paper


def annul(action: Action) -> None:
    Action.objects.filter(pk=action.pk).update(state=ActionState.ANNULLED)


@pytest.mark.abuse(83)
def test_nobody_states_about_an_annulled_action(ended: Action, otec: Visitor) -> None:
    issue_for_otec(otec)
    camila = participant()
    camila.open(MINE)
    otec.open("/rts/declaraciones/6700001")
    annul(ended)
    page = camila.send(profession="Contadora", address="Av. Uno 1", key="KM482915")
    assert page.status == 409 and page.shows("fue anulada")
    assert Statement.objects.count() == 1
    Statement.objects.all().delete()
    assert otec.open("/rts/declaraciones/6700001").status == 409
    page = otec.post(
        "/rts/declaraciones/6700001",
        {
            "csrfmiddlewaretoken": otec.client.cookies["csrftoken"].value,
            "rut": OTEC,
            "representative": "33333333-3",
            "key": "CA739105",
            f"r_{CAMILA}": "aprobado",
        },
    )
    assert page.status == 409 and not Statement.objects.exists()
    for call in (
        lambda action: service.issue_for_otec(action, {}, Holder.objects.get(identifier=OTEC), "x", SYSTEM),
        lambda action: service.summary(action, CAMILA),
    ):
        with pytest.raises(service.ActionAnnulled):
            call(Action.objects.get(pk=ended.pk))


@pytest.mark.abuse(83)
def test_an_action_annulled_while_somebody_signs_is_not_stated_about(ended: Action, otec: Visitor) -> None:
    company_holder = Holder.objects.get(identifier=OTEC)
    annul(ended)
    assert ended.state == ActionState.ACTIVE, "as the page read it before"
    with pytest.raises(service.ActionAnnulled):
        service.issue_for_otec(ended, {CAMILA: "aprobado"}, company_holder, "33.333.333-3", SYSTEM)
    assert not Statement.objects.exists() and not Counter.objects.exists(), "no folio is spent"


@pytest.mark.abuse(83)
def test_lists_do_not_offer_to_state_about_an_annulled_action(ended: Action, otec: Visitor) -> None:
    offered = 'href="/rts/declaraciones/6700001"'
    assert offered in otec.open("/rts/declaraciones").html
    assert "/mi-cuenta/declaraciones/6700001" in participant().open("/mi-cuenta/cursos").html
    annul(ended)
    page = otec.open("/rts/declaraciones")
    assert offered not in page.html and page.shows("Excel intermedio (6700001)", "Acción anulada: no se declara")
    page = participant().open("/mi-cuenta/cursos")
    assert "/mi-cuenta/declaraciones/6700001" not in page.html and page.shows("Esta acción fue anulada")


@pytest.mark.abuse(83)
def test_a_statement_of_an_action_annulled_later_says_so(ended: Action, otec: Visitor, mailbox: Mailbox) -> None:
    camila, folio, pdf = the_paper(ended, otec)
    annul(ended)
    stranger = Visitor()
    assert stranger.open(f"/verificar/{folio}").shows("La acción fue anulada después")
    assert "Declaración válida" not in stranger.page.text
    stranger.open("/verificar")
    file = io.BytesIO(pdf)
    file.name = "declaracion.pdf"
    assert stranger.send(paper=file).shows("La acción fue anulada después", "idéntico al emitido")
    page = camila.open(f"/declaracion/{folio}")
    assert page.shows("La acción fue anulada después") and "Pedir que se anule" not in page.text
    assert camila.client.get(f"/declaracion/{folio}/pdf").content == pdf, "what was sworn stays readable"
    token = camila.client.cookies["csrftoken"].value
    camila.post(f"/declaracion/{folio}", {"csrfmiddlewaretoken": token, "motivo": "Insisto"})
    kept = service.find(folio)
    assert kept and kept.state == "issued"
    page = otec.open("/rts/declaraciones/6700001")
    assert page.shows("La acción fue anulada después") and "Recordar a quienes faltan" not in page.text
    token = otec.client.cookies["csrftoken"].value
    otec.post("/rts/declaraciones/6700001", {"csrfmiddlewaretoken": token, "recordar": "1"})
    assert not mailbox.to("diego.munoz@example.cl")
