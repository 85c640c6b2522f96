"""The sample platform and a training body's pages in a real browser."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.reader import Reader
from tests.wire.test_training_body import ROW, table


def own_url(reader: Reader) -> str:
    """Return the address that the installation gives itself, so that frames are of its own site."""
    return reader.site.url.replace("127.0.0.1", "localhost")


def test_a_course_of_the_sample_platform_from_opening_to_closing(reader: Reader) -> None:
    page = reader.page
    page.goto(f"{own_url(reader)}/sandbox/")
    page.get_by_role("link", name="Aula de ejemplo con asistencia SENCE").click()
    reader.sees("Aula de ejemplo", "Excel intermedio").is_accessible("100-aula")
    page.get_by_role("link", name="Excel intermedio").first.click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("main")).to_contain_text("Tiempo acreditado en SENCE: 0 hora(s) y 0 minuto(s)")
    reader.is_accessible("101-curso")
    frame.get_by_role("button", name="Click aquí para abrir sesión en SENCE").click()
    reader.sees("Abrir sesión en SENCE").type(key="KM482915").press("Abrir sesión")
    reader.sees("Su sesión está abierta").press("Aceptar").sees("Sesión abierta en SENCE")
    expect(frame.locator(".reloj")).to_contain_text("le quedan 2 h 49 min")
    reader.is_accessible("102-curso-abierta")
    frame.get_by_role("button", name="Cerrar sesión").click()
    reader.type(key="KM482915").press("Cerrar sesión").press("Aceptar").sees("Sesión cerrada en SENCE")
    expect(frame.locator("main")).to_contain_text("está acreditada")


def test_the_clock_of_the_block_goes_by_the_servers_time(reader: Reader) -> None:
    page = reader.page
    page.clock.install(time="2031-01-01T00:00:00Z")
    page.goto(f"{own_url(reader)}/sandbox/aula/curso/6700001")
    page.get_by_role("button", name="Click aquí para abrir sesión en SENCE").click()
    reader.type(key="KM482915").press("Abrir sesión").press("Aceptar")
    address = page.get_by_role("link", name="Abrir el bloque en una página aparte").get_attribute("href")
    page.goto(str(address))
    clock = page.locator(".reloj")
    expect(clock).to_contain_text("le quedan 2 h 49 min")
    page.clock.fast_forward("02:25:00")
    expect(clock).to_have_class("reloj ambar")
    page.clock.fast_forward("00:16:00")
    expect(clock).to_have_class("reloj rojo")
    expect(clock.get_by_role("alert")).to_contain_text("le quedan pocos minutos")
    reader.is_accessible("103-bloque-rojo")


def test_the_block_without_scripts(phone: Reader) -> None:
    phone.page.goto(own_url(phone) + "/sandbox/aula/curso/6700001")
    address = str(phone.page.get_by_role("link", name="Abrir el bloque en una página aparte").get_attribute("href"))
    phone.page.goto(address)
    phone.keep("104-telefono-bloque").press("Click aquí para abrir sesión en SENCE")
    phone.sees("Abrir sesión en SENCE").type(key="KM482915").press("Abrir sesión").press("Aceptar")
    phone.page.goto(address)
    phone.sees("cierre antes de las").keep("105-telefono-bloque-abierto")


def enter(reader: Reader) -> Reader:
    reader.open("/rts").sees("Ingresar como Persona Jurídica").is_accessible("110-rts-ingreso")
    reader.type(rut="76543210-3", representative="33333333-3", key="CA739105").press("Ingresar")
    return reader.sees("Registro de tokens (RTS)")


def test_the_pages_of_a_training_body(reader: Reader, tmp_path: Path) -> None:
    enter(reader).is_accessible("111-rts").type(label="Aula nueva").press("Crear token")
    reader.sees("Cópielo ahora").is_accessible("112-token")
    reader.open("/rts/cursos").sees("Excel intermedio").is_accessible("113-cursos")
    reader.open("/rts/cursos/6700001").sees("Por participante").is_accessible("114-informe")
    reader.open("/rts/sitios").is_accessible("115-sitios")
    reader.open("/rts/revisar").is_accessible("116-revisar")
    reader.type(CodigoCurso="6700001", CodSence="1238000001", UrlRetoma="https://a.cl/", UrlError="https://a.cl/")
    reader.choose(LineaCapacitacion="3").type(runs="11111111-1\n12345678-0").press("Revisar")
    reader.sees("1 de 2 participantes pueden empezar").is_accessible("117-revisado")


def test_a_table_is_brought_and_loaded_by_the_worker(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "tabla.csv"
    file.write_bytes(table(ROW, ["6700010", *[""] * 7, "11111111-2"]).getvalue())
    enter(reader).open("/rts/cargar").is_accessible("118-cargar")
    reader.page.locator("[name=table]").set_input_files(file)
    reader.press("Revisar archivo").sees("2 filas", "1 con problemas", "La acción es nueva").is_accessible(
        "119-revision"
    )
    reader.press("Cargar solo la fila buena").sees("1 de 1 filas cargadas", "Listo").is_accessible("120-cargada")
