"""Tables of courses that an OTEC uploads: checked, shown, then loaded."""

import io
import zipfile

import pytest

from clave.lib.rut import check_digit
from clave.sandbox.courses import OTEC
from clave.training.models import Action, Enrolment, ImportJob, Otec
from clave.training.tasks import work_on_imports
from tests.files import as_table
from tests.story import Page, Visitor
from tests.wire.test_training_body import ROW, press, table


def bring(otec: Visitor, file: io.BytesIO) -> Page:
    otec.open("/rts/cargar")
    otec.send(table=file)
    assert otec.page.shows("Estamos revisando"), otec.page.text
    work_on_imports.call()
    return otec.open(otec.page.url)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_is_checked_shown_and_then_loaded(otec: Visitor, kind: str) -> None:
    page = bring(otec, table(ROW, ["6700009", *[""] * 7, "22.222.222-2"], kind=kind))
    assert page.shows("2 filas", "0 con problemas", "Curso nuevo", "Cargar todo")
    assert not Action.objects.filter(code="6700009").exists(), "nothing is loaded before it is confirmed"
    press(otec, page.url)
    work_on_imports.call()
    assert otec.open(page.url).shows("2 de 2 filas cargadas", "Listo")
    action = Action.objects.get(code="6700009")
    assert (action.hours, action.otec.rut, action.enrolments.count()) == (40, OTEC, 2)
    assert bytes(ImportJob.objects.get().content) == b""


def test_each_wrong_row_names_line_column_and_remedy_and_nothing_is_loaded(otec: Visitor) -> None:
    bad = [
        ["6700009", "123", "3", "Curso", "e-learning", "40", "01-11-2026", "31-01-2027", "11111111-1"],
        ["6700010", "1238000001", "4", "", "a distancia", "cero", "ayer", "31-01-2027", "11111111-2"],
        ["6800001", *[""] * 7, "11111111-1"],
        ["6700011", *[""] * 7, "11111111-1"],
    ]
    page = bring(otec, table(ROW, *bad))
    for words in (
        "5 filas",
        "4 con problemas",
        "Escriba los 10 dígitos",
        "Escriba 1, 3 o 6",
        "Escriba e-learning o presencial",
    ):
        assert page.shows(words)
    assert page.shows("Revise el RUN", "es de otro organismo", "La acción es nueva", "Cargar solo la fila buena")
    press(otec, page.url)
    work_on_imports.call()
    assert not Action.objects.filter(code="6700009").exists(), "all or nothing"
    press(otec, page.url, buenas="1")
    work_on_imports.call()
    assert set(Action.objects.filter(code__startswith="67000").values_list("code", flat=True)) >= {"6700009"}
    assert not Action.objects.filter(code__in=["6700010", "6700011"]).exists()


def bomb() -> bytes:
    """Return a workbook of a few hundred kilobytes, one cell of which unpacks to 600 MB."""
    book, out = io.BytesIO(as_table("xlsx", ["RUN"], [["x"]])), io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
        with new.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            sheet.write(b'<row r="1"><c r="A1" t="inlineStr"><is><t>')
            for _ in range(600):
                sheet.write(b"x" * (1 << 20))
            sheet.write(b"</t></is></c></row></sheetData></worksheet>")
    return out.getvalue()


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 \0\0", b"PK\x03\x04 broken", b"\x00\x01", b"BOMB"])
@pytest.mark.slow
def test_what_is_no_table_is_refused_with_a_word(otec: Visitor, content: bytes) -> None:
    file = io.BytesIO(bomb() if content == b"BOMB" else content)
    file.name = "tabla.csv"
    otec.open("/rts/cargar")
    page = otec.send(table=file)
    if page.status == 200:
        work_on_imports.call()
        page = otec.open(page.url)
    assert any(words in page.text for words in ("no es una tabla", "no se pudo leer", "Falta completar", "vacío")), (
        page.text
    )


def test_a_killed_worker_is_taken_over_where_it_stopped(otec: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from clave.training import course_import

    monkeypatch.setattr(course_import, "CHUNK", 2)
    runs = [f"{number}-{check_digit(number)}" for number in range(20_000_000, 20_000_005)]
    page = bring(otec, table(*[[*ROW[:8], run] for run in runs]))
    press(otec, page.url)
    store, calls = course_import._store, []

    def killed(body: Otec, rows: list[course_import.Row]) -> None:
        calls.append(len(rows))
        if len(calls) == 2:
            raise KeyboardInterrupt
        store(body, rows)

    monkeypatch.setattr(course_import, "_store", killed)
    with pytest.raises(KeyboardInterrupt):
        work_on_imports.call()
    assert otec.open(page.url).shows("2 de 5 filas cargadas")
    work_on_imports.call()
    assert otec.open(page.url).shows("5 de 5 filas cargadas") and calls == [2, 2, 2, 1]
    assert Enrolment.objects.filter(action__code="6700009").count() == 5


def test_the_template_comes_back_as_a_good_table(otec: Visitor) -> None:
    for kind in ("csv", "xlsx"):
        file = io.BytesIO(otec.client.get(f"/rts/cargar/plantilla.{kind}").getvalue())
        file.name = "plantilla"
        otec.open("/rts/cargar")
        assert otec.send(table=file).status == 200
        work_on_imports.call()
        assert otec.open(otec.page.url).shows("1 fila", "0 con problemas")
    assert otec.client.get("/rts/cargar/plantilla.exe").status_code == 404
