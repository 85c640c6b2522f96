"""Facilitators: every flow and case, at a desktop screen and on an old phone without scripts (mission.md, section 6)."""

from tests import files
from tests.browser.reader import Reader
from tests.browser.test_companies import FORGOTTEN
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, ROSA
from tests.test_facilitators import DATA

WHO = {"document_kind": "PAS", "document": "AB123456"}
COMPANY = {"rut": AUSTRAL, "representative": ROSA, "key": "CA739105"}


def ask(person: Reader) -> str:
    """Ask for a key as the company; return the folio."""
    person.open("/empresa/facilitador").is_accessible("79-facilitador").type(**COMPANY).read_letters()
    person.press("Validar").sees("Paso 2 de 3").is_accessible("80-facilitador-declaracion")
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="Descargar la declaración jurada").click()
    assert download.value.suggested_filename.endswith(".docx")
    person.bring("declaracion.pdf", files.pdf(), "affidavit").press("Continuar").sees("Paso 3 de 3")
    person.fill(DATA).bring("pasaporte.jpg", files.image("JPEG"), "scan").is_accessible("81-facilitador-datos")
    person.press("Realizar Solicitud").sees("Recibimos su solicitud").is_accessible("82-facilitador-folio")
    return person.page.locator(".destacado").inner_text()


def state_of(person: Reader, folio: str) -> Reader:
    person.open("/empresa/facilitador/estado").is_accessible("83-facilitador-estado")
    return person.type(folio=folio, rut=AUSTRAL).read_letters().press("Consultar")


def decide(person: Reader, folio: str, decision: str, reason: str = "") -> None:
    """Look at the request and its documents as the reviewer, and decide."""
    person.enter_desk("revisor").follow("Solicitudes").sees("Capacita Austral SpA").is_accessible("85-mesa-solicitudes")
    person.follow(folio).sees("Ana Lucía Quispe Mamani", "Bolivia").is_accessible("86-mesa-solicitud")
    with person.page.expect_download() as download:
        person.page.get_by_role("link", name="Declaración jurada (.pdf)").click()
    assert download.value.suggested_filename == f"affidavit-{folio}.pdf"
    person.tick(decision).type(reason=reason).press("Guardar la decisión")
    person.sees(f"La solicitud {folio} quedó", "No hay solicitudes en espera").is_accessible("86-mesa-decidida")
    person.page.get_by_role("button", name="Salir").click()


def approved(person: Reader) -> str:
    """Return the key that reached the facilitator once the request was approved."""
    decide(person, ask(person), "Aprobar")
    return person.key_for(DATA["email"])


def test_from_the_request_to_the_first_sign_in(person: Reader) -> None:
    folio = ask(person)
    state_of(person, folio).sees("En revisión").is_accessible("84-facilitador-en-revision")
    decide(person, folio, "Aprobar")
    person.site.message(AUSTRAL_MAIL, "fue aprobada")
    state_of(person, folio).sees("Aprobada")
    key = person.key_for(DATA["email"])
    person.open("/ingresar/facilitador").is_accessible("87-facilitador-ingresar")
    person.fill({**WHO, "key": key}).press("Ingresar").sees("Elija su clave nueva")
    person.type(new_key="NW604827", new_key_again="NW604827").press("Cambiar Clave").sees("Su clave fue cambiada")
    person.open("/ingresar/facilitador").fill({**WHO, "key": "NW604827"}).press("Ingresar")
    person.sees("Pasaporte", "Ana Lucía Quispe Mamani").is_accessible("88-facilitador-cuenta")


def test_a_rejected_request_says_why_to_both(person: Reader) -> None:
    folio = ask(person)
    decide(person, folio, "Rechazar", "El pasaporte no se lee.")
    for mail in (AUSTRAL_MAIL, DATA["email"]):
        assert "El pasaporte no se lee." in person.site.message(mail, "rechazada")["text"]
    state_of(person, folio).sees("Rechazada", "El pasaporte no se lee.").is_accessible("84-facilitador-rechazada")


def test_the_facilitator_recovers_alone_by_answer_and_changes(person: Reader) -> None:
    first = approved(person)
    person.open("/facilitador/recuperar").is_accessible("89-facilitador-olvido").fill(WHO).read_letters()
    person.press("Validar").sees("Pasaporte AB123456").is_accessible("89-facilitador-pregunta")
    person.type(answer="los alamos").press("Recuperar Clave").sees("Su clave va en camino")
    key = person.key_for(DATA["email"], without=first)
    person.change_key("/facilitador/cambiar", WHO, key)


def test_the_facilitator_recovers_alone_by_birth_date_and_mail(person: Reader) -> None:
    first = approved(person)
    person.open("/facilitador/recuperar").fill(WHO).read_letters().press("Validar").tick(FORGOTTEN)
    person.press("Recuperar Clave").is_accessible("89-facilitador-nacimiento")
    person.type(birth_date="05-06-1991", email=DATA["email"]).press("Recuperar Clave").sees("Su clave va en camino")
    person.change_key("/facilitador/cambiar", WHO, person.key_for(DATA["email"], without=first))


def test_the_company_recovers_its_facilitators_key_and_no_other_company_does(person: Reader) -> None:
    first = approved(person)
    person.open("/empresa/facilitador/recuperar").is_accessible("89-facilitador-recuperar")
    other = {"rut": MADERAS, "representative": DIEGO, "key": "MS204986"}
    person.fill({**other, **WHO}).read_letters().press("Recuperar Clave").sees("no tiene un facilitador aprobado")
    person.fill({**COMPANY, **WHO}).read_letters().press("Recuperar Clave").sees("La clave va en camino")
    person.change_key("/facilitador/cambiar", WHO, person.key_for(DATA["email"], without=first))


def test_a_hostile_file_is_refused_beside_its_field(person: Reader) -> None:
    person.open("/empresa/facilitador").type(**COMPANY).read_letters()
    person.press("Validar").bring("declaracion.pdf", files.hidden_script(), "affidavit").press("Continuar")
    person.sees("Hay un problema", "contiene programas").is_accessible("90-facilitador-archivo")
