"""Each flow from start to end in a real browser, with the mail and SMS that really arrived."""

from typing import Literal, TypedDict

import pytest

from tests.browser.reader import Reader

CAMILA, MAIL, PHONE = "11111111-1", "camila.rojas@example.cl", "+56987650001"


def test_register_sign_in_and_leave(person: Reader) -> None:
    person.open("/").sees("Persona Natural", "Persona Jurídica", "Migrante").is_accessible("01-inicio")
    person.page.get_by_role("link", name="Regístrese aquí").first.click()
    person.sees("Registrarse como Persona Natural").is_accessible("02-registro")
    person.fill_registration().read_letters().press("Crear Cuenta")
    person.sees("Su cuenta fue creada", "cuatxxxx@exaxxxx").is_accessible("03-registrado")
    person.page.reload()
    person.sees("Su cuenta fue creada")
    assert "44.444.444-4" in person.site.message("cuatro@example.cl", "fue creada")["text"]
    person.site.message("+56987654321", "fue creada")
    person.page.get_by_role("link", name="Ingresar").click()
    person.type(rut="444444444", key="QZ571938").press("Ingresar")
    person.sees("Mi cuenta", "Persona De Prueba Cuatro").is_accessible("04-mi-cuenta")
    person.press("Salir").sees("Salió de su cuenta").is_accessible("05-salida")


def test_a_form_full_of_mistakes_is_explained(reader: Reader) -> None:
    reader.open("/persona/registrarse").type(rut="12345678-0", street="Calle 😀").press("Crear Cuenta")
    reader.sees("Hay 11 problemas", "El RUT no es válido").is_accessible("06-errores")
    assert reader.page.title().startswith("Error: ")
    assert reader.page.evaluate("document.activeElement.className") == "resumen"
    reader.page.get_by_role("link", name="El RUT no es válido").click()
    assert reader.page.evaluate("document.activeElement.id") == "id_rut"


def test_recover_by_answer_and_change_with_the_key_from_the_mail(person: Reader) -> None:
    person.open("/persona/recuperar").is_accessible("10-recuperar")
    person.type(rut=CAMILA).read_letters().press("Validar").sees("Nombre de mi mascota").is_accessible("11-pregunta")
    person.type(answer="Copito").press("Recuperar Clave").sees("Su clave va en camino").is_accessible("12-en-camino")
    key = person.key_for(MAIL)
    assert person.key_for(PHONE) == key
    person.page.get_by_role("link", name="Crear mi clave nueva").click()
    person.sees("Cambiar mi Clave SENCE").is_accessible("13-cambiar")
    person.type(rut=CAMILA, key=key).read_letters().press("Validar").sees("Elija su clave nueva")
    person.type(new_key="NW604827", new_key_again="NW604827")
    ticked = person.page.locator("[data-regla].cumple").count()
    assert ticked == (3 if person.scripts else 0), "rules are ticked off while typing"
    person.is_accessible("14-clave-nueva").press("Cambiar Clave").sees("Su clave fue cambiada").is_accessible(
        "15-cambiada"
    )
    person.site.message(MAIL, "Su Clave SENCE fue cambiada")
    person.open("/ingresar").type(rut=CAMILA, key="NW604827").press("Ingresar").sees("Camila Rojas Soto")


def test_recover_by_identity_card(person: Reader) -> None:
    person.open("/persona/recuperar").type(rut="22.222.222-2").read_letters().press("Validar")
    person.page.get_by_label("No recuerdo la respuesta a mi pregunta secreta").check()
    person.press("Recuperar Clave").sees("Número de serie").is_accessible("16-cedula")
    person.type(serial="987654321").press("Validar").sees("diegxxxx@exaxxxx").is_accessible("17-correo")
    person.page.get_by_label("Sí", exact=True).check()
    person.read_letters().press("Recuperar Clave").sees("Su clave va en camino")
    assert person.key_for("diego.munoz@example.cl")


def test_update_data_both_ways_in(person: Reader) -> None:
    person.open("/persona/actualizar").is_accessible("20-actualizar")
    person.page.get_by_role("link", name="Validar con fecha de nacimiento y correo").click()
    person.is_accessible("21-fecha-y-correo")
    person.type(rut=CAMILA, birth_date="14-05-1990", email=MAIL).read_letters().press("Validar")
    person.is_accessible("22-seguridad").choose(question="mascota").type(answer="copito").press("Continuar")
    person.sees("Camila Rojas Soto").is_accessible("23-datos")
    person.choose(region="09", comuna="09101").type(street="Calle Larga", email="nueva@example.cl")
    person.press("Actualizar Datos").sees("Sus datos han sido actualizados correctamente").is_accessible(
        "24-actualizados"
    )
    person.site.message("nueva@example.cl", "Sus datos fueron actualizados")
    person.site.message(MAIL, "Cambió el correo")
    person.open("/persona/actualizar").type(rut=CAMILA, key="KM482915").read_letters().press("Validar")
    person.sees("Paso 2 de 3")


def test_minimum_data_missing_leads_to_the_update(person: Reader) -> None:
    person.open("/ingresar").type(rut="55555555-5", key="VB730164").press("Ingresar")
    person.sees("Faltan datos mínimos", "su dirección").is_accessible("25-faltan-datos")
    person.page.get_by_role("link", name="Actualizar mis datos").click()
    person.type(rut="55555555-5", key="VB730164").read_letters().press("Validar")
    person.sees("A su cuenta le faltan datos").choose(region="13", comuna="13101", question="escuela")
    person.type(street="Los Pinos", street_number="7", answer="Liceo Dos")
    person.page.get_by_label("Sin celular").check()
    person.press("Actualizar Datos").sees("actualizados correctamente")
    person.open("/ingresar").type(rut="55555555-5", key="VB730164").press("Ingresar").sees("Iván Soto Lara")


def test_wrong_keys_end_in_a_wait(person: Reader) -> None:
    person.open("/ingresar").is_accessible("30-ingresar").type(rut=CAMILA, key="AA000000").press("Ingresar")
    person.sees("persona no registrada o Clave SENCE incorrecta").is_accessible("31-no-autorizado")
    for _ in range(4):
        person.type(key="AA000000").read_letters().press("Ingresar")
    person.type(key="AA000000").read_letters().press("Ingresar")
    person.sees("Demasiados intentos", "espere hasta las").is_accessible("32-espere")
    person.site.message(MAIL, "Muchos intentos")


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


class Mode(TypedDict, total=False):
    color_scheme: Literal["dark"]
    forced_colors: Literal["active"]


@pytest.mark.parametrize("mode", [{"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_dark_and_high_contrast_modes_are_accessible(reader: Reader, mode: Mode) -> None:
    reader.page.emulate_media(**mode)
    name = "-".join(str(value) for value in mode.values())
    reader.open("/").is_accessible(f"50-inicio-{name}")
    reader.open("/persona/registrarse").press("Crear Cuenta").sees("problemas").is_accessible(f"51-registro-{name}")


def test_in_english(reader: Reader) -> None:
    reader.open("/persona/recuperar").page.get_by_role("link", name="English").click()
    reader.sees("Recover my SENCE key").is_accessible("52-english")
    assert reader.page.locator("html").get_attribute("lang") == "en"
