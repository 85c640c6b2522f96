"""Attendance as a participant lives it: from a platform of another site, to Clave, and back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.lms import Lms
from tests.browser.reader import Reader
from tests.installation import LiveInstallation
from tests.wire.platform import CLOSED, OPENED


@pytest.fixture
def lms(site: LiveInstallation) -> Iterator[Lms]:
    server = Lms(site.url)
    yield server
    server.shutdown()


def begin(reader: Reader, lms: Lms, endpoint: str) -> Reader:
    reader.page.goto(lms.url)
    return reader.press(endpoint)


def test_opening_and_closing_from_another_site(reader: Reader, lms: Lms) -> None:
    begin(reader, lms, "IniciarSesion").sees(
        "Abrir sesión en SENCE", "Excel intermedio", lms.url.removeprefix("http://")
    )
    reader.is_accessible("70-abrir").type(key="KM482915").press("Abrir sesión")
    reader.sees("Su sesión está abierta").is_accessible("71-abierta").press("Aceptar").sees("sesión abierta")
    path, fields, origin = lms.received[-1]
    assert (path, list(fields), origin) == ("/volver?id=7&sec=2", OPENED, reader.site.url)
    reader.press("CerrarSesion").sees("Cerrar sesión en SENCE")
    reader.type(key="KM482915").press("Cerrar sesión")
    reader.sees("Su sesión quedó cerrada").is_accessible("72-cerrada").press("Aceptar").sees("sesión cerrada")
    assert list(lms.received[-1][1]) == CLOSED


def test_an_error_goes_back_by_itself(reader: Reader, lms: Lms) -> None:
    lms.changes = {"CodigoCurso": "6700002"}
    begin(reader, lms, "IniciarSesion").page.wait_for_url(f"{lms.url}/error?id=7")
    reader.sees("error 310")
    lms.changes = {}
    begin(reader, lms, "IniciarSesion").press("Cancelar y volver al curso").page.wait_for_url(f"{lms.url}/error?id=7")
    reader.sees("error 312")


def test_on_an_old_phone_without_scripts(phone: Reader, lms: Lms) -> None:
    begin(phone, lms, "IniciarSesion").keep("73-telefono-abrir").type(key="MAL").press("Abrir sesión")
    phone.sees("Hay un problema").keep("74-telefono-error").type(key="KM482915").read_letters().press("Abrir sesión")
    phone.sees("Su sesión está abierta").keep("75-telefono-abierta").press("Aceptar").sees("sesión abierta")
    lms.session, lms.changes = "", {"CodigoCurso": "6700002"}
    begin(phone, lms, "IniciarSesion").sees("El curso terminó o fue anulado").keep("76-telefono-vuelta")
    phone.press("Volver al curso").sees("error 310")


def test_a_second_opening_asks_and_the_page_can_be_reloaded(reader: Reader, lms: Lms) -> None:
    begin(reader, lms, "IniciarSesion").type(key="KM482915").press("Abrir sesión").sees("Su sesión está abierta")
    reader.page.reload()
    reader.sees("Su sesión está abierta")
    begin(reader, lms, "IniciarSesion").type(key="KM482915").press("Abrir sesión")
    reader.sees("Ya tiene una sesión abierta").is_accessible("77-otra-abierta")
    reader.press("Cerrarla ahora, con su tiempo acreditado, y abrir otra").sees("Su sesión está abierta")


def test_without_an_address_to_go_back_to(reader: Reader, lms: Lms, chromium: Browser) -> None:
    lms.changes = {"UrlError": "nada"}
    begin(reader, lms, "IniciarSesion").sees("No pudimos volver a su curso", "203").is_accessible("78-sin-vuelta")
    reader.open("/rce/Registro/IniciarSesion").sees("Esta dirección la usan").is_accessible("79-a-mano")
