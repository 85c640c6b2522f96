"""«Probar OpenID»: the demo's own application, through the front door, from the request to signing out."""

import re

import pytest

from clave.sandbox import openid_demo
from tests.sso.application import led_to, signed_in
from tests.story import Page, Visitor, found

PAGE, STEP = openid_demo.PAGE, f"{openid_demo.PAGE}/paso"


@pytest.fixture
def camila(demo: None) -> Visitor:
    return signed_in()


def hidden(page: Page) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.html)
    return dict(fields)


def came_back(person: Visitor) -> Page:
    """Go from the first step through consent to the answer's page."""
    page = person.open(PAGE)
    assert page.shows("La solicitud", "code_challenge", "letra por letra")
    url = found(r'class="boton" href="(/sso/authorize[^"]+)"', page.html)[1].replace("&amp;", "&")
    response = person.client.get(url)
    if response.headers.get("Location", "").endswith("/permiso"):
        response = person.client.post(response.headers["Location"], {"permitir": "1"})
    address = led_to(response)
    assert f"{PAGE}/volver" in address
    return person.open(address.partition("testserver")[2] or address)


def press(person: Visitor, step: str) -> Page:
    return person.post(STEP, {**hidden(person.page), "paso": step})


def test_each_step_shows_what_was_sent_and_what_came_back(camila: Visitor) -> None:
    page = came_back(camila)
    assert page.shows("La respuesta", "Sí: El state es el que este navegador envió") and "✗" not in page.text
    page = press(camila, "canjear")
    assert page.shows("POST", "grant_type=authorization_code", "HTTP 200", "access_token", '"nonce"', "auth_time")
    assert page.shows("Sí: La firma es de una clave publicada por Clave", "Sí: El nonce") and "✗" not in page.text
    assert openid_demo.SECRET not in page.html
    assert press(camila, "datos").shows("GET", "Bearer", '"run": "11111111-1"', "Camila")
    first = hidden(camila.page)["refresh_token"]
    assert press(camila, "renovar").shows("grant_type=refresh_token", "HTTP 200")
    assert hidden(camila.page)["refresh_token"] != first
    leave = {name: value for name, value in hidden(camila.page).items() if name != "csrfmiddlewaretoken"}
    assert press(camila, "revocar").shows("HTTP 200")
    assert press(camila, "datos").shows("HTTP 401", "invalid_token")
    assert camila.post("/sso/logout", leave).shows("La salida", "adios")
    assert camila.open("/mi-cuenta").url.startswith("/ingresar")


def test_an_answer_with_another_state_is_not_accepted(camila: Visitor) -> None:
    camila.open(PAGE)
    page = camila.open(f"{PAGE}/volver?code=robado&state=otro")
    assert page.shows("No: El state", "nadie ha ingresado") and "Cambiar el código" not in page.text


def test_who_said_no_is_told_so_without_an_error(camila: Visitor) -> None:
    camila.open(PAGE)
    assert camila.open(f"{PAGE}/volver?error=access_denied").shows("access_denied", "nadie ha ingresado")


def test_a_step_out_of_nowhere_leads_to_the_first(visitor: Visitor, demo: None) -> None:
    assert visitor.open(STEP).shows("La solicitud")
    visitor.client.cookies.pop("probar_openid")
    assert press(visitor, "canjear").shows("La solicitud")
    assert press(visitor, "cualquiera").shows("La solicitud")
    assert press(visitor, "renovar").shows("HTTP 400", "invalid_grant")
