"""The guide for integrators: their own values in every language, never a secret."""

import json

import pytest

from clave.sso import guide
from clave.sso.guide import LANGUAGES
from tests.sso.application import Application, issuer
from tests.story import Visitor


@pytest.fixture
def app(demo: None) -> Application:
    return Application()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_each_language_shows_the_clients_own_values(app: Application, visitor: Visitor, language) -> None:  # type: ignore[no-untyped-def]
    page = visitor.open(f"/integrar?con={language.code}&cliente={app.client_id}")
    assert page.shows(language.title, language.library, app.client_id, issuer())
    assert 'aria-current="page"' in page.html and app.secret not in page.html
    if language.code != "keycloak":
        assert page.text.count("/callback") >= 2, "among the values and in the example"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_an_application_written_for_claveunica_gets_that_issuer(demo: None, visitor: Visitor, language) -> None:  # type: ignore[no-untyped-def]
    app = Application(dialect="claveunica")
    page = visitor.open(f"/integrar?con={language.code}&cliente={app.client_id}")
    assert page.shows(issuer("/openid"), "/api/v1/accounts/app/logout", "RolUnico")
    assert page.shows("no se exige") and (" S256" not in page.text and "'S256'" not in page.text)


@pytest.mark.parametrize("dialect", ["oidc", "claveunica"])
def test_examples_that_can_be_read_here_are_well_formed(demo: None, dialect: str) -> None:
    client = Application(dialect=dialect).client
    compile(guide.example(guide.BY_CODE["python"], client), "python.py", "exec")
    keycloak = guide.example(guide.BY_CODE["keycloak"], client)
    assert json.loads(keycloak[keycloak.index("{\n") :])["config"]["clientId"] == client.client_id


def test_without_a_client_the_values_are_to_be_replaced(visitor: Visitor, demo: None) -> None:
    page = visitor.open("/integrar")
    assert page.shows("SU-CLIENT-ID", "https://su-sitio.cl/callback", "Python")
    assert visitor.open("/integrar?con=cobol").shows("Authlib")
    assert visitor.open("/integrar?cliente=nadie").shows("No hay un sistema con ese client_id", "SU-CLIENT-ID")


def test_what_only_the_back_office_knows_of_a_client_is_not_shown(visitor: Visitor, demo: None) -> None:
    app = Application(
        contact="ana@app.example.cl",
        redirect_uris=["https://app.example.cl/callback", "https://interna.example.cl/callback"],
        sector="example.cl",
    )
    page = visitor.open(f"/integrar?cliente={app.client_id}")
    assert "ana@app" not in page.html and "interna.example.cl" not in page.html


def test_php_is_told_to_ask_for_a_signature_its_library_knows(visitor: Visitor, demo: None) -> None:
    app, other = Application(id_token_algorithm="ES256"), Application()
    assert visitor.open(f"/integrar?con=php&cliente={app.client_id}").shows("no sabe comprobar la firma ES256")
    assert "no sabe comprobar" not in visitor.open(f"/integrar?con=php&cliente={other.client_id}").text


def test_the_demos_client_works_at_once(visitor: Visitor, demo: None) -> None:
    assert visitor.open("/integrar?cliente=demo").shows(f"{issuer()}/sandbox/probar-openid/volver")
