"""Signing in to other systems in a real browser: a real application of another site sends people here and back.

Every page seen must keep to its content policy: what the browser stops is an error in its console (`Reader.sees`).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.application import RelyingApplication
from tests.browser.reader import Reader
from tests.browser.test_without import tab_to
from tests.installation import LiveInstallation, until

CAMILA = {"rut": "11111111-1", "key": "KM482915"}
GREETING = "Hola, Camila Rojas Soto (11111111-1)"


@pytest.fixture
def app(site: LiveInstallation) -> Iterator[RelyingApplication]:
    application = RelyingApplication(site)
    yield application
    application.close()


@pytest.fixture
def small(chromium: Browser, site: LiveInstallation, folder: Path) -> Iterator[Reader]:
    """A person with a small phone whose browser runs scripts."""
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    yield Reader(context.new_page(), site, folder)
    context.close()


def visit(person: Reader, app: RelyingApplication) -> Reader:
    """Go to the application and press its button."""
    person.page.goto(app.url)
    return person.follow("Ingresar con Clave SENCE")


def enter(person: Reader, app: RelyingApplication) -> Reader:
    """Enter an application for the first time, from its own page."""
    visit(person, app).sees(f"Ingrese para entrar a {app.name}").type(**CAMILA).press("Ingresar")
    return person.sees(f"Entrar a {app.name}").press("Permitir y entrar").sees(GREETING)


def test_a_person_enters_another_system_and_is_remembered(person: Reader, app: RelyingApplication) -> None:
    visit(person, app).sees("Ingrese para entrar a Aula Virtual").is_accessible("95-ingreso-a-otro-sistema")
    person.type(**CAMILA).press("Ingresar").sees("Entrar a Aula Virtual", "Camila Rojas Soto", "Su correo")
    person.is_accessible("95-permiso").press("Permitir y entrar").sees(GREETING)
    visit(person, app).sees(GREETING)
    person.open("/mi-cuenta").press("Salir").sees("Salió de su cuenta")
    visit(person, app).type(**CAMILA)
    person.page.get_by_role("button", name="Ingresar", exact=True).click()
    person.sees(GREETING)


def test_who_does_not_allow_it_goes_back_without_signing_in(person: Reader, app: RelyingApplication) -> None:
    visit(person, app).type(**CAMILA).press("Ingresar").sees("Entrar a Aula Virtual")
    person.page.get_by_role("button", name="No permitir y volver").click()
    person.sees("sin ingresar: access_denied")


def test_who_does_not_want_to_sign_in_goes_back(person: Reader, app: RelyingApplication) -> None:
    visit(person, app).sees("Ingrese para entrar a Aula Virtual")
    person.page.get_by_role("link", name="Volver a Aula Virtual sin ingresar").click()
    person.sees("sin ingresar: access_denied")


def test_an_application_that_wants_a_form_gets_one(person: Reader, app: RelyingApplication) -> None:
    app.changes = {"response_mode": "form_post"}
    visit(person, app).type(**CAMILA).press("Ingresar").sees("Entrar a Aula Virtual").press("Permitir y entrar")
    if not person.scripts:
        person.sees("Apriete el botón para seguir a Aula Virtual").keep("95-formulario").press("Continuar")
    person.sees(f"{GREETING} por formulario")


def test_signing_out_of_one_system_tells_the_others_and_leads_back(person: Reader, app: RelyingApplication) -> None:
    book = RelyingApplication(person.site, "Libro de Clases", frontchannel=True)
    enter(person, app)
    visit(person, book).sees("Entrar a Libro de Clases").press("Permitir y entrar").sees(GREETING)
    person.page.goto(app.logout_url(), wait_until="commit")
    if not person.scripts:
        person.sees("Salió de su cuenta").keep("95-salida").follow("Volver a Aula Virtual")
    person.sees("Hasta luego")
    until(lambda: len(book.told_by_frame) == 1)
    assert set(book.told_by_frame[0]) == {"iss", "sid"}
    assert person.open("/mi-cuenta").sees("Ingresar con mi Clave SENCE")
    until(lambda: not app.is_still_signed_in() and not book.is_still_signed_in())
    book.close()


def test_a_stranger_who_wants_to_sign_a_person_out_only_makes_us_ask(person: Reader, app: RelyingApplication) -> None:
    enter(person, app)
    person.open(f"/sso/logout?client_id={app.client_id}").sees("¿Quiere salir?", "Aula Virtual", "Camila Rojas Soto")
    person.is_accessible("95-quiere-salir").follow("No, seguir con mi sesión").sees("Mi cuenta")
    back = f"&post_logout_redirect_uri={app.url}/adios"
    person.open(f"/sso/logout?client_id={app.client_id}{back}").sees("¿Quiere salir?")
    person.page.get_by_role("button", name="Sí, salir").click()
    person.sees("Hasta luego")


def test_a_system_can_be_disconnected(person: Reader, app: RelyingApplication) -> None:
    enter(person, app)
    person.open("/mi-cuenta").follow("Sistemas conectados a mi Clave SENCE").sees("Aula Virtual", "Su correo")
    person.is_accessible("95-sistemas-conectados").press("Quitar el permiso a Aula Virtual")
    person.sees("El sistema ya no puede ver sus datos", "Ningún sistema").is_accessible("95-sin-sistemas")
    assert not app.is_still_signed_in()
    visit(person, app).sees("Entrar a Aula Virtual")


def test_all_of_it_with_the_keyboard_alone(reader: Reader, app: RelyingApplication) -> None:
    reader.page.goto(app.url)
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("Enter")
    reader.sees("Ingrese para entrar a Aula Virtual")
    tab_to(reader, "rut")
    reader.page.keyboard.type("11111111-1")
    tab_to(reader, "key")
    reader.page.keyboard.type("KM482915")
    reader.page.keyboard.press("Enter")
    reader.sees("Entrar a Aula Virtual")
    tab_to(reader, "permitir")
    reader.page.keyboard.press("Enter")
    reader.sees(GREETING)
    reader.open(f"/sso/logout?client_id={app.client_id}").sees("¿Quiere salir?")
    tab_to(reader, "Sí, salir")
    reader.page.keyboard.press("Space")
    reader.sees("Salió de su cuenta")


@pytest.mark.parametrize(
    ("language", "allow"), [("es", "Permitir y entrar"), ("en", "Allow and enter"), ("ht", "Pèmèt epi antre")]
)
def test_no_page_is_a_barrier_in_any_language(
    small: Reader, app: RelyingApplication, language: str, allow: str
) -> None:
    small.page.context.add_cookies([{"name": "idioma", "value": language, "url": small.site.url}])

    def look(name: str, path: str = "") -> None:
        if path:
            small.open(path)
        assert small.page.locator("h1").count() == 1, name
        small.sees().is_accessible(f"96-{name}-{language}")

    visit(small, app)
    look("ingreso")
    small.type(**CAMILA).page.locator("main form .boton").click()
    small.page.wait_for_url("**/permiso")
    small.sees(allow)
    look("permiso")
    look("salir", "/sso/logout")
    look("sin-sistemas", "/mi-cuenta/sistemas")
    app.changes = {"prompt": "select_account"}
    visit(small, app)
    look("cuenta")
    only_companies = f"Client.objects.filter(client_id={app.client_id!r}).update(profiles=['PJ'])"
    small.site.shell(f"from clave.sso.models import Client; {only_companies}")
    visit(small, app)
    look("otra-cuenta")
    look("sin-sistema", "/sso/authorize")
    look("solicitud-terminada", f"/sso/solicitud/{'0' * 32}")
    look("no-se-vuelve", f"/sso/logout?client_id={app.client_id}&post_logout_redirect_uri=https://otro.example.cl/")
    small.open("/sso/logout").page.locator("main form .boton").click()
    small.page.wait_for_url("**/confirmar")
    look("salida")
