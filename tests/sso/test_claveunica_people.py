"""The test people of ClaveÚnica's sandbox: at the demo's client, and nowhere else."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.conf import settings

from clave.holders.models import Holder
from clave.sandbox import claveunica_demo
from clave.sandbox.claveunica_demo import CLIENT_ID, SECRET
from clave.sso import logout
from clave.sso.models import Client
from tests.sso.application import Application, led_to, signed_in
from tests.story import Visitor

RETURN = "http://localhost:3000/callback"
PEOPLE = ["44.444.444-4", "55.555.555-5", "88.888.888-8", "99.999.999-9"]


def authorize(**changes: str) -> str:
    query = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid run name email", "state": "abc"}
    return f"/openid/authorize/?{urlencode({**query, 'redirect_uri': RETURN, **changes})}"


def enter(visitor: Visitor, run: str, password: str = "testing") -> dict[str, str]:
    """Sign in at the demo's client; return what the application gets."""
    page = visitor.open(authorize())
    assert page.shows("Personas de prueba de ClaveÚnica")
    response = visitor.client.post(page.url, visitor.fill(rut=run, password=password))
    assert led_to(response).startswith(RETURN)
    return dict(parse_qsl(urlsplit(led_to(response)).query))


def tokens(visitor: Visitor, code: str, redirect_uri: str = RETURN) -> dict[str, str]:
    fields = {"client_id": CLIENT_ID, "client_secret": SECRET, "grant_type": "authorization_code", "code": code}
    form = urlencode({**fields, "redirect_uri": redirect_uri})
    answer = visitor.client.post("/openid/token/", form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


@pytest.mark.parametrize("run", PEOPLE)
def test_each_of_them_signs_in_with_testing(demo: None, visitor: Visitor, run: str) -> None:
    answer = enter(visitor, run)
    assert answer["state"] == "abc"
    got = tokens(visitor, answer["code"])
    headers = {"Authorization": f"Bearer {got['access_token']}"}
    who = visitor.client.post("/openid/userinfo/", headers=headers).json()
    assert who["RolUnico"] == {"numero": int(run.replace(".", "")[:8]), "DV": run[-1], "tipo": "RUN"}
    assert who["name"]["nombres"] == ["Persona"] and who["name"]["apellidos"][0] == "De Prueba"
    assert who["email"].endswith("@claveunica-demo.example.cl") and set(who) == {"sub", "RolUnico", "name", "email"}
    assert got["refresh_token"] and logout.end_grants() == 0, "the grant lives"


def test_again_it_is_the_same_person(demo: None) -> None:
    subjects = set()
    for visitor in (Visitor(), Visitor()):
        got = tokens(visitor, enter(visitor, "44.444.444-4")["code"])
        headers = {"Authorization": f"Bearer {got['access_token']}"}
        subjects.add(visitor.client.get("/openid/userinfo", headers=headers).json()["sub"])
    assert len(subjects) == 1


@pytest.mark.parametrize(("run", "password"), [("44.444.444-4", "Testing"), ("11.111.111-1", "KM482915")])
def test_nobody_else_signs_in_there(demo: None, visitor: Visitor, run: str, password: str) -> None:
    page = visitor.open(authorize())
    page = visitor.send(rut=run, password=password)
    assert page.status == 400 and page.shows("El RUN o la clave no son de una persona de prueba.")
    assert page.fields["rut"] == run, "what was typed is kept"


def test_a_holder_who_is_signed_in_is_nobody_there(demo: None) -> None:
    camila = signed_in()
    assert camila.open(authorize()).shows("Personas de prueba de ClaveÚnica")
    refused = camila.client.get(authorize(prompt="none"))
    assert "error=login_required" in refused.headers["Location"]


def test_a_test_person_gets_no_session_and_is_nobody_elsewhere(demo: None, visitor: Visitor) -> None:
    enter(visitor, "44.444.444-4")
    assert visitor.open("/mi-cuenta").url.startswith("/ingresar")
    other = Application(dialect="claveunica")
    assert visitor.open(other.url(scope="openid run")).shows("Ingresar con mi Clave SENCE")
    assert visitor.sign_in("44.444.444-4", "testing").shows("No autorizado")
    assert visitor.sign_in("55.555.555-5", "testing").shows("No autorizado")


def test_the_demos_holders_stay_as_they_are(demo: None, visitor: Visitor) -> None:
    for run in PEOPLE:
        enter(Visitor(), run)
    assert not Holder.objects.filter(identifier="44444444-4").exists()
    assert Holder.objects.get(identifier="55555555-5").full_name == "Iván Soto Lara"
    assert visitor.register(serial="444555666").shows("Clave SENCE")
    assert Holder.objects.get(identifier="44444444-4").email == "cuatro@example.cl"


def test_the_sign_in_belongs_to_its_request_and_browser(demo: None, visitor: Visitor) -> None:
    page = visitor.open(authorize())
    assert Visitor().open(page.url).status == 400
    camila = Visitor()
    other = camila.client.get(Application(dialect="claveunica").url(scope="openid"))
    pending = other.headers["Location"].rpartition("%2F")[2]
    assert camila.open(f"/sandbox/claveunica-demo/{pending}").status == 400


def test_its_page_says_all_one_needs_and_tries_it(demo: None, visitor: Visitor) -> None:
    page = visitor.open("/sandbox/claveunica-demo/")
    assert page.shows(CLIENT_ID, SECRET, *PEOPLE, "testing", RETURN)
    own = f"{settings.CLAVE_URL}/sandbox/claveunica-demo/"
    page = visitor.open(authorize(redirect_uri=own))
    response = visitor.client.post(page.url, visitor.fill(rut="99.999.999-9", password="testing"))
    back = led_to(response).removeprefix(settings.CLAVE_URL)
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    assert visitor.open(back).shows("El ingreso resultó", code)
    assert tokens(visitor, code, own)["token_type"] == "bearer"


def test_the_client_follows_a_site_that_moves_and_keeps_its_secret(demo: None, settings) -> None:  # type: ignore[no-untyped-def]
    settings.CLAVE_URL = "http://localhost:9000"
    claveunica_demo.load()
    client = Client.objects.get(client_id=CLIENT_ID)
    assert client.redirect_uris[0] == "http://localhost:9000/sandbox/claveunica-demo/"
    assert client.secrets.count() == 1 and not client.requires_pkce
