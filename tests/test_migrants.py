"""Migrante: the four flows by NIE (mission.md, section 5)."""

import pytest
from pytest_django import Settings

from clave.holders.models import Holder
from tests import factories
from tests.story import Mailbox, Page, Visitor

JEAN, KEY, MAIL, PHONE = "900123456", "HT254817", "jean.pierre@example.cl", "+56987650009"
NEW = {
    "nie": "900.777.888",
    "names": "Marie Ange",
    "paternal": "Joseph",
    "maternal": "",
    "sex": "F",
    "birth_date": "09-03-1994",
    "country": "HT",
    "question": "calle",
    "answer": "Rue Pavée",
    "region": "13",
    "comuna": "13101",
    "street": "San Diego",
    "street_number": "100",
    "email": "marie@example.cl",
    "mobile": "8765 4321",
    "new_key": "QZ571938",
    "new_key_again": "QZ571938",
}


def register(visitor: Visitor, **changes: str) -> Page:
    visitor.open("/migrante/registrarse")
    return visitor.send(**{**NEW, **changes})


def sign_in(visitor: Visitor, nie: str, key: str) -> Page:
    visitor.open("/ingresar/migrante")
    return visitor.send(nie=nie, key=key)


def test_a_migrant_registers_with_what_no_registry_tells(visitor: Visitor, mailbox: Mailbox) -> None:
    assert register(visitor).shows("Su cuenta fue creada")
    assert "Registro Civil, el titular" not in visitor.page.text
    assert "NIE 900777888" in mailbox.last("marie@example.cl")["text"]
    assert sign_in(visitor, "900777888", "QZ571938").shows("Marie Ange Joseph", "NIE 900777888")
    holder = Holder.objects.get(identifier="900777888")
    assert (holder.country, holder.sex, holder.verification) == ("HT", "F", "declared")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nie": "12345"}, "El NIE son solo números, de 6 a 12"),
        ({"nie": "90012345A"}, "El NIE son solo números"),
        ({"nie": JEAN}, "Esta cuenta ya tiene Clave SENCE"),
        ({"country": "CL"}, "Elija un país de la lista"),
        ({"birth_date": "01-01-2090"}, "La fecha no puede estar en el futuro"),
        ({"names": ""}, "Falta completar: Nombres"),
        ({"new_key": "QZ900777", "new_key_again": "QZ900777"}, "números de su"),
    ],
)
def test_what_cannot_be_registered_is_told_beside_its_field(
    visitor: Visitor, changes: dict[str, str], message: str
) -> None:
    page = register(visitor, **changes)
    assert page.shows(message) and page.status == 400 and page.fields["street"] == "San Diego"


def test_the_format_of_a_nie_is_a_setting(visitor: Visitor, settings: Settings) -> None:
    settings.NIE_DIGITS = (4, 5)
    assert register(visitor).shows("de 4 a 5")
    assert register(visitor, nie="12345").shows("Su cuenta fue creada")


def test_recover_by_answer_and_change(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/migrante/recuperar")
    assert visitor.send(nie=JEAN).shows("NIE 900123456", "Calle donde vivía")
    assert visitor.send(answer="rue capois").shows("Su clave va en camino", "jeanxxxx@exaxxxx")
    key = mailbox.key(MAIL)
    assert key == mailbox.key(PHONE)
    visitor.open("/migrante/cambiar")
    visitor.send(nie=JEAN, key=key)
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("Su clave fue cambiada")
    assert sign_in(visitor, JEAN, "NW604827").shows("Jean Baptiste Pierre")


def test_who_forgot_the_answer_and_has_no_chilean_card_gives_birth_date_and_mail(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    visitor.open("/migrante/recuperar")
    visitor.send(nie=JEAN)
    assert visitor.send(forgotten="on").shows("Fecha de nacimiento", "Correo registrado")
    assert visitor.send(birth_date="30-01-1988", email="otro@example.cl").shows("no coinciden con una cuenta")
    assert not mailbox.to("otro@example.cl")
    assert visitor.send(birth_date="30-01-1988", email=MAIL).shows("Su clave va en camino")
    assert mailbox.key(MAIL)


def test_update_both_ways_in(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/migrante/actualizar")
    visitor.send(nie=JEAN, key=KEY)
    assert visitor.send(question="calle", answer="Rue Capois").shows("Jean Baptiste Pierre", "NIE")
    assert visitor.send(email="jean2@example.cl").shows("actualizados correctamente")
    assert "NIE 900123456" in mailbox.last(MAIL)["text"]
    visitor.open("/migrante/actualizar/fecha-y-correo")
    assert visitor.send(nie=JEAN, birth_date="30-01-1988", email="jean2@example.cl").shows("Paso 2 de 3")


def test_minimum_data_missing_stops_every_flow_but_the_update(visitor: Visitor) -> None:
    Holder.objects.filter(identifier=JEAN).update(street="", country="")
    assert sign_in(visitor, JEAN, KEY).shows("Faltan datos mínimos", "su dirección", "su país de origen")
    assert "/migrante/actualizar" in visitor.page.html
    visitor.open("/migrante/actualizar")
    visitor.send(nie=JEAN, key=KEY)
    visitor.send(question="calle", answer="Rue Capois")
    assert visitor.send(street="Merced", country="HT").shows("actualizados correctamente")
    assert sign_in(visitor, JEAN, KEY).shows("Mi cuenta")


def test_an_account_of_the_old_system_is_told_so_and_registers_again(visitor: Visitor) -> None:
    factories.holder("900777888", "MI", legacy=True)
    sign_in(visitor, "900777888", "AA000000")
    assert visitor.send(key="AA000000").shows("corresponde al sistema antiguo")
    assert register(visitor).shows("Su cuenta fue creada")
    sign_in(visitor, "900777888", "QZ571938")
    assert visitor.send(key="QZ571938").shows("Marie Ange Joseph")


@pytest.mark.abuse(1)
def test_unknown_and_known_look_alike(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.test_abuse import shape

    monkeypatch.setattr("clave.credentials.secret_questions.decoy_question", lambda _: "calle")
    seen = []
    for nie in (JEAN, "900999999"):
        visitor = Visitor()
        visitor.open("/migrante/recuperar")
        pages = [visitor.send(nie=nie), visitor.send(answer="No es esta"), visitor.send(answer="", forgotten="on")]
        pages.append(visitor.send(birth_date="01-01-1980", email="x@example.cl"))
        pages.append(sign_in(visitor, nie, "AA000000"))
        seen.append([(page.status, shape(page)[1].replace(nie, "")) for page in pages])
    for known, unknown in zip(*seen, strict=True):
        assert known[0] == unknown[0] and known[1].splitlines() == unknown[1].splitlines()
