"""Systems in a real browser: registered in the back office, explained to who connects them, tried in the demo."""

import io

from PIL import Image

from tests.browser.reader import Reader


def logo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 48), "#006FB3").save(out, "PNG")
    return out.getvalue()


def test_a_supervisor_registers_a_system_and_cares_for_it(person: Reader) -> None:
    person.enter_desk("supervisor").open("/backoffice/sistemas").sees("Probar OpenID").is_accessible("c0-sistemas")
    person.open("/backoffice/sistemas/nuevo").is_accessible("c1-sistema-nuevo")
    person.type(name="Aula Sur", redirect_uris="https://*.example.cl/").press("Registrar")
    person.sees("Hay un problema", "asteriscos").is_accessible("c2-sistema-con-error")
    person.type(redirect_uris="https://sur.example.cl/volver").press("Registrar")
    person.sees("Sistema registrado", "no se vuelve a mostrar").is_accessible("c3-sistema-registrado")
    person.follow("Ver el sistema").sees("https://sur.example.cl/volver").is_accessible("c4-sistema")
    person.follow("Crear un secreto nuevo").is_accessible("c5-secreto").press("Crear el secreto")
    person.sees("sirve por 7 días más").is_accessible("c6-secreto-nuevo").follow("Volver al sistema")
    person.follow("Logo").is_accessible("c7-logo").bring("logo.png", logo(), "logo").press("Guardar el logo")
    person.sees("El logo quedó guardado").is_accessible("c8-sistema-con-logo")
    assert person.page.locator("img.logo").evaluate("image => image.naturalWidth") == 96
    person.follow("Comprobar la integración").is_accessible("c9-comprobar")
    person.type(url="https://otro.example.cl/").press("Comprobar")
    person.sees("no está entre las direcciones").is_accessible("ca-comprobado")
    person.page.go_back()
    person.page.go_back()
    person.follow("Suspender").is_accessible("cb-suspender").press("Sí, suspender").sees("nadie puede entrar")
    person.open("/backoffice/sistemas/tokens").is_accessible("cc-tokens").type(label="Despliegue").press("Crear token")
    person.sees("Token creado").is_accessible("cd-token").follow("Volver a los tokens")
    person.follow("Revocar").is_accessible("ce-revocar").press("Sí, revocar").sees("El token quedó revocado")


def test_the_guide_shows_every_language_without_a_script(person: Reader) -> None:
    person.open("/integrar?cliente=demo").sees("Authlib", "client_id").is_accessible("cf-integrar")
    for language in ("PHP", "Java", ".NET", "JavaScript", "Spring", "Keycloak", "Apache"):
        person.follow(language).sees(language)
    person.is_accessible("cg-integrar-apache")


def test_a_person_tries_a_sign_in_step_by_step(person: Reader) -> None:
    person.open("/sandbox/").follow("Probar OpenID: entrar a otro sistema, paso a paso")
    person.sees("code_challenge").is_accessible("ch-probar").follow("Ir a Clave")
    person.type(rut="11.111.111-1", key="KM482915").press("Ingresar")
    permit = person.page.get_by_role("button", name="Permitir y entrar")
    if permit.count():  # who walked this way before has consented
        permit.click()
    person.page.wait_for_url("**/volver?**")
    person.sees("Sí: El state").is_accessible("ci-probar-respuesta").press("Cambiar el código por los tokens")
    person.sees("Sí: La firma", "access_token").is_accessible("cj-probar-tokens").press("Pedir los datos")
    person.sees("Camila").is_accessible("ck-probar-datos").press("Renovar los tokens").sees("HTTP 200")
    person.press("Salir de Clave")
    person.page.wait_for_url("**/salida?**")
    person.sees("La salida").is_accessible("cl-probar-salida")
