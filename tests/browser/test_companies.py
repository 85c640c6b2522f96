"""Companies: every flow and case, at a desktop screen and on an old phone without scripts (mission.md, section 4)."""

import pytest

from tests.browser.reader import Reader
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, MADERAS_MAIL, NEW, ROSA, ROSA_PHONE

FORGOTTEN = "No recuerdo la respuesta a mi pregunta secreta"


def sign_in(person: Reader, company: str, representative: str, key: str) -> Reader:
    return person.open("/ingresar/empresa").type(rut=company, representative=representative, key=key).press("Ingresar")


def begin(person: Reader, company: str, path: str = "/empresa/recuperar") -> Reader:
    return person.open(path).type(rut=company).read_letters().press("Validar")


def test_a_company_registers_and_signs_in(person: Reader) -> None:
    person.open("/").page.get_by_role("heading", name="Persona Jurídica").locator("..").get_by_role(
        "link", name="Regístrese aquí"
    ).click()
    person.is_accessible("60-empresa-registro").press("Crear Cuenta").sees("Hay 17 problemas")
    person.is_accessible("61-empresa-errores")
    person.fill(NEW).read_letters().press("Crear Cuenta")
    person.sees("Su cuenta fue creada", "Empresa De Prueba Cuatro Ltda.").is_accessible("62-empresa-creada")
    person.site.message("empresa@example.cl", "Clave SENCE fue creada")
    person.follow("Ingresar").is_accessible("63-empresa-ingresar")
    person.type(rut="780001119", representative="444444444", key="QZ571938").press("Ingresar")
    person.sees("Empresa De Prueba Cuatro Ltda.").is_accessible("64-empresa-cuenta")


@pytest.mark.parametrize("path", ["/empresa/recuperar", "/Account/GenerarNuevaCusPj"])
def test_case_3_question_and_answer_known(person: Reader, path: str) -> None:
    begin(person.open(path).is_accessible(f"67{path.replace('/', '-')}"), AUSTRAL, path)
    person.sees("Nombre de mi primera escuela")
    person.is_accessible("68-empresa-pregunta").type(answer="Liceo Austral").press("Recuperar Clave")
    person.sees("Su clave va en camino")
    key = person.key_for(AUSTRAL_MAIL)
    assert key == person.key_for(ROSA_PHONE)
    person.change_key("/empresa/cambiar", {"rut": AUSTRAL, "representative": ROSA}, key)
    sign_in(person, AUSTRAL, ROSA, "NW604827").sees("Capacita Austral SpA")


def test_case_1_no_question_on_file(person: Reader) -> None:
    begin(person, MADERAS).sees("Paso 2 de 4").is_accessible("69-empresa-representante")
    person.type(representative="11111111-1").press("Validar").sees("no es representante legal")
    person.type(representative=DIEGO).press("Validar").sees("Paso 3 de 4").is_accessible("70-empresa-cedula")
    person.type(serial="987654321").press("Validar").sees("contxxxx@madxxxx").is_accessible("71-empresa-correo")
    person.tick("Sí").read_letters().press("Recuperar Clave").sees("Su clave va en camino")
    key = person.key_for(MADERAS_MAIL)
    person.change_key("/empresa/cambiar", {"rut": MADERAS, "representative": DIEGO}, key)


def test_case_2_the_answer_is_forgotten_and_the_mail_is_another(person: Reader) -> None:
    begin(person, AUSTRAL).tick(FORGOTTEN).press("Recuperar Clave").type(representative=ROSA).press("Validar")
    person.type(serial="123456789").press("Validar").tick("No")
    person.type(email="nuevo@example.cl").read_letters().press("Recuperar Clave").sees("nuevxxxx@exaxxxx")
    person.site.message(AUSTRAL_MAIL, "Cambió el correo")
    key = person.key_for("nuevo@example.cl")
    person.change_key("/empresa/cambiar", {"rut": AUSTRAL, "representative": ROSA}, key)


def test_while_the_sii_is_away_one_is_told_when_it_is_back(person: Reader) -> None:
    person.open("/sandbox/").page.get_by_role("button", name="sii: down").click()
    try:
        begin(person, MADERAS).type(representative=DIEGO).press("Validar").sees("no responde")
        person.is_accessible("72-empresa-sii-caido").follow("Avísenme por correo").is_accessible("73-empresa-aviso")
        person.type(email="aviso@example.cl").read_letters().press("Avísenme").sees("Le avisaremos", "avisxxxx@exaxxxx")
        person.open("/empresa/registrarse")
        person.fill(NEW).read_letters().press("Crear Cuenta").sees("confirmaremos sus datos más tarde")
        sign_in(person, "78000111-9", "44444444-4", "QZ571938").sees("todavía no confirma")
    finally:
        person.open("/sandbox/").page.get_by_role("button", name="sii: ok").click()


def test_a_company_updates_its_contact_and_keeps_its_representatives(person: Reader) -> None:
    sign_in(person, MADERAS, DIEGO, "MS204986").sees("Maderas del Sur").follow("Representantes legales")
    person.sees("22.222.222-2").is_accessible("65-empresa-representantes")
    person.type(representative=ROSA, representative_name="Rosa Huenchumil", representative_mobile="87654321")
    person.type(representative_email="rosa@example.cl").press("Agregar")
    person.sees("33.333.333-3 quedó como representante legal", "33.333.333-3 · Rosa Huenchumil")
    person.is_accessible("65-empresa-representante-agregado")
    person.page.get_by_role("button", name="Quitar a 22.222.222-2").click()
    person.page.get_by_role("button", name="Quitar a 22.222.222-2").wait_for(state="detached")
    person.site.message(MADERAS_MAIL, "Sus datos fueron actualizados")
    person.open("/empresa/actualizar").choose(question="mascota").type(answer="Canelo").press("Actualizar Datos")
    person.sees("Sus datos han sido actualizados correctamente")
    person.open("/empresa/actualizar").choose(question="mascota").type(answer="Canelo").press("Continuar")
    person.is_accessible("66-empresa-datos").type(work_phone="222333444", email="nueva@example.cl")
    person.press("Actualizar Datos").sees("Sus datos han sido actualizados correctamente")
    person.site.message("nueva@example.cl", "Sus datos fueron actualizados")
    person.site.message(MADERAS_MAIL, "Cambió el correo")


def test_a_company_that_is_not_registered_is_sent_to_register(person: Reader) -> None:
    sign_in(person, "78000111-9", ROSA, "QZ571938").sees("No autorizado").is_accessible("74-empresa-no-autorizada")
