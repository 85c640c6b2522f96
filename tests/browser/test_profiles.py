"""Companies, migrants and facilitators in a real browser: every flow and case, each page checked and photographed."""

from tests import files
from tests.browser.reader import Reader
from tests.browser.test_flows import temporary_key
from tests.firms import NEW as COMPANY
from tests.test_facilitators import DATA
from tests.test_migrants import NEW as MIGRANT

AUSTRAL, AUSTRAL_MAIL, ROSA = "76543210-3", "contacto@capacita-austral.example.cl", "33333333-3"
MADERAS, MADERAS_MAIL, DIEGO = "77222333-1", "contacto@maderas-del-sur.example.cl", "22222222-2"
CHOICES = ("kind", "question", "region", "comuna", "sex", "country", "document_kind")


def fill(reader: Reader, data: dict[str, str]) -> Reader:
    reader.choose(**{name: value for name, value in data.items() if name in CHOICES})
    return reader.type(**{name: value for name, value in data.items() if name not in CHOICES and value})


def change(reader: Reader, path: str, who: dict[str, str], key: str, new: str = "NW604827") -> Reader:
    reader.open(path)
    fill(reader, {**who, "key": key}).read_letters().press("Validar").sees("Elija su clave nueva")
    return reader.type(new_key=new, new_key_again=new).press("Cambiar Clave").sees("Su clave fue cambiada")


def test_a_company_registers_signs_in_and_updates(reader: Reader) -> None:
    reader.open("/").page.get_by_role("heading", name="Persona Jurídica").locator("..").get_by_role(
        "link", name="Regístrese aquí"
    ).click()
    reader.is_accessible("60-empresa-registro").press("Crear Cuenta").sees("Hay 17 problemas")
    reader.is_accessible("61-empresa-errores")
    fill(reader, COMPANY).read_letters().press("Crear Cuenta")
    reader.sees("Su cuenta fue creada", "Empresa De Prueba Cuatro Ltda.").is_accessible("62-empresa-creada")
    reader.site.message("empresa@example.cl", "Clave SENCE fue creada")
    reader.page.get_by_role("link", name="Ingresar").click()
    reader.is_accessible("63-empresa-ingresar")
    reader.type(rut="780001119", representative="444444444", key="QZ571938").press("Ingresar")
    reader.sees("Empresa De Prueba Cuatro Ltda.").is_accessible("64-empresa-cuenta")
    reader.page.get_by_role("link", name="Representantes legales").click()
    reader.sees("44.444.444-4").is_accessible("65-empresa-representantes")
    reader.open("/empresa/actualizar").choose(question="calle").type(answer="Los Boldos").press("Continuar")
    reader.is_accessible("66-empresa-datos").type(work_phone="222333444").press("Actualizar Datos")
    reader.sees("Sus datos han sido actualizados correctamente")


def test_a_company_recovers_with_question_and_answer(reader: Reader) -> None:
    reader.open("/empresa/recuperar").is_accessible("67-empresa-recuperar")
    reader.type(rut=AUSTRAL).read_letters().press("Validar").sees("Nombre de mi primera escuela")
    reader.is_accessible("68-empresa-pregunta").type(answer="Liceo Austral").press("Recuperar Clave")
    reader.sees("Su clave va en camino")
    key = temporary_key(reader.site.message(AUSTRAL_MAIL, "clave temporal")["text"])
    change(reader, "/empresa/cambiar", {"rut": AUSTRAL, "representative": ROSA}, key)


def test_a_company_without_a_question_recovers_through_its_representative(reader: Reader) -> None:
    reader.open("/empresa/recuperar").type(rut=MADERAS).read_letters().press("Validar")
    reader.sees("Paso 2 de 4").is_accessible("69-empresa-representante")
    reader.type(representative=DIEGO).press("Validar").sees("Paso 3 de 4").is_accessible("70-empresa-cedula")
    reader.type(serial="987654321").press("Validar").sees("contxxxx@madxxxx").is_accessible("71-empresa-correo")
    reader.page.get_by_label("Sí", exact=True).check()
    reader.read_letters().press("Recuperar Clave").sees("Su clave va en camino")
    key = temporary_key(reader.site.message(MADERAS_MAIL, "clave temporal")["text"])
    change(reader, "/empresa/cambiar", {"rut": MADERAS, "representative": DIEGO}, key)


def test_a_company_forgot_the_answer_and_its_mail_is_another(reader: Reader) -> None:
    reader.open("/empresa/recuperar").type(rut=AUSTRAL).read_letters().press("Validar")
    reader.page.get_by_label("No recuerdo la respuesta a mi pregunta secreta").check()
    reader.press("Recuperar Clave").type(representative=ROSA).press("Validar")
    reader.type(serial="123456789").press("Validar")
    reader.page.get_by_label("No", exact=True).check()
    reader.type(email="nuevo@example.cl").read_letters().press("Recuperar Clave").sees("nuevxxxx@exaxxxx")
    reader.site.message(AUSTRAL_MAIL, "Cambió el correo")
    temporary_key(reader.site.message("nuevo@example.cl", "clave temporal")["text"])


def test_a_migrant_registers_recovers_changes_and_updates(reader: Reader) -> None:
    reader.open("/migrante/registrarse").is_accessible("72-migrante-registro")
    fill(reader, MIGRANT).read_letters().press("Crear Cuenta").sees("Su cuenta fue creada")
    reader.is_accessible("73-migrante-creada")
    who = {"nie": "900777888"}
    reader.open("/migrante/recuperar").type(**who).read_letters().press("Validar").sees("NIE 900777888")
    reader.page.get_by_label("No recuerdo la respuesta a mi pregunta secreta").check()
    reader.press("Recuperar Clave").is_accessible("74-migrante-nacimiento")
    reader.type(birth_date="09-03-1994", email="marie@example.cl").press("Recuperar Clave").sees("va en camino")
    key = temporary_key(reader.site.message("marie@example.cl", "clave temporal")["text"])
    change(reader, "/migrante/cambiar", who, key)
    reader.open("/migrante/actualizar").type(**who, key="NW604827").read_letters().press("Validar")
    reader.choose(question="calle").type(answer="Rue Pavee").press("Continuar").sees("Marie Ange Joseph")
    reader.is_accessible("75-migrante-datos").press("Actualizar Datos").sees("actualizados correctamente")
    reader.open("/ingresar/migrante").is_accessible("76-migrante-ingresar").type(**who, key="NW604827")
    reader.press("Ingresar").sees("Marie Ange Joseph")


def ask_for_facilitator(reader: Reader, prefix: str = "") -> Reader:
    reader.open("/empresa/facilitador").type(rut=AUSTRAL, representative=ROSA, key="CA739105").read_letters()
    reader.press("Validar").sees("Paso 2 de 3")
    reader.keep(f"{prefix}80-facilitador-declaracion")
    reader.bring("declaracion.pdf", files.pdf(), "affidavit").press("Continuar").sees("Paso 3 de 3")
    fill(reader, DATA).bring("pasaporte.jpg", files.image("JPEG"), "scan").keep(f"{prefix}81-facilitador-datos")
    return reader.press("Realizar Solicitud").sees("Recibimos su solicitud")


def test_a_facilitator_from_the_request_to_the_first_sign_in(reader: Reader) -> None:
    reader.open("/empresa/facilitador").is_accessible("79-facilitador")
    ask_for_facilitator(reader).is_accessible("82-facilitador-folio")
    folio = reader.page.locator(".destacado").inner_text()
    reader.open("/empresa/facilitador/estado").is_accessible("83-facilitador-estado")
    reader.type(folio=folio, rut=AUSTRAL).read_letters().press("Consultar").sees("En revisión")
    reader.is_accessible("84-facilitador-en-revision")
    reader.enter_desk("revisor").page.get_by_role("link", name="Solicitudes").click()
    reader.sees("Capacita Austral SpA").is_accessible("85-mesa-solicitudes")
    reader.page.get_by_role("link", name=folio).click()
    reader.sees("Ana Lucía Quispe Mamani", "Bolivia").is_accessible("86-mesa-solicitud")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("link", name="Declaración jurada (.pdf)").click()
    assert download.value.suggested_filename == f"affidavit-{folio}.pdf"
    reader.page.get_by_label("Aprobar").check()
    reader.press("Guardar la decisión").sees("No hay solicitudes en espera")
    reader.site.message(AUSTRAL_MAIL, "fue aprobada")
    key = temporary_key(reader.site.message(DATA["email"], "clave temporal")["text"])
    who = {"document_kind": "PAS", "document": "AB123456"}
    reader.open("/ingresar/facilitador").is_accessible("87-facilitador-ingresar")
    fill(reader, {**who, "key": key}).press("Ingresar").sees("Elija su clave nueva")
    reader.type(new_key="NW604827", new_key_again="NW604827").press("Cambiar Clave").sees("Su clave fue cambiada")
    reader.open("/ingresar/facilitador")
    fill(reader, {**who, "key": "NW604827"}).press("Ingresar").sees("Pasaporte", "Ana Lucía Quispe Mamani")
    reader.is_accessible("88-facilitador-cuenta")
    reader.open("/empresa/facilitador/recuperar").is_accessible("89-facilitador-recuperar")


def test_a_hostile_file_is_refused_beside_its_field(reader: Reader) -> None:
    reader.open("/empresa/facilitador").type(rut=AUSTRAL, representative=ROSA, key="CA739105").read_letters()
    reader.press("Validar").bring("declaracion.pdf", files.hidden_script(), "affidavit").press("Continuar")
    reader.sees("Hay un problema", "contiene programas").is_accessible("90-facilitador-archivo")


PAGES = [
    "/empresa/registrarse", "/empresa/recuperar", "/empresa/cambiar", "/migrante/registrarse", "/migrante/recuperar",
    "/migrante/cambiar", "/migrante/actualizar", "/migrante/actualizar/fecha-y-correo", "/facilitador/recuperar",
    "/facilitador/cambiar", "/empresa/facilitador", "/empresa/facilitador/estado", "/empresa/facilitador/recuperar",
    "/ingresar/empresa", "/ingresar/migrante", "/ingresar/facilitador", "/backoffice/ingresar",
    "/backoffice/invitacion",
]  # fmt: skip


def test_every_page_is_accessible(reader: Reader) -> None:
    for path in PAGES:
        reader.open(path).is_accessible(f"91-{path.strip('/').replace('/', '-')}")
        assert reader.page.locator("h1").count() == 1, path


def test_every_page_fits_an_old_phone(phone: Reader) -> None:
    for path in PAGES:
        phone.open(path).keep(f"92-movil-{path.strip('/').replace('/', '-')}")


def test_a_company_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.open("/empresa/registrarse")
    fill(phone, COMPANY).read_letters().press("Crear Cuenta").sees("Su cuenta fue creada").keep("93-movil-empresa")
    phone.open("/empresa/recuperar").type(rut=MADERAS).read_letters().press("Validar")
    phone.type(representative=DIEGO).press("Validar").type(serial="987654321").press("Validar")
    phone.page.get_by_label("Sí", exact=True).check()
    phone.keep("94-movil-correo").read_letters().press("Recuperar Clave").sees("Su clave va en camino")


def test_a_migrant_and_a_facilitator_on_an_old_phone_without_scripts(phone: Reader) -> None:
    phone.open("/migrante/registrarse")
    fill(phone, MIGRANT).read_letters().press("Crear Cuenta").sees("Su cuenta fue creada").keep("95-movil-migrante")
    ask_for_facilitator(phone, "movil-")


def test_the_other_ways_through_without_scripts_on_an_old_phone(phone: Reader) -> None:
    """Recover, change and update, each at 320 px and without JavaScript."""
    phone.open("/empresa/recuperar").type(rut=AUSTRAL).read_letters().press("Validar").keep("96-movil-pregunta")
    phone.type(answer="Liceo Austral").press("Recuperar Clave").sees("Su clave va en camino")
    key = temporary_key(phone.site.message(AUSTRAL_MAIL, "clave temporal")["text"])
    change(phone, "/empresa/cambiar", {"rut": AUSTRAL, "representative": ROSA}, key)
    phone.open("/empresa/recuperar").type(rut=AUSTRAL).read_letters().press("Validar")
    phone.page.get_by_label("No recuerdo la respuesta a mi pregunta secreta").check()
    phone.press("Recuperar Clave").type(representative=ROSA).press("Validar").type(serial="123456789")
    phone.press("Validar").page.get_by_label("No", exact=True).check()
    phone.type(email="nuevo@example.cl").read_letters().press("Recuperar Clave").sees("nuevxxxx@exaxxxx")
    phone.open("/ingresar/empresa").type(rut=AUSTRAL, representative=ROSA, key="NW604827").press("Ingresar")
    phone.open("/empresa/actualizar").choose(question="escuela").type(answer="Liceo Austral").press("Continuar")
    phone.keep("97-movil-empresa-datos").press("Actualizar Datos").sees("actualizados correctamente")
    phone.open("/mi-cuenta/representantes").keep("98-movil-representantes")
    who = {"nie": "900123456"}
    phone.open("/migrante/recuperar").type(**who).read_letters().press("Validar").type(answer="Rue Capois")
    phone.press("Recuperar Clave").sees("Su clave va en camino")
    key = temporary_key(phone.site.message("jean.pierre@example.cl", "clave temporal")["text"])
    change(phone, "/migrante/cambiar", who, key)
    phone.open("/migrante/actualizar/fecha-y-correo").type(
        **who, birth_date="30-01-1988", email="jean.pierre@example.cl"
    )
    phone.read_letters().press("Validar").choose(question="calle").type(answer="Rue Capois").press("Continuar")
    phone.keep("99-movil-migrante-datos").press("Actualizar Datos").sees("actualizados correctamente")
