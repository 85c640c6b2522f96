"""Without scripts, at 320 px, with the keyboard alone."""

from tests.browser.reader import FIELDS, Reader


def test_what_was_typed_stays_when_the_letters_are_renewed_without_scripts(phone: Reader) -> None:
    phone.open("/persona/registrarse").type(rut="1").press("Crear Cuenta").sees("problemas").keep("62-errores-320")
    phone.fill_registration(rut="44444444-4").press("Refrescar").sees("Validación")
    assert phone.page.locator("[name=street]").input_value() == FIELDS["street"]
    phone.type(new_key="QZ571938", new_key_again="QZ571938").read_letters().press("Crear Cuenta")
    phone.sees("Su cuenta fue creada")


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
