"""Ley 21.719: what is held, who looked at it, downloads, correction, deletion, retention."""

import io
import json

import pytest
from pypdf import PdfReader
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from clave.attendance.models import SessionEnd
from clave.audit import seals
from clave.audit.models import Entry
from clave.audit.verification import verify
from clave.backoffice.models import OperatorAction
from clave.documents.models import Document
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.notifications.models import Message
from clave.privacy import retention, service
from clave.privacy.models import Petition
from clave.selfservice.facilitators import service as facilitator
from clave.selfservice.models import FacilitatorRequest
from clave.training.models import Action, Enrolment
from tests import factories
from tests.desk import Desk
from tests.firms import sign_in as company_sign_in
from tests.story import Mailbox, Visitor
from tests.test_facilitators import ask as ask_for_facilitator
from tests.test_migrants import sign_in as migrant_sign_in

CAMILA, MAIL, KEY = "11111111-1", "camila.rojas@example.cl", "KM482915"


def ask(visitor: Visitor, right: str, words: str = "", key: str = KEY) -> None:
    visitor.open("/mi-cuenta/mis-datos/pedir")
    visitor.send(right=right, words=words, key=key)


def test_a_holder_sees_all_that_is_held_and_who_looked_at_it(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, KEY)
    page = visitor.open("/mi-cuenta/mis-datos")
    assert page.shows("Camila Rojas Soto", MAIL, "+56987650001", "Pasaje Los Aromos 123", "14-05-1990", "mascota")
    assert page.shows("Nadie de la mesa de ayuda ha abierto su cuenta")
    agent = Desk()
    agent.account(CAMILA, reason="claim", note="carta 7")
    agent.act(CAMILA, "contacto-completo", note="")
    page = visitor.open("/mi-cuenta/mis-datos")
    assert page.shows("Agente", "Vio la cuenta", "Reclamo escrito", "carta 7", "Vio el contacto completo")
    assert "Agente de prueba" not in page.text and "Copito" not in page.text and "argon2id$" not in page.html


def test_it_can_be_taken_away_as_json_and_as_pdf(visitor: Visitor) -> None:
    Holder.objects.filter(identifier=CAMILA).update(street="#panic(1) *Calle* <x> $y$ [")
    visitor.sign_in(CAMILA, KEY)
    held = json.loads(visitor.client.get("/mi-cuenta/mis-datos.json").content)
    assert held["contacto"]["correo"] == MAIL and held["cuenta"]["rut"] == "11.111.111-1"
    assert {course["código"] for course in held["cursos y asistencia"]} >= {"6700001", "F1234"}
    assert any(fact["acción"] == "Ingreso" for fact in held["hechos"])
    answer = visitor.client.get("/mi-cuenta/mis-datos.pdf")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "Mis datos en Clave SENCE" in text and MAIL in text and "#panic(1) *Calle*" in text
    assert Entry.objects.filter(action="privacy.downloaded").count() == 2
    for kind in ("json", "pdf"):
        assert Visitor().open(f"/mi-cuenta/mis-datos.{kind}").url.startswith("/ingresar")


@pytest.mark.parametrize("profile", ["PJ", "MI"])
def test_every_profile_has_the_page(visitor: Visitor, profile: str) -> None:
    if profile == "PJ":
        company_sign_in(visitor, "76543210-3", "33333333-3", "CA739105")
        assert visitor.open("/mi-cuenta/mis-datos").shows("Capacita Austral SpA", "Representantes", "Rosa Huenchumil")
    else:
        migrant_sign_in(visitor, "900123456", "HT254817")
        assert visitor.open("/mi-cuenta/mis-datos").shows("Jean Baptiste Pierre", "Haití")
    assert visitor.client.get("/mi-cuenta/mis-datos.pdf").content.startswith(b"%PDF")


def test_every_part_has_a_name_on_the_page(demo: None, visitor: Visitor) -> None:
    from clave.privacy import data_export
    from clave.privacy.labels import WORDS

    ask_for_facilitator(visitor)
    Desk().account(CAMILA)

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(names(each) for each in value.values()))
        return set().union(*(names(each) for each in value)) if isinstance(value, list) else set()

    for holder in Holder.objects.all():
        assert names(data_export.everything(holder)) - set(WORDS) == set()


def test_a_correction_is_asked_for_and_answered(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.sign_in(CAMILA, KEY)
    ask(visitor, "correction")
    assert visitor.page.shows("Diga qué dato está mal")
    ask(visitor, "correction", "Mi segundo apellido es Sotto", key="AA000000")
    assert visitor.page.shows("La Clave SENCE no es correcta")
    ask(visitor, "correction", "Mi segundo apellido es Sotto")
    assert visitor.page.shows("Recibimos su solicitud", "30 días")
    assert "30 días" in mailbox.last(MAIL)["text"]
    ask(visitor, "correction", "Otra vez lo mismo")
    assert visitor.page.shows("Ya tiene una solicitud igual")
    boss = Desk("supervisor")
    assert boss.open("/backoffice/datos").shows("Corregir mis datos: RUT 11.111.111-1")
    boss.open(f"/backoffice/datos/{Petition.objects.get().pk}").shows("Mi segundo apellido es Sotto")
    boss.send(decision="no", reason="Lo dice el Registro Civil")
    assert "Rechazada. Lo dice el Registro Civil" in mailbox.last(MAIL)["text"]
    assert visitor.open("/mi-cuenta/mis-datos").shows("Rechazada")


def test_a_deletion_leaves_the_marks_under_a_name_that_leads_nowhere(
    visitor: Visitor, mailbox: Mailbox, clock: Stopped
) -> None:
    enrolment = factories.enrolment(CAMILA)
    opening = factories.opening(enrolment)
    SessionEnd.objects.create(opening=opening, kind="closed", at=clave_clock.now(), seconds=600)
    visitor.sign_in(CAMILA, KEY)
    ask(visitor, "deletion")
    assert visitor.page.shows("Recibimos su solicitud")
    holder = Holder.objects.get(identifier=CAMILA)
    boss = Desk("supervisor")
    boss.open(f"/backoffice/datos/{Petition.objects.get().pk}")
    boss.send(decision="si")
    assert "Aceptada" in mailbox.last(MAIL)["text"]
    assert not Holder.objects.filter(identifier=CAMILA).exists()
    assert not Message.objects.filter(holder=str(holder.pk)).exists()
    enrolment.refresh_from_db()
    assert enrolment.run.startswith("X") and enrolment.openings.get().ending.seconds == 600
    assert not Enrolment.objects.filter(run=CAMILA).exists()
    assert len(set(Enrolment.objects.filter(run__startswith="X").values_list("run", flat=True))) == 1
    assert visitor.open("/mi-cuenta").url.startswith("/ingresar"), "the session is over"
    petition = Petition.objects.get()
    assert (petition.holder, petition.words, petition.state) == (None, "", "granted")
    seals.seal_new()
    assert not verify().fault, "the audit trail stays whole"
    assert Visitor().sign_in(CAMILA, KEY).status == 400
    assert visitor.register(rut=CAMILA).shows("Su cuenta fue creada"), "who comes back begins anew"


def test_nothing_is_deleted_while_a_session_is_open(visitor: Visitor) -> None:
    from clave.attendance.models import ActiveSession

    opening = factories.opening(factories.enrolment(CAMILA))
    ActiveSession.objects.create(enrolment=opening.enrolment, opening=opening, limit_at=opening.limit_at)
    visitor.sign_in(CAMILA, KEY)
    ask(visitor, "deletion")
    boss = Desk("supervisor")
    boss.open(f"/backoffice/datos/{Petition.objects.get().pk}")
    assert boss.send(decision="si").shows("sesión de asistencia abierta")
    assert Holder.objects.filter(identifier=CAMILA).exists() and Petition.objects.get().state == "pending"


def test_a_company_is_no_person(visitor: Visitor) -> None:
    company_sign_in(visitor, "76543210-3", "33333333-3", "CA739105")
    ask(visitor, "deletion", key="CA739105")
    assert visitor.page.shows("no de empresas")


def test_a_facilitators_deletion_takes_the_papers_along(
    visitor: Visitor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, mailbox: Mailbox
) -> None:
    ask_for_facilitator(visitor)
    holder = facilitator.approve(FacilitatorRequest.objects.get(), "1", SYSTEM)
    with django_capture_on_commit_callbacks(execute=True):
        service.erase(holder, SYSTEM)
    assert not FacilitatorRequest.objects.exists() and not Document.objects.exists()
    assert not Holder.objects.filter(profile="FE").exists()


def test_what_has_been_kept_long_enough_is_let_go(visitor: Visitor, settings: Settings, clock: Stopped) -> None:
    ask_for_facilitator(visitor)
    facilitator.reject(FacilitatorRequest.objects.get(), "No se lee", "1", SYSTEM)
    Desk().account(CAMILA)
    ended = Action.objects.get(code="6700002")
    assert not any(retention.purge_expired().values())
    clock.move(days=366)
    assert retention.purge_expired()["facilitator_documents"] == 1
    asked = FacilitatorRequest.objects.get()
    assert (asked.names, asked.email, asked.affidavit, asked.state) == ("", "", None, "rejected")
    assert not Document.objects.exists()
    clock.move(days=365)
    assert retention.purge_expired()["operator_actions"] == 1 and not OperatorAction.objects.exists()
    assert Enrolment.objects.filter(action=ended, run=CAMILA).exists()
    clock.move(days=5 * 365)
    gone = retention.purge_expired()["attendance"]
    assert isinstance(gone, int) and gone > 0
    assert not Enrolment.objects.filter(action=ended, run=CAMILA).exists()
    assert Entry.objects.filter(action="privacy.retention").count() == 3
