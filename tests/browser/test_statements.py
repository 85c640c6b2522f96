"""A sworn statement in a real browser: the body's, the participant's, the paper, the page that verifies."""

from pathlib import Path

from tests.browser.reader import Reader

PAST = """
from datetime import timedelta
from clave.attendance.models import SessionEnd
from clave.attendance import sessions
from clave.lib import clock
from clave.training.models import Action, Enrolment
place = Enrolment.objects.select_related("action__otec").get(run="11111111-1", action__code="6700001")
days = clock.now() - timedelta(days=2)
with clock.stopped(days) as stopped:
    opening = sessions.open_session(place, place.action.otec.tokens.first(), "x", "")
    stopped.move(minutes=100)
    sessions.close(opening)
Action.objects.filter(code="6700001").update(hours=2, ends=clock.today() - timedelta(days=1))
"""


def test_from_the_bodys_statement_to_the_verified_paper(reader: Reader, tmp_path: Path) -> None:
    reader.site.installation.manage("shell", "-c", PAST)
    reader.open("/rts").type(rut="76543210-3", representative="33333333-3", key="CA739105").press("Ingresar")
    reader.open("/rts/declaraciones").sees("Excel intermedio").is_accessible("130-declaraciones")
    reader.open("/rts/declaraciones/6700001").sees("11111111-1 · 83 %").is_accessible("131-organismo")
    reader.type(representative="33333333-3", key="CA739105").press("Declaramos bajo juramento")
    reader.sees("Pendiente de emitir").is_accessible("132-estado")
    reader.open("/rts").press("Salir")
    reader.open("/ingresar").type(rut="11111111-1", key="KM482915").press("Ingresar")
    reader.open("/mi-cuenta/cursos").sees("Mi declaración jurada").is_accessible("133-mis-cursos")
    reader.page.get_by_role("link", name="Mi declaración jurada 6700001").click()
    reader.sees("1 hora y 40 minutos", "Plazo para liquidar el curso").is_accessible("134-declarar")
    reader.type(profession="Contadora", address="Calle Larga 12, Temuco", key="KM482915").press(
        "Declaro bajo juramento"
    )
    reader.page.get_by_role("link", name="Bajar el PDF firmado").wait_for(timeout=30_000)
    reader.is_accessible("135-emitida")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("link", name="Bajar el PDF firmado").click()
    paper = tmp_path / "declaracion.pdf"
    download.value.save_as(paper)
    (reader.folder / "135-declaracion.pdf").write_bytes(paper.read_bytes())
    reader.page.get_by_role("link", name="Ver la página de verificación").click()
    reader.sees("Declaración válida").is_accessible("136-verificada")
    reader.page.get_by_role("link", name="Verificar otra").click()
    reader.is_accessible("137-verificar").page.locator("[name=paper]").set_input_files(paper)
    reader.press("Verificar").sees("El archivo es idéntico al emitido")


def test_the_inspector_can_be_read_by_everybody(reader: Reader) -> None:
    reader.open("/sandbox/inspector").sees("Inspector del protocolo", "Para copiar").is_accessible("138-inspector")


def test_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.site.installation.manage("shell", "-c", PAST)
    phone.open("/rts").type(rut="76543210-3", representative="33333333-3", key="CA739105").press("Ingresar")
    for name, path in (
        ("140-rts", "/rts"),
        ("141-cursos", "/rts/cursos"),
        ("142-informe", "/rts/cursos/6700001"),
        ("143-cargar", "/rts/cargar"),
        ("144-revisar", "/rts/revisar"),
        ("145-declaraciones", "/rts/declaraciones"),
    ):
        phone.open(path).keep(f"{name}-telefono")
    phone.open("/rts/declaraciones/6700001").keep("146-organismo-telefono")
    phone.type(representative="33333333-3", key="CA739105").press("Declaramos bajo juramento")
    phone.sees("Pendiente de emitir").keep("147-estado-telefono").open("/rts").press("Salir")
    phone.open("/ingresar").type(rut="11111111-1", key="KM482915").press("Ingresar")
    phone.open("/mi-cuenta/cursos").sees("Mi declaración jurada").keep("148-mis-cursos-telefono")
    phone.open("/mi-cuenta/declaraciones/6700001").keep("149-declarar-telefono")
    phone.type(profession="Contadora", address="Calle Larga 12", key="KM482915").press("Declaro bajo juramento")
    phone.sees("Declaración jurada").keep("150-emitida-telefono")
    phone.open("/verificar").keep("151-verificar-telefono").type(folio="2-2026").press("Verificar")
    phone.keep("152-verificada-telefono").open("/sandbox/inspector").keep("153-inspector-telefono")
    phone.open("/sandbox/").keep("154-sandbox-telefono")
