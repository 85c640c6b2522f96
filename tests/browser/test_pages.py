"""Every page that anybody can open: no barriers, one heading, and it fits an old phone."""

from clave.web import bodies
from tests.browser.reader import Reader

PAGES = [
    "/", "/ayuda", "/ingresar", "/persona/registrarse", "/persona/recuperar", "/persona/cambiar", "/persona/actualizar",
    "/persona/actualizar/fecha-y-correo", "/Account/Registrar", "/Account/RecuperarClave", "/Account/CambiarClave",
    "/Account/ActualizarDatos", "/Account/GenerarNuevaCusPj", "/no-existe", "/sandbox/", "/verificar", "/rts/ingresar",
    "/persona/recuperar/0123456789abcdef/pregunta",
    "/empresa/registrarse", "/empresa/recuperar", "/empresa/cambiar", "/migrante/registrarse", "/migrante/recuperar",
    "/migrante/cambiar", "/migrante/actualizar", "/migrante/actualizar/fecha-y-correo", "/facilitador/recuperar",
    "/facilitador/cambiar", "/empresa/facilitador", "/empresa/facilitador/estado", "/empresa/facilitador/recuperar",
    "/ingresar/empresa", "/ingresar/migrante", "/ingresar/facilitador", "/backoffice/ingresar",
    "/backoffice/invitacion",
]  # fmt: skip


def test_every_page_is_accessible_and_fits_an_old_phone(person: Reader) -> None:
    for path in PAGES:
        person.open(path).is_accessible(f"91{path.replace('/', '-')}")
        assert person.page.locator("h1").count() == 1, path


def test_who_comes_when_too_many_wait_is_told_so_and_loses_nothing(person: Reader) -> None:
    person.open("/ingresar").type(rut="11.111.111-1", key="KM482915")
    with person.site.receiving_slow_forms(bodies.AT_ONCE + 30):
        person.page.get_by_role("button", name="Ingresar").click()
        person.sees("Hay muchas personas en este momento", "envíelo de nuevo").is_accessible("92-hay-muchas-personas")
    person.page.go_back()
    assert person.page.locator("[name=rut]").input_value() == "11.111.111-1"
    person.type(key="KM482915")
    person.page.get_by_role("button", name="Ingresar").click()
    person.sees("Mi cuenta")
