"""Upstream doors in a real browser, with the simulated ClaveÚnica and Clave Tributaria of the demo."""

from tests.browser.reader import Reader
from tests.browser.test_platform import own_url

CAMILA, KEY = "11.111.111-1 · Camila Rojas Soto", "KM482915"


def go(person: Reader, path: str) -> Reader:
    """Open a page at the address that the installation gives itself, to which the doors come back."""
    person.page.goto(own_url(person) + path)
    return person


def pass_door(person: Reader, account: str) -> Reader:
    person.sees("simulada", "La clave de prueba es «testing»")
    return person.tick(account).type(password="testing").press("Ingresar")


def test_a_person_links_enters_by_claveunica_alone_and_unlinks(person: Reader) -> None:
    go(person, "/ingresar").sees("Ingresar con mi Clave SENCE").is_accessible("130-ingresar-con-puerta")
    person.follow("Ingresar con ClaveÚnica").sees("ClaveÚnica simulada").is_accessible("131-claveunica")
    person.press("Ingresar").sees("Hay 2 problemas").is_accessible("132-claveunica-errores")
    pass_door(person, CAMILA).sees("Vincular ClaveÚnica", "11.111.111-1").is_accessible("133-vincular")
    person.type(key=KEY).press("Vincular e ingresar").sees("Mi cuenta", "Camila Rojas Soto")
    person.press("Salir").sees("Salió de su cuenta").follow("Ingresar otra vez").follow("Ingresar con ClaveÚnica")
    pass_door(person, CAMILA).sees("Mi cuenta", "Camila Rojas Soto").is_accessible("134-mi-cuenta-con-puertas")
    person.follow("Otras formas de ingresar").sees("Vinculada desde el").is_accessible("135-puertas")
    person.follow("Quitar el vínculo").is_accessible("136-quitar").type(key=KEY).press("Quitar el vínculo")
    person.sees("ClaveÚnica ya no está vinculada", "No está vinculada.").is_accessible("137-quitada")
    go(person, "/mi-cuenta").press("Salir").sees("Salió de su cuenta")


def test_who_leaves_by_the_door_may_leave_claveunica_too(reader: Reader) -> None:
    go(reader, "/ingresar/con/claveunica")
    pass_door(reader, CAMILA).type(key=KEY).press("Vincular e ingresar").press("Salir")
    go(reader, "/ingresar/con/claveunica")
    pass_door(reader, CAMILA).press("Salir").sees("Salir también de ClaveÚnica").is_accessible("138-salir-de-la-puerta")
    reader.follow("Salir también de ClaveÚnica").sees("Persona Natural")


def test_who_has_no_clave_sence_makes_one_behind_the_door(person: Reader) -> None:
    go(person, "/ingresar/con/claveunica")
    pass_door(person, "44.444.444-4 · Persona De Prueba Cuatro")
    person.sees("ClaveÚnica confirmó su RUT").is_accessible("139-registrarse-con-puerta")
    assert person.page.locator("[name=rut]").input_value() == "44.444.444-4"
    person.choose(question="mascota", region="13", comuna="13101")
    person.type(answer="Pelusa", street="Pasaje Los Aromos", street_number="45", email="cuatro@example.cl")
    person.type(mobile="8765 4321", new_key="QZ571938", new_key_again="QZ571938").read_letters()
    person.press("Crear Cuenta").sees("Su cuenta fue creada")
    go(person, "/ingresar/con/claveunica")
    pass_door(person, "44.444.444-4 · Persona De Prueba Cuatro").sees("Mi cuenta", "Persona De Prueba Cuatro")


def test_a_company_enters_by_clave_tributaria_and_a_person_does_not(person: Reader) -> None:
    go(person, "/ingresar/empresa").is_accessible("140-ingresar-empresa").follow("Ingresar con Clave Tributaria")
    pass_door(person, CAMILA).sees("sirve solo para empresas").is_accessible("141-no-pudo-ingresar")
    person.follow("Intentar otra vez con Clave Tributaria")
    pass_door(person, "76.543.210-3 · Capacita Austral SpA").sees("Vincular Clave Tributaria")
    person.is_accessible("142-vincular-empresa").type(representative="33333333-3", key="CA739105")
    person.press("Vincular e ingresar").sees("Mi cuenta", "Capacita Austral SpA")


def test_a_door_that_is_down_shows_the_way_to_the_ordinary_sign_in(reader: Reader) -> None:
    reader.site.shell("from clave.sandbox import services; services.set_behaviour('claveunica', 'down')")
    go(reader, "/ingresar/con/claveunica")
    if reader.page.locator("h1").inner_text() == "ClaveÚnica simulada":  # it is known already where its door is
        reader.tick(CAMILA).type(password="testing").press("Ingresar")
    reader.sees("ClaveÚnica no responde").is_accessible("143-puerta-caida")
    reader.follow("Ingresar con mi Clave SENCE").type(rut=CAMILA[:12], key=KEY).press("Ingresar").sees("Mi cuenta")
    reader.site.shell("from clave.sandbox import services; services.set_behaviour('claveunica', 'ok')")
