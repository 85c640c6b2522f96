"""What a training body does here: tokens, loading courses, the roster before day one, reports."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pytest_django import Settings

from clave.attendance.tasks import watch
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.rut import check_digit
from clave.sandbox.courses import CAMILA, OTEC, TOKEN
from clave.training.course_import import COLUMNS
from clave.training.models import Action, ImportJob, Token
from tests import factories
from tests.files import as_table
from tests.story import Page, Visitor
from tests.wire.platform import GOOD, Answer, Platform

ROW = ["6700009", "1238000001", "3", "Curso nuevo", "e-learning", "40", "01-11-2026", "31-01-2027", "11111111-1"]


def press(visitor: Visitor, path: str, **data: str) -> Page:
    """Press a button that stands outside the page's main form."""
    return visitor.post(path, {"csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value, **data})


@pytest.mark.parametrize(
    "typed",
    [
        {"representative": "22.222.222-2"},
        {"rut": "77222333-1"},
        {"key": "CA739106"},
        {"rut": "12345678-5"},
        {"rut": "33333333-3", "key": "PL905371"},
    ],
)
def test_only_a_legal_representative_with_the_companys_key_gets_in(demo: None, typed: dict[str, str]) -> None:
    visitor = Visitor()
    visitor.open("/rts")
    page = visitor.send(**{"rut": OTEC, "representative": "33333333-3", "key": "CA739105", **typed})
    assert page.shows("Hay un problema") and page.fields["rut"]


def test_a_company_that_is_no_training_body_is_told_so(demo: None) -> None:
    visitor = Visitor()
    visitor.open("/rts")
    page = visitor.send(rut="77222333-1", representative="22222222-2", key="MS204986")
    assert page.status == 403 and page.shows("Su empresa no es un organismo de capacitación", "Maderas del Sur")


@pytest.mark.abuse(83)
def test_a_token_is_shown_whole_once_serves_at_once_and_dies_at_once(otec: Visitor) -> None:
    page = otec.send(label="Aula nueva")
    text = page.html.split('class="destacado clave">')[1].split("<")[0]
    assert len(text) == 36 and text == text.upper() and page.shows("Cópielo ahora")
    platform = Platform()
    assert platform.open(Token=text.lower()).verdict == "opened", "compared without case"
    page = otec.open("/rts")
    assert page.shows("Aula nueva", f"…{text[-4:]}", "Vigente", "Aula virtual") and text not in page.html
    path = f"/rts/{Token.objects.get(label='Aula nueva').pk}/revocar"
    assert otec.open(path).shows("Revocar un token", "Aula nueva", "deja de registrar asistencia")
    assert Token.objects.get(label="Aula nueva").revoked_at is None, "not revoked without asking"
    otec.send()
    assert otec.page.shows("Revocado el")
    assert platform.ask("IniciarSesion", Token=text).verdict == "error 212"


def test_a_double_click_makes_one_token(otec: Visitor) -> None:
    form = otec.fill(label="Aula nueva")
    first, second = otec.post("/rts", form), otec.post("/rts", form)
    assert Token.objects.filter(label="Aula nueva").count() == 1
    assert first.html.split("destacado clave")[1][:60] == second.html.split("destacado clave")[1][:60]


@pytest.mark.abuse(9)
def test_a_thief_of_the_database_finds_no_token(otec: Visitor) -> None:
    rows = str(list(Token.objects.values()))
    assert TOKEN not in rows and "C1A7E000" not in rows


def test_nobody_revokes_anothers_token(otec: Visitor) -> None:
    token = Token.objects.create(
        otec=factories.otec(), label="x", digest="d", hint="hint", created_at=clave_clock.now()
    )
    press(otec, f"/rts/{token.pk}/revocar")
    token.refresh_from_db()
    assert token.revoked_at is None
    for path in ("/rts", "/rts/cursos", "/rts/cargar", "/rts/revisar", "/rts/sitios", "/rts/cursos/6700001"):
        assert Visitor().open(path).shows("Ingresar como Persona Jurídica"), path
    assert otec.open("/rts/cursos/6800001").status == 404


@pytest.mark.abuse(28)
def test_a_body_registers_the_sites_its_answers_may_go_to(otec: Visitor, settings: Settings) -> None:
    settings.RCE_RETURN_HOSTS = "registered"
    assert otec.open("/rts/sitios").status == 200
    assert otec.send(hosts="https://aula.example.cl/x").shows("no es un nombre de sitio")
    assert otec.send(hosts="Aula.example.cl  campus.example.cl").shows("aula.example.cl, campus.example.cl")
    assert Platform().open().verdict == "opened"


def table(*rows: list[str], kind: str = "csv") -> io.BytesIO:
    content = as_table(kind, COLUMNS, rows)
    file = io.BytesIO(content)
    file.name = f"tabla.{kind}"
    return file


def test_a_roster_is_reviewed_with_the_protocols_own_checks(otec: Visitor) -> None:
    asked = {name: GOOD[name] for name in ("CodigoCurso", "CodSence", "LineaCapacitacion", "UrlRetoma", "UrlError")}
    factories.enrolment("44444444-4")
    otec.open("/rts/revisar")
    with CaptureQueriesContext(connection) as few:
        page = otec.send(**asked, runs="11.111.111-1\n33333333-3\n12345678-0\n44444444-4")
    assert page.shows("1 de 4 participantes pueden empezar", "Todo bien", "208", "207", "Todavía no tiene Clave SENCE")
    many = "\n".join(f"{number}-{check_digit(number)}" for number in range(20_000_000, 20_000_300))
    with CaptureQueriesContext(connection) as more:
        assert otec.send(**asked, runs=many).shows("0 de 300")
    assert len(more) <= len(few), "as many statements for 300 strangers as for four people"
    for changes, code in (
        ({"CodigoCurso": "6700005"}, "310"),
        ({"CodSence": "1238000002"}, "306"),
        ({"Token": "x"}, "303"),
        ({"UrlRetoma": "nada"}, "202"),
    ):
        assert otec.send(**{**asked, **changes}, runs=CAMILA).shows(code)
    page = otec.send(**{**asked, "CodigoCurso": "6700003", "Token": ""}, runs=CAMILA)
    assert page.shows("1 de 1 participante puede empezar"), "judged as on the course's first day"


def attended(clock: Stopped) -> None:
    platform = Platform()
    first = platform.open()
    clock.move(minutes=90)
    platform.close(first.fields["IdSesionSence"])
    Platform().open(RunAlumno="22222222-2")


def test_reports_show_who_attended_when_and_who_is_there_now(otec: Visitor, clock: Stopped) -> None:
    attended(clock)
    page = otec.open("/rts/cursos")
    assert page.shows("6700001", "Excel intermedio", "Sesiones abiertas ahora", "22222222-2")
    page = otec.open("/rts/cursos/6700001")
    assert page.shows("11111111-1", "1 hora y 30 minutos", "3 %", "Por día")
    tomorrow = (clave_clock.today() + timedelta(days=1)).isoformat()
    page = otec.open(f"/rts/cursos/6700001?desde={tomorrow}&hasta=nada")
    assert page.shows("0 horas y 0 minutos", "No hay sesiones en estas fechas")
    assert otec.open("/rts/cursos/RLAB-26-02-08-0071-1").shows("Atención de público")
    clock.move(minutes=200)
    watch.call()
    assert otec.open("/rts/cursos").shows("Nadie tiene una sesión abierta")


@pytest.mark.abuse(34)
def test_exports_hold_the_figures_and_no_formulas(otec: Visitor, clock: Stopped) -> None:
    attended(clock)
    text = otec.client.get("/rts/cursos/6700001/asistencia.csv").getvalue().decode("utf-8-sig")
    assert text.splitlines()[1].startswith("11111111-1;5400;3;1;0;")
    sheet = load_workbook(io.BytesIO(otec.client.get("/rts/cursos/6700001/asistencia.xlsx").getvalue())).active
    assert isinstance(sheet, Worksheet)
    assert [cell.value for cell in sheet[2]][:3] == ["11111111-1", 5400, 3]
    for evil in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert as_table("csv", ["a"], [[evil]]).decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")
        sheet = load_workbook(io.BytesIO(as_table("xlsx", ["a"], [[evil]]))).active
        assert isinstance(sheet, Worksheet)
        cell = sheet["A2"]
        assert cell.data_type == "s" and cell.value.startswith("'")


def test_signing_out_ends_it(otec: Visitor) -> None:
    otec.open("/rts")
    press(otec, "/salir")
    assert otec.open("/rts").shows("Ingresar como Persona Jurídica")
    assert Answer(Platform().ask("IniciarSesion", RutOtec="1").page).verdict == "error 209"


@pytest.mark.abuse(42)
def test_a_large_file_is_read_only_from_somebody_with_a_session(otec: Visitor) -> None:
    large = b"x" * (3 * 1024 * 1024)
    for client, statuses in ((Client(), {413}), (otec.client, {302})):
        file = io.BytesIO(large)
        file.name = "tabla.csv"
        assert client.post("/rts/cargar", {"table": file}).status_code in statuses


def test_an_operator_registers_a_body_and_loads_its_courses(demo: None, tmp_path: Path) -> None:
    call_command("add_body", "12.345.678-5", "Nueva Capacitadora")
    file = tmp_path / "tabla.csv"
    file.write_bytes(table(ROW, ["6700010", *[""] * 7, "22222222-2"]).getvalue())
    with pytest.raises(CommandError, match="nothing was loaded"):
        call_command("load_courses", "12345678-5", str(file), stderr=io.StringIO())
    assert not ImportJob.objects.exists() and not Action.objects.filter(code="6700009").exists()
    out = io.StringIO()
    call_command("load_courses", "12345678-5", str(file), good=True, stdout=out, stderr=io.StringIO())
    assert out.getvalue() == "1 rows loaded\n" and Action.objects.get(code="6700009").otec.name == "Nueva Capacitadora"
    call_command("add_body", "76543210-3", "Capacita Austral SpA", suspend=True)
    assert Platform().ask("IniciarSesion").verdict == "error 302"
    call_command("add_body", "76543210-3", "Capacita Austral SpA", resume=True)
    assert Platform().open().verdict == "opened"
    with pytest.raises(CommandError):
        call_command("add_body", "12345678-0", "x")
