"""The demo's client for applications written for ClaveÚnica, in a real browser."""

from tests.browser.reader import Reader
from tests.browser.test_platform import own_url


def test_a_developer_tries_the_sign_in_with_a_test_person(person: Reader) -> None:
    person.page.goto(f"{own_url(person)}/sandbox/claveunica-demo/")
    person.sees("Credenciales y direcciones", "44.444.444-4").is_accessible("150-claveunica-demo")
    person.page.get_by_role("link", name="Probar el ingreso").click()
    person.sees("Personas de prueba de ClaveÚnica").is_accessible("151-personas-de-prueba")
    person.type(rut="44.444.444-4", password="KM482915").press("Ingresar")
    person.sees("El RUN o la clave no son de una persona de prueba.").is_accessible("152-no-es-persona-de-prueba")
    person.type(password="testing").press("Ingresar")
    person.sees("El ingreso resultó", "authorization_code").is_accessible("153-ingreso-resulto")
