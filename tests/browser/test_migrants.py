"""Migrants: every flow, at a desktop screen and on an old phone without scripts (mission.md, section 5)."""

from tests.browser.reader import Reader
from tests.browser.test_companies import FORGOTTEN
from tests.test_migrants import JEAN, KEY, MAIL, NEW

WHO = {"nie": JEAN}


def test_a_migrant_registers_and_signs_in(person: Reader) -> None:
    person.open("/migrante/registrarse").is_accessible("72-migrante-registro").press("Crear Cuenta").sees("problemas")
    person.is_accessible("72-migrante-errores")
    person.fill(NEW).read_letters().press("Crear Cuenta").sees("Su cuenta fue creada")
    person.is_accessible("73-migrante-creada").open("/ingresar/migrante").is_accessible("76-migrante-ingresar")
    person.type(nie="900777888", key="QZ571938").press("Ingresar").sees("Marie Ange Joseph")


def test_recover_by_answer_and_change(person: Reader) -> None:
    person.open("/migrante/recuperar").is_accessible("77-migrante-recuperar").type(**WHO).read_letters()
    person.press("Validar").sees("NIE 900123456").is_accessible("78-migrante-pregunta").type(answer="rue capois")
    person.press("Recuperar Clave").sees("Su clave va en camino")
    key = person.key_for(MAIL)
    person.change_key("/migrante/cambiar", WHO, key)


def test_recover_by_birth_date_and_mail(person: Reader) -> None:
    person.open("/migrante/recuperar").type(**WHO).read_letters().press("Validar").tick(FORGOTTEN)
    person.press("Recuperar Clave").is_accessible("74-migrante-nacimiento")
    person.type(birth_date="30-01-1988", email="otro@example.cl").press("Recuperar Clave").sees("no coinciden")
    person.type(birth_date="30-01-1988", email=MAIL).press("Recuperar Clave").sees("Su clave va en camino")
    person.change_key("/migrante/cambiar", WHO, person.key_for(MAIL))


def test_update_both_ways_in(person: Reader) -> None:
    person.open("/migrante/actualizar").type(**WHO, key=KEY).read_letters().press("Validar")
    person.choose(question="calle").type(answer="Rue Capois").press("Continuar").sees("Jean Baptiste Pierre")
    person.is_accessible("75-migrante-datos").type(email="jean2@example.cl").press("Actualizar Datos")
    person.sees("actualizados correctamente").site.message(MAIL, "Cambió el correo")
    person.open("/migrante/actualizar").follow("Validar con fecha de nacimiento y correo")
    person.type(**WHO, birth_date="30-01-1988", email="jean2@example.cl").read_letters().press("Validar")
    person.choose(question="calle").type(answer="Rue Capois").press("Continuar").press("Actualizar Datos")
    person.sees("actualizados correctamente")
