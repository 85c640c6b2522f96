"""The help desk in a real browser: keyboard, passkeys, every page checked and photographed."""

import time

import pyotp

from clave.sandbox.people import TOTP_SECRET
from tests.browser.reader import Reader
from tests.story import found

CAMILA, AUSTRAL = "11.111.111-1", "76.543.210-3"


def open_account(reader: Reader, text: str) -> Reader:
    reader.page.keyboard.press("/")
    assert reader.page.evaluate("document.activeElement.name") == "text"
    reader.page.keyboard.type(text)
    with reader.page.expect_navigation():
        reader.page.keyboard.press("Enter")
    reader.sees("Resultados").page.keyboard.press("ArrowDown")
    with reader.page.expect_navigation():
        reader.page.keyboard.press("Enter")
    return reader.sees("¿Por qué abre esta cuenta?")


def test_an_agent_finds_by_keyboard_gives_a_reason_and_helps(reader: Reader) -> None:
    reader.open("/backoffice/").is_accessible("a0-mesa-ingresar")
    reader.enter_desk("agente").sees("Mesa de ayuda").is_accessible("a1-mesa-buscar")
    open_account(reader, CAMILA).is_accessible("a2-mesa-motivo")
    reader.choose(reason="call").press("Abrir la cuenta").sees("Camila Rojas Soto", "camixxxx@exaxxxx")
    reader.is_accessible("a3-mesa-cuenta").page.get_by_role("link", name="Enviar una clave temporal").click()
    reader.is_accessible("a4-mesa-clave").choose(reason="call").type(note="caso 4711").press("Enviar la clave")
    reader.sees("La clave temporal va en camino", "caso 4711")
    reader.site.message("camila.rojas@example.cl", "clave temporal")
    reader.page.get_by_role("link", name="Ver el contacto completo").click()
    reader.choose(reason="call").press("Mostrar").sees("camila.rojas@example.cl").is_accessible("a5-mesa-contacto")
    reader.page.keyboard.press("/")
    reader.page.wait_for_url("**/backoffice/")
    open_account(reader, AUSTRAL).choose(reason="call").press("Abrir la cuenta")
    reader.page.get_by_role("link", name="Actualizar el contacto").click()
    reader.is_accessible("a6-mesa-actualizar").type(email="otro@example.cl", work_phone="222").choose(reason="call")
    reader.press("Proponer el cambio").sees("El cambio espera confirmación", "Ver el cambio")
    reader.is_accessible("a8-mesa-cuenta-con-cambio")
    reader.page.get_by_role("link", name="Enviar una clave temporal").click()
    reader.choose(reason="call").press("Enviar la clave").sees("quien cambia un correo no envía una clave")
    reader.is_accessible("a7-mesa-dos-personas").press("Salir (Agente de prueba, Agente)").sees(
        "Mesa de ayuda: ingresar"
    )


def test_a_supervisor_watches(person: Reader) -> None:
    person.enter_desk("supervisor")
    for path, words, name in (
        ("/backoffice/auditoria", "Sellos", "b0-mesa-auditoria"),
        ("/backoffice/operadores", "Agente de prueba", "b1-mesa-operadores"),
        ("/backoffice/trabajo", "Acciones por día", "b2-mesa-trabajo"),
        ("/backoffice/datos", "Solicitudes sobre datos personales", "b3-mesa-datos"),
        ("/backoffice/solicitudes", "Facilitadores extranjeros", "b4-mesa-solicitudes"),
    ):
        person.open(path).sees(words).is_accessible(name)
    person.open("/backoffice/operadores")
    if person.scripts:
        person.page.get_by_role("button", name="Nombre").click()
        first = person.page.locator("tbody tr td:first-child").first
        assert first.inner_text() == "Agente de prueba"
        person.page.get_by_role("button", name="Nombre").click()
        assert first.inner_text() == "Supervisor de prueba"
    person.type(name="Nueva", email="nueva@mesa.example.cl").press("Proponer la invitación")
    person.sees("espera que otra persona", "Invitar: Nueva").is_accessible("b6-mesa-propuestas")
    person.press("Salir (Supervisor de prueba, Supervisor)").enter_desk("supervisor2")
    person.follow("Operadores (1)").follow("Invitar: Nueva").is_accessible("b7-mesa-propuesta").tick("Confirmar")
    person.press("Guardar la decisión").sees("La propuesta quedó confirmada", "invitada")
    mail = person.site.message("nueva@mesa.example.cl", "use este código")["text"]
    code = found(r"\b[A-Z2-9]{12}\b", mail)[0]
    person.open("/backoffice/invitacion").type(email="nueva@mesa.example.cl", code=code)
    person.type(password="arboles sobre la colina", again="arboles sobre la colina").press("Continuar")
    person.sees("aplicación de códigos").is_accessible("b5-mesa-segundo-factor")
    picture = person.page.locator("main img").bounding_box()
    assert picture and picture["width"] > 100, "the picture is painted"
    person.open("/backoffice/auditoria").type(action="operator.").press("Filtrar").sees("operator.signin")
    with person.page.expect_download() as download:
        person.page.get_by_role("button", name="Bajar Excel").click()
    assert download.value.suggested_filename == "auditoria.xlsx"


def test_a_passkey_is_made_and_signs_in(reader: Reader) -> None:
    devtools = reader.page.context.new_cdp_session(reader.page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    # A passkey belongs to a name, not to an address: the site is visited under the one it goes by.
    reader.site.url, address = reader.site.url.replace("127.0.0.1", "localhost"), reader.site.url
    try:
        reader.enter_desk("agente").open("/backoffice/mi-acceso").is_accessible("c0-mesa-llaves")
        # The code of now signed in; the next one is good half a minute ahead.
        code = pyotp.TOTP(TOTP_SECRET).at(time.time() + 30)
        reader.type(label="Mi teléfono", code=code).press("Crear llave de acceso").sees("Mi teléfono ·")
        reader.press("Salir (Agente de prueba, Agente)").press("Ingresar con llave de acceso")
        reader.sees("RUT, NIE, documento, correo o folio").is_accessible("c1-mesa-con-llave")
    finally:
        reader.site.url = address


def find(person: Reader, text: str, link: str) -> Reader:
    """Find an account and open it, giving a reason."""
    person.open("/backoffice/").type(text=text).press("Buscar").sees("Resultados").follow(link)
    return person.choose(reason="call").press("Abrir la cuenta")


def test_an_agent_without_scripts_does_everything(phone: Reader) -> None:
    for _ in range(5):
        phone.open("/ingresar").type(rut=CAMILA, key="AA000000")
        if phone.page.locator("[name=captcha]").count():
            phone.read_letters()
        phone.press("Ingresar")
    phone.enter_desk("agente").keep("d0-mesa")
    find(phone, CAMILA, "RUT 11.111.111-1").sees("Camila Rojas Soto").keep("d1-cuenta")
    phone.follow("Desbloquear la clave").keep("d2-desbloquear").choose(reason="call").press("Desbloquear")
    phone.sees("La clave quedó desbloqueada").follow("Enviar una clave temporal").choose(reason="call")
    phone.press("Enviar la clave").sees("La clave temporal va en camino")
    assert phone.key_for("camila.rojas@example.cl")
    phone.follow("Ver el contacto completo").choose(reason="claim").press("Mostrar").sees("camila.rojas@example.cl")
    find(phone, AUSTRAL, "RUT 76.543.210-3").follow("Actualizar el contacto").keep("d3-contacto")
    phone.type(email="otro@example.cl", work_phone="222").choose(reason="call").press("Proponer el cambio")
    phone.sees("El cambio espera confirmación").follow("Enviar una clave temporal").choose(reason="call")
    phone.press("Enviar la clave").sees("quien cambia un correo no envía una clave").press(
        "Salir (Agente de prueba, Agente)"
    )
    phone.enter_desk("supervisor")
    find(phone, AUSTRAL, "RUT 76.543.210-3").follow("Cambios de contacto (1)").keep("d5-cambios")
    phone.follow("RUT 76.543.210-3").keep("d6-cambio").tick("Confirmar").choose(reason="call")
    phone.press("Guardar la decisión").sees("El contacto quedó confirmado").press(
        "Salir (Supervisor de prueba, Supervisor)"
    )
    phone.enter_desk("supervisor2")
    find(phone, AUSTRAL, "RUT 76.543.210-3").follow("Marcar como revisado").choose(reason="request")
    phone.press("Marcar como revisado").sees("El cambio quedó revisado").keep("d4-revisado")


def proposed(person: Reader) -> Reader:
    """Have an agent propose another contact for a company, and go."""
    person.enter_desk("agente")
    find(person, AUSTRAL, "RUT 76.543.210-3").follow("Actualizar el contacto")
    person.type(email="otro@example.cl", work_phone="222333").choose(reason="call").press("Proponer el cambio")
    return person.sees("El cambio espera confirmación").press("Salir (Agente de prueba, Agente)")


def link_for(person: Reader, address: str, words: str, path: str) -> str:
    text = person.site.message(address, words)["text"]
    return found(rf"/{path}\?codigo=[\w-]+", text)[0]


def test_a_company_refuses_and_confirms_a_contact_by_the_links_in_its_mail(person: Reader) -> None:
    proposed(person)
    mail = "contacto@capacita-austral.example.cl"
    person.open(link_for(person, mail, "Todavía no vale", "rechazar")).sees("Rechazar el cambio de contacto")
    person.is_accessible("f0-rechazar")
    link = link_for(person, mail, "Todavía no vale", "confirmar")
    person.open(link).sees("Todavía no vale", "termina en 33")
    person.is_accessible("f1-confirmar").follow("Nadie de la empresa pidió este cambio").press("Rechazar el cambio")
    person.sees("El cambio quedó rechazado").is_accessible("f2-rechazado")
    person.open(link).sees("Ya no espera confirmación")
    person.is_accessible("f3-ya-no-espera")


def test_a_representative_confirms_by_card_and_chooses_the_question(person: Reader) -> None:
    proposed(person)
    person.open("/empresa/confirmar").is_accessible("f4-cedula")
    person.type(rut="76.543.210-3", representative="33.333.333-3", serial="1234").press("Validar")
    person.sees("Hay un problema").is_accessible("f5-cedula-error")
    person.type(serial="123456789").read_letters().press("Validar").sees("Confirmar el contacto nuevo")
    person.press("Confirmar el cambio").sees("El contacto nuevo quedó confirmado").is_accessible("f6-confirmado")
    person.follow("Elegir la pregunta secreta").is_accessible("f7-pregunta")
    person.choose(question="mascota").type(answer="Canelo Grande").press("Guardar")
    person.sees("Su pregunta secreta quedó guardada").is_accessible("f8-guardada")
    person.site.message("otro@example.cl", "pregunta secreta nueva")


def test_a_holder_sees_everything_held_and_asks_for_a_correction(person: Reader) -> None:
    person.open("/ingresar").type(rut=CAMILA, key="KM482915").press("Ingresar")
    person.follow("Todos mis datos y quién los ha visto").sees("Nadie de la mesa de ayuda ha abierto su cuenta")
    person.is_accessible("e1-mis-datos").follow("Corregir o eliminar mis datos").is_accessible("e2-pedir")
    person.tick("Corregir mis datos").type(words="Mi dirección es otra", key="KM482915").press("Enviar la solicitud")
    person.sees("Recibimos su solicitud").is_accessible("e3-pedido")
    person.enter_desk("supervisor").follow("Datos personales").sees("Corregir mis datos").is_accessible("e4-mesa-datos")
    person.follow("Corregir mis datos").sees("Mi dirección es otra").is_accessible("e5-mesa-solicitud").tick("Rechazar")
    person.press("Guardar la decisión").sees("Falta completar: Motivo").type(reason="Actualícela usted en su cuenta")
    person.press("Guardar la decisión").sees("La solicitud quedó resuelta").is_accessible("e6-mesa-resuelta")
    person.site.message("camila.rojas@example.cl", "Actualícela usted en su cuenta")


def test_a_person_leaves_and_nothing_of_the_account_stays(person: Reader) -> None:
    person.open("/ingresar").type(rut="22222222-2", key="TR618204").press("Ingresar").open("/mi-cuenta/mis-datos/pedir")
    person.tick("Eliminar mis datos").type(key="TR618204").press("Enviar la solicitud").sees("Recibimos su solicitud")
    person.enter_desk("supervisor").open("/backoffice/datos").follow("Eliminar mis datos").tick("Aprobar")
    person.press("Guardar la decisión").sees("La solicitud quedó resuelta", "No hay solicitudes en espera")
    person.site.message("diego.munoz@example.cl", "Aceptada")
    assert person.site.query("SELECT COUNT(*) FROM holders_holder WHERE identifier = '22222222-2'")[0][0] == 0
    person.open("/ingresar").type(rut="22222222-2", key="TR618204").press("Ingresar").sees("No autorizado")
