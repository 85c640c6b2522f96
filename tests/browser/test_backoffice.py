"""The help desk in a real browser: keyboard, passkeys, every page checked and photographed."""

import re

from tests.browser.reader import Reader

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
    reader.press("Actualizar").sees("El contacto quedó actualizado")
    reader.page.get_by_role("link", name="Enviar una clave temporal").click()
    reader.choose(reason="call").press("Enviar la clave").sees("quien cambia un correo no envía una clave")
    reader.is_accessible("a7-mesa-dos-personas").press("Salir (Agente de prueba, Agente)").sees(
        "Mesa de ayuda: ingresar"
    )


def test_a_supervisor_watches(reader: Reader) -> None:
    reader.enter_desk("supervisor")
    for path, words, name in (
        ("/backoffice/auditoria", "Sellos", "b0-mesa-auditoria"),
        ("/backoffice/operadores", "Agente de prueba", "b1-mesa-operadores"),
        ("/backoffice/trabajo", "Acciones por día", "b2-mesa-trabajo"),
        ("/backoffice/datos", "Solicitudes sobre datos personales", "b3-mesa-datos"),
        ("/backoffice/solicitudes", "Facilitadores extranjeros", "b4-mesa-solicitudes"),
    ):
        reader.open(path).sees(words).is_accessible(name)
    reader.open("/backoffice/operadores").page.get_by_role("button", name="Nombre").click()
    first = reader.page.locator("tbody tr td:first-child").first
    assert first.inner_text() == "Agente de prueba"
    reader.page.get_by_role("button", name="Nombre").click()
    assert first.inner_text() == "Supervisor de prueba"
    reader.type(name="Nueva", email="nueva@mesa.example.cl").press("Invitar").sees("invitada")
    mail = reader.site.message("nueva@mesa.example.cl", "use este código")["text"]
    code = re.search(r"\b[A-Z2-9]{12}\b", mail)[0]
    reader.open("/backoffice/invitacion").type(email="nueva@mesa.example.cl", code=code)
    reader.type(password="arboles sobre la colina", again="arboles sobre la colina").press("Continuar")
    reader.sees("aplicación de códigos").is_accessible("b5-mesa-segundo-factor")
    assert reader.page.evaluate("document.querySelector('main img').naturalWidth") > 100, "the picture is painted"
    reader.open("/backoffice/auditoria").type(action="operator.").press("Filtrar").sees("operator.signin")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="Bajar Excel").click()
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
        reader.type(label="Mi teléfono").press("Crear llave de acceso").sees("Mi teléfono ·")
        reader.press("Salir (Agente de prueba, Agente)").press("Ingresar con llave de acceso")
        reader.sees("RUT, NIE, documento, correo o folio").is_accessible("c1-mesa-con-llave")
    finally:
        reader.site.url = address


def test_an_agent_without_scripts_on_a_narrow_screen(phone: Reader) -> None:
    phone.enter_desk("agente").keep("d0-movil-mesa").type(text=CAMILA).press("Buscar").sees("Resultados")
    phone.page.get_by_role("link", name="RUT 11.111.111-1").click()
    phone.choose(reason="call").press("Abrir la cuenta").sees("Camila Rojas Soto").keep("d1-movil-cuenta")


def test_a_holder_sees_everything_held(reader: Reader, phone: Reader) -> None:
    for person in (reader, phone):
        person.open("/ingresar").type(rut=CAMILA, key="KM482915").press("Ingresar")
        person.page.get_by_role("link", name="Todos mis datos y quién los ha visto").click()
        person.sees("Nadie de la mesa de ayuda ha abierto su cuenta")
    phone.keep("e0-movil-mis-datos")
    reader.is_accessible("e1-mis-datos").page.get_by_role("link", name="Corregir o eliminar mis datos").click()
    reader.is_accessible("e2-pedir").page.get_by_label("Corregir mis datos").check()
    reader.type(words="Mi dirección es otra", key="KM482915").press("Enviar la solicitud").sees(
        "Recibimos su solicitud"
    )
    reader.is_accessible("e3-pedido")
