"""Without scripts, at 320 px, with the keyboard alone."""

import pytest

from tests.browser.reader import FIELDS, Reader
from tests.browser.test_flows import CAMILA, MAIL, temporary_key

pytestmark = pytest.mark.browser


def test_registering_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.open("/").keep("60-inicio-320").open("/persona/registrarse").keep("61-registro-320")
    phone.type(rut="1").press("Crear Cuenta").sees("problemas").keep("62-errores-320")
    phone.fill_registration(rut="44444444-4").press("Refrescar").sees("Validación")
    assert phone.page.locator("[name=street]").input_value() == FIELDS["street"]
    phone.type(new_key="QZ571938", new_key_again="QZ571938").read_letters().press("Crear Cuenta")
    phone.sees("Su cuenta fue creada").keep("63-registrado-320")
    phone.open("/ingresar").type(rut="44444444-4", key="QZ571938").press("Ingresar")
    phone.sees("Persona De Prueba Cuatro").keep("64-mi-cuenta-320")


def test_recovering_and_updating_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.open("/persona/recuperar").type(rut=CAMILA).read_letters().press("Validar").keep("65-pregunta-320")
    phone.type(answer="Copito").press("Recuperar Clave").sees("en camino").keep("66-en-camino-320")
    key = temporary_key(phone.site.message(MAIL, "clave temporal")["text"])
    phone.open("/persona/cambiar").type(rut=CAMILA, key=key).read_letters().press("Validar").keep("67-clave-320")
    phone.type(new_key="NW604827", new_key_again="NW604827").press("Cambiar Clave").sees("fue cambiada")
    phone.open("/persona/actualizar").type(rut=CAMILA, key="NW604827").read_letters().press("Validar")
    phone.choose(question="mascota").type(answer="Copito").press("Continuar").keep("68-datos-320")
    phone.choose(region="09", comuna="09101").press("Actualizar Datos").sees("actualizados correctamente")


def test_the_card_way_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.open("/persona/recuperar").type(rut="22222222-2").read_letters().press("Validar")
    phone.page.get_by_label("No recuerdo la respuesta").check()
    phone.press("Recuperar Clave").type(serial="987654321").press("Validar").keep("69-correo-320")
    phone.page.get_by_label("No", exact=True).check()
    phone.type(email="otro@example.cl").read_letters().press("Recuperar Clave").sees("otrxxxx@exaxxxx")
    phone.site.message("diego.munoz@example.cl", "Cambió el correo")


def tab_to(reader: Reader, name: str) -> None:
    """Press Tab until the field or button of this name has the focus."""
    for _ in range(60):
        reader.page.keyboard.press("Tab")
        if reader.page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()") == name:
            outline = reader.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name} has no visible focus"
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_signing_in_and_recovering_with_the_keyboard_alone(reader: Reader) -> None:
    reader.open("/ingresar")
    reader.page.keyboard.press("Tab")
    assert reader.page.evaluate("document.activeElement.textContent") == "Ir al contenido"
    reader.page.keyboard.press("Enter")
    tab_to(reader, "rut")
    reader.page.keyboard.type("11111111-1")
    tab_to(reader, "key")
    reader.page.keyboard.type("KM482915")
    reader.page.keyboard.press("Enter")
    reader.sees("Camila Rojas Soto")
    reader.open("/persona/recuperar")
    tab_to(reader, "rut")
    reader.page.keyboard.type("11111111-1")
    tab_to(reader, "captcha")
    reader.page.keyboard.type(reader.site.letters(reader.page.locator("[name=captcha_ticket]").input_value()))
    tab_to(reader, "Validar")
    reader.page.keyboard.press("Enter")
    reader.sees("Nombre de mi mascota")
    tab_to(reader, "answer")
    reader.page.keyboard.type("Copito")
    tab_to(reader, "Recuperar Clave")
    reader.page.keyboard.press("Space")
    reader.sees("Su clave va en camino")


def test_the_letters_can_be_heard(reader: Reader) -> None:
    reader.open("/persona/recuperar")
    href = reader.page.locator("[data-escuchar]").get_attribute("href")
    answer = reader.page.request.get(reader.site.url + str(href))
    body = answer.body()
    assert answer.headers["content-type"] == "audio/wav" and body[:4] == b"RIFF"
    seconds = (len(body) - 44) / 8000
    assert 2 < seconds < 8
