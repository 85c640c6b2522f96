"""Sworn statements, from the course's last day to the page where anybody verifies them."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client

from clave.attendance import sessions
from clave.attendance.tasks import watch
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.sandbox.courses import CAMILA, OTEC
from clave.statements import service
from clave.statements.models import Statement
from clave.statements.tasks import make_papers
from clave.training.models import Action, Enrolment
from tests import factories
from tests.desk import Desk
from tests.story import Mailbox, Page, Visitor, at_rts
from tests.test_races import at_once

DIEGO = "22222222-2"
MINE = "/mi-cuenta/declaraciones/6700001"


def attend(run: str, minutes: int, clock: Stopped) -> None:
    enrolment = Enrolment.objects.select_related("action__otec").get(run=run, action__code="6700001")
    while minutes > 0:
        opening = sessions.open_session(enrolment, factories.token_of(enrolment), "x", "")
        clock.move(minutes=min(160, minutes))
        sessions.close(opening)
        minutes -= 160


def end_course(clock: Stopped) -> Action:
    """A course of one hour whose last day was yesterday, attended by Camila and a little by Diego."""
    Action.objects.filter(code="6700001").update(hours=2)
    attend(CAMILA, 100, clock)
    attend(DIEGO, 30, clock)
    action = Action.objects.get(code="6700001")
    action.ends = clave_clock.today() - timedelta(days=1)
    action.starts = action.ends - timedelta(days=30)
    # What was marked today counts for a course that ended yesterday only if it was within its dates.
    Action.objects.filter(pk=action.pk).update(ends=clave_clock.today(), starts=action.starts)
    clock.move(hours=24)
    action.refresh_from_db()
    return action


def participant() -> Visitor:
    visitor = Visitor()
    visitor.sign_in(CAMILA, "KM482915")
    return visitor


def issue_for_otec(otec: Visitor, **results: str) -> Page:
    otec.open("/rts/declaraciones/6700001")
    given = {f"r_{CAMILA}": "aprobado", f"r_{DIEGO}": "reprobado", **results}
    return otec.send(**given, representative="33333333-3", key="CA739105")


def issue(camila: Visitor) -> Page:
    camila.open(MINE)
    return camila.send(profession="Contadora #let x", address="Av. Siempre Viva 742 *", key="KM482915")


def test_the_body_states_first_then_the_participant(ended: Action, otec: Visitor) -> None:
    camila = participant()
    page = camila.open("/mi-cuenta/cursos")
    assert page.shows("Mi declaración jurada")
    assert camila.open(MINE).shows("Todavía no se puede declarar", "todavía no emite")
    page = otec.open("/rts/declaraciones/6700001")
    assert page.shows("Excel intermedio", f"{CAMILA} · 83 %", f"{DIEGO} · 25 %", "Plazo para liquidar el curso")
    assert page.fields[f"r_{CAMILA}"] == "aprobado" and page.fields[f"r_{DIEGO}"] == "", "the threshold proposes"
    page = issue_for_otec(otec)
    assert page.shows("Declaraciones juradas", "1-", "emitida", "Pendiente de emitir")
    page = camila.open(MINE)
    assert page.shows("1 hora y 40 minutos de 2 horas (83 %)", "aprobado", "Camila Rojas Soto", "Domicilio comercial")
    page = issue(camila)
    assert page.shows("Declaración jurada 2-", "Estamos preparando el PDF") and page.response.headers["Refresh"] == "3"
    assert make_papers.call() == 2
    assert camila.open(page.url).shows("Bajar el PDF firmado", "emitida")
    assert camila.open(MINE).url == page.url, "a second one is not offered"
    assert otec.open("/rts/declaraciones/6700001").shows("2-")


def test_it_is_too_early_until_the_day_after_the_end(ended: Action, otec: Visitor) -> None:
    Action.objects.update(ends=clave_clock.today())
    assert otec.open("/rts/declaraciones/6700001").shows("Todavía no se puede declarar")


def test_what_is_missing_or_wrong_is_said_beside_the_field(ended: Action, otec: Visitor) -> None:
    issue_for_otec(otec)
    camila = participant()
    camila.open(MINE)
    page = camila.send(profession="", address="Calle 1", key="KM482915")
    assert page.shows("Falta completar: Profesión u oficio") and page.fields["address"] == "Calle 1"
    assert camila.send(profession="Contadora", key="MALA123456").shows("Hay un problema")
    assert camila.send(rut=DIEGO, key="TR618204", profession="x").shows("la misma persona")
    assert Statement.objects.count() == 1


def test_who_has_no_credited_session_or_did_not_finish_states_nothing(ended: Action, otec: Visitor) -> None:
    issue_for_otec(otec, **{f"r_{CAMILA}": ""})
    assert participant().open(MINE).shows("No hay asistencia que declarar")
    with pytest.raises(service.NothingToState):
        service.summary(ended, "33333333-3")


def test_a_low_attendance_is_said(ended: Action, otec: Visitor) -> None:
    issue_for_otec(otec)
    diego = Visitor()
    diego.sign_in(DIEGO, "TR618204")
    assert diego.open(MINE).shows("Su asistencia es menor que el 75 %")


def the_paper(ended: Action, otec: Visitor) -> tuple[Visitor, str, bytes]:
    issue_for_otec(otec)
    camila = participant()
    folio = issue(camila).url.rsplit("/", 1)[1]
    make_papers.call()
    return camila, folio, camila.client.get(f"/declaracion/{folio}/pdf").content


def test_a_statement_belongs_to_its_person_and_its_body(ended: Action, otec: Visitor) -> None:
    _camila, folio, _pdf = the_paper(ended, otec)
    diego = Visitor()
    diego.sign_in(DIEGO, "TR618204")
    for path in (f"/declaracion/{folio}", f"/declaracion/{folio}/pdf"):
        assert diego.open(path).status == 404 and Client().get(path).status_code == 404
        assert otec.client.get(path).status_code == 200


def test_one_with_a_mistake_is_annulled_and_issued_again(ended: Action, otec: Visitor) -> None:
    camila, folio, _pdf = the_paper(ended, otec)
    camila.open(f"/declaracion/{folio}")
    token = camila.client.cookies["csrftoken"].value
    page = camila.post(f"/declaracion/{folio}", {"csrfmiddlewaretoken": token, "motivo": "Mi domicilio está mal"})
    assert page.shows("anulación solicitada", "Mi domicilio está mal")
    found = service.find(folio)
    assert found
    reviewer = Desk("revisor")
    reviewer.open("/backoffice/solicitudes").shows(folio)
    reviewer.open(f"/backoffice/anulaciones/{found.pk}").shows("Mi domicilio está mal")
    assert reviewer.send(decision="no").shows("Falta completar: Motivo.")
    reviewer.send(decision="no", reason="El domicilio está bien")
    assert camila.open(page.url).shows("re-emisión rechazada")
    assert Visitor().open(f"/verificar/{folio}").shows("Declaración válida")
    camila.post(f"/declaracion/{folio}", {"csrfmiddlewaretoken": token, "motivo": "Insisto"})
    reviewer.open(f"/backoffice/anulaciones/{found.pk}")
    reviewer.send(decision="si")
    assert camila.open(page.url).shows("re-emisión aprobada", "Puede emitirla de nuevo")
    assert reviewer.open(f"/backoffice/anulaciones/{found.pk}").status == 404, "it is decided"
    again = issue(camila)
    assert again.shows("Declaración jurada 3-") and camila.open(page.url).shows("anulada")
    assert Visitor().open(f"/verificar/{folio}").shows("ya no vale")


def test_the_body_reminds_who_has_not_issued(ended: Action, otec: Visitor, mailbox: Mailbox) -> None:
    issue_for_otec(otec)
    issue(participant())
    otec.open("/rts/declaraciones/6700001")
    token = otec.client.cookies["csrftoken"].value
    page = otec.post("/rts/declaraciones/6700001", {"csrfmiddlewaretoken": token, "recordar": "1"})
    assert page.shows("Enviamos 1 recordatorio")
    again = otec.post("/rts/declaraciones/6700001", {"csrfmiddlewaretoken": token, "recordar": "1"})
    assert again.shows("Ya envió recordatorios hoy") and len(mailbox.to("diego.munoz@example.cl")) == 1
    assert "Excel intermedio" in mailbox.last("diego.munoz@example.cl")["text"]
    assert not [mail for mail in mailbox.to("camila.rojas@example.cl") if "declaración" in mail["subject"]]


def test_a_course_across_the_year_has_a_partial_statement(demo: None, clock: Stopped) -> None:
    action = Action.objects.get(code="6700001")
    year = clave_clock.today().year
    Action.objects.filter(pk=action.pk).update(starts=date(year, 11, 1), ends=date(year + 1, 3, 31))
    attend(CAMILA, 60, clock)
    clock.set(clave_clock.now().replace(year=year + 1, month=1, day=5))
    otec = at_rts()
    assert otec.open("/rts/declaraciones/6700001").shows("Es una declaración parcial", f"31-12-{year}")
    issue_for_otec(otec)
    camila = participant()
    assert camila.open(MINE).shows("Es una declaración parcial")
    assert issue(camila).shows(f"Declaración jurada 2-{year + 1}")
    assert camila.open(MINE).shows(f"Declaración jurada 2-{year + 1}")
    clock.set(clave_clock.now().replace(month=4, day=2))
    issue_for_otec(at_rts())
    camila = participant()
    assert "parcial" not in camila.open(MINE).text, "the final one is not kept back by last year's"
    assert (
        issue(camila).shows(f"Declaración jurada 4-{year + 1}") and Statement.objects.filter(partial=True).count() == 2
    )


def test_two_issues_at_once_make_one_and_folios_have_no_gaps(committed: None) -> None:
    action = Action.objects.select_related("otec").get(code="6700001")
    Action.objects.filter(pk=action.pk).update(ends=clave_clock.today() - timedelta(days=1))
    action.refresh_from_db()
    company_holder = Holder.objects.get(identifier=OTEC)
    results = at_once([lambda: service.issue_for_otec(action, {}, company_holder, "33.333.333-3", SYSTEM)] * 6)
    issued = [each for each in results if isinstance(each, Statement)]
    assert len(issued) == 1 and all(isinstance(each, service.AlreadyIssued) for each in results if each not in issued)
    other = Action.objects.get(code="6700002")
    Action.objects.filter(pk=other.pk).update(state="vigente")
    assert service.issue_for_otec(other, {}, company_holder, "33.333.333-3", SYSTEM).number == 2
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM statements_statement")


def test_expired_sessions_do_not_count_in_a_statement(ended: Action, otec: Visitor, clock: Stopped) -> None:
    enrolment = Enrolment.objects.select_related("action__otec").get(run=CAMILA, action__code="6700001")
    sessions.open_session(enrolment, factories.token_of(enrolment), "x", "")
    clock.move(hours=5)
    watch.call()
    issue_for_otec(otec)
    assert service.summary(ended, CAMILA)["sessions"] == 1
