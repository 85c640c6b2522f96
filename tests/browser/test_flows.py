"""Each flow from start to end in a real browser, with the mail and SMS that really arrived."""

import re

import pytest

from tests.browser.reader import Reader

pytestmark = pytest.mark.browser
CAMILA, MAIL, PHONE = "11111111-1", "camila.rojas@example.cl", "+56987650001"


def temporary_key(text: str) -> str:
    match = re.search(r"\b[A-Z]{4}[0-9]{6}\b", text)
    assert match, text
    return match[0]


def test_register_sign_in_and_leave(reader: Reader) -> None:
    reader.open("/").sees("Persona Natural", "Persona Jurídica", "Migrante").is_accessible("01-inicio")
    reader.page.get_by_role("link", name="Regístrese aquí").first.click()
    reader.sees("Registrarse como Persona Natural").is_accessible("02-registro")
    reader.fill_registration().read_letters().press("Crear Cuenta")
    reader.sees("Su cuenta fue creada", "cuatxxxx@exaxxxx").is_accessible("03-registrado")
    reader.page.reload()
    reader.sees("Su cuenta fue creada")
    assert "44.444.444-4" in reader.site.message("cuatro@example.cl", "fue creada")["text"]
    reader.site.message("+56987654321", "fue creada")
    reader.page.get_by_role("link", name="Ingresar").click()
    reader.type(rut="444444444", key="QZ571938").press("Ingresar")
    reader.sees("Mi cuenta", "Persona De Prueba Cuatro").is_accessible("04-mi-cuenta")
    reader.press("Salir").sees("Salió de su cuenta").is_accessible("05-salida")


def test_a_form_full_of_mistakes_is_explained(reader: Reader) -> None:
    reader.open("/persona/registrarse").type(rut="12345678-0", street="Calle 😀").press("Crear Cuenta")
    reader.sees("Hay 11 problemas", "El RUT no es válido").is_accessible("06-errores")
    assert reader.page.title().startswith("Error: ")
    assert reader.page.evaluate("document.activeElement.className") == "resumen"
    reader.page.get_by_role("link", name="El RUT no es válido").click()
    assert reader.page.evaluate("document.activeElement.id") == "id_rut"


def test_recover_by_answer_and_change_with_the_key_from_the_mail(reader: Reader) -> None:
    reader.open("/persona/recuperar").is_accessible("10-recuperar")
    reader.type(rut=CAMILA).read_letters().press("Validar").sees("Nombre de mi mascota").is_accessible("11-pregunta")
    reader.type(answer="Copito").press("Recuperar Clave").sees("Su clave va en camino").is_accessible("12-en-camino")
    key = temporary_key(reader.site.message(MAIL, "clave temporal")["text"])
    assert temporary_key(reader.site.message(PHONE, "clave temporal")["text"]) == key
    reader.page.get_by_role("link", name="Crear mi clave nueva").click()
    reader.sees("Cambiar mi Clave SENCE").is_accessible("13-cambiar")
    reader.type(rut=CAMILA, key=key).read_letters().press("Validar").sees("Elija su clave nueva")
    reader.type(new_key="NW604827", new_key_again="NW604827")
    assert reader.page.locator("[data-regla].cumple").count() == 3, "rules are ticked off while typing"
    reader.is_accessible("14-clave-nueva").press("Cambiar Clave").sees("Su clave fue cambiada").is_accessible(
        "15-cambiada"
    )
    reader.site.message(MAIL, "Su Clave SENCE fue cambiada")
    reader.open("/ingresar").type(rut=CAMILA, key="NW604827").press("Ingresar").sees("Camila Rojas Soto")


def test_recover_by_identity_card(reader: Reader) -> None:
    reader.open("/persona/recuperar").type(rut="22.222.222-2").read_letters().press("Validar")
    reader.page.get_by_label("No recuerdo la respuesta a mi pregunta secreta").check()
    reader.press("Recuperar Clave").sees("Número de serie").is_accessible("16-cedula")
    reader.type(serial="987654321").press("Validar").sees("diegxxxx@exaxxxx").is_accessible("17-correo")
    reader.page.get_by_label("Sí", exact=True).check()
    reader.read_letters().press("Recuperar Clave").sees("Su clave va en camino")
    temporary_key(reader.site.message("diego.munoz@example.cl", "clave temporal")["text"])


def test_update_data_both_ways_in(reader: Reader) -> None:
    reader.open("/persona/actualizar").is_accessible("20-actualizar")
    reader.page.get_by_role("link", name="Validar con fecha de nacimiento y correo").click()
    reader.is_accessible("21-fecha-y-correo")
    reader.type(rut=CAMILA, birth_date="14-05-1990", email=MAIL).read_letters().press("Validar")
    reader.is_accessible("22-seguridad").choose(question="mascota").type(answer="copito").press("Continuar")
    reader.sees("Camila Rojas Soto").is_accessible("23-datos")
    reader.choose(region="09", comuna="09101").type(street="Calle Larga", email="nueva@example.cl")
    reader.press("Actualizar Datos").sees("Sus datos han sido actualizados correctamente").is_accessible(
        "24-actualizados"
    )
    reader.site.message("nueva@example.cl", "Sus datos fueron actualizados")
    reader.site.message(MAIL, "Cambió el correo")
    reader.open("/persona/actualizar").type(rut=CAMILA, key="KM482915").read_letters().press("Validar")
    reader.sees("Paso 2 de 3")


def test_minimum_data_missing_leads_to_the_update(reader: Reader) -> None:
    reader.open("/ingresar").type(rut="55555555-5", key="VB730164").press("Ingresar")
    reader.sees("Faltan datos mínimos", "su dirección").is_accessible("25-faltan-datos")
    reader.page.get_by_role("link", name="Actualizar mis datos").click()
    reader.type(rut="55555555-5", key="VB730164").read_letters().press("Validar")
    reader.sees("A su cuenta le faltan datos").choose(region="13", comuna="13101", question="escuela")
    reader.type(street="Los Pinos", street_number="7", answer="Liceo Dos")
    reader.page.get_by_label("Sin celular").check()
    reader.press("Actualizar Datos").sees("actualizados correctamente")
    reader.open("/ingresar").type(rut="55555555-5", key="VB730164").press("Ingresar").sees("Iván Soto Lara")


def test_wrong_keys_end_in_a_wait(reader: Reader) -> None:
    reader.open("/ingresar").is_accessible("30-ingresar").type(rut=CAMILA, key="AA000000").press("Ingresar")
    reader.sees("persona no registrada o Clave SENCE incorrecta").is_accessible("31-no-autorizado")
    for _ in range(4):
        reader.type(key="AA000000").read_letters().press("Ingresar")
    reader.type(key="AA000000").read_letters().press("Ingresar")
    reader.sees("Demasiados intentos", "espere hasta las").is_accessible("32-espere")
    reader.site.message(MAIL, "Muchos intentos")


def test_the_comunas_follow_the_region(reader: Reader) -> None:
    reader.open("/persona/registrarse").choose(region="15")
    names = reader.page.locator("select[name=comuna] option").all_text_contents()
    assert names[1:] == ["Arica", "Camarones", "General Lagos", "Putre"]


def test_the_rut_is_dotted_the_key_shown_and_the_captcha_renewed(reader: Reader) -> None:
    reader.open("/persona/registrarse").type(rut="111111111").page.locator("[name=answer]").focus()
    assert reader.page.locator("[name=rut]").input_value() == "11.111.111-1"
    reader.type(new_key="QZ571938")
    reader.page.get_by_role("button", name="Mostrar").first.click()
    assert reader.page.locator("[name=new_key]").get_attribute("type") == "text"
    before = reader.page.locator("[name=captcha_ticket]").input_value()
    with reader.page.expect_response("**/captcha/nuevo"):
        reader.page.get_by_role("button", name="Refrescar").click()
    reader.page.wait_for_function("old => document.querySelector('[name=captcha_ticket]').value !== old", arg=before)
    assert reader.page.locator("[name=rut]").input_value() == "11.111.111-1"


def test_a_double_click_registers_once(reader: Reader) -> None:
    reader.open("/persona/registrarse").fill_registration().read_letters()
    reader.page.get_by_role("button", name="Crear Cuenta").dblclick()
    reader.sees("Su cuenta fue creada")
    assert reader.site.query("SELECT COUNT(*) FROM holders_holder WHERE identifier = '44444444-4'")[0][0] == 1


@pytest.mark.parametrize(
    "path",
    ["/ayuda", "/Account/Registrar", "/Account/RecuperarClave", "/Account/CambiarClave", "/Account/ActualizarDatos",
     "/Account/GenerarNuevaCusPj", "/no-existe", "/sandbox/", "/persona/recuperar/0123456789abcdef/pregunta"],
)  # fmt: skip
def test_every_other_page_is_accessible(reader: Reader, path: str) -> None:
    reader.open(path).is_accessible("40" + path.replace("/", "-"))
    assert reader.page.locator("h1").count() == 1


@pytest.mark.parametrize("mode", [{"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_dark_and_high_contrast_modes_are_accessible(reader: Reader, mode: dict[str, str]) -> None:
    reader.page.emulate_media(**mode)
    name = "-".join(mode.values())
    reader.open("/").is_accessible(f"50-inicio-{name}")
    reader.open("/persona/registrarse").press("Crear Cuenta").sees("problemas").is_accessible(f"51-registro-{name}")


def test_in_english(reader: Reader) -> None:
    reader.open("/persona/recuperar").page.get_by_role("link", name="English").click()
    reader.sees("Recover my SENCE key").is_accessible("52-english")
    assert reader.page.locator("html").get_attribute("lang") == "en"
