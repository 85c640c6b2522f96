"""ClaveÚnica's dialect, sentence by sentence (rce-protocol.md, section 3)."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from clave.holders.models import Holder
from clave.sso.claveunica import single_names
from tests.sso.application import CAMILA, RETURN, Application, issuer, signed_in
from tests.story import Visitor

pytestmark = pytest.mark.slow

ENDPOINTS = ("authorize", "token", "userinfo", "jwks", ".well-known/openid-configuration")
GOODBYE = "https://app.example.cl/adios"
LOGOUT = "/api/v1/accounts/app/logout"


@pytest.fixture
def app(demo: None) -> Application:
    return Application(dialect="claveunica")


@pytest.fixture
def camila(demo: None) -> Visitor:
    return signed_in()


def asked(app: Application, scope: str, slash: str = "") -> str:
    """Return an authorization request as ClaveÚnica's guide prints it: `scope` raw, the rest encoded."""
    known = urlencode({"client_id": app.client_id, "response_type": "code"})
    return f"/openid/authorize{slash}?{known}&scope={scope}&redirect_uri={quote(RETURN, safe='')}&state={app.state}"


def is_signed_in(person: Visitor) -> bool:
    return person.client.get("/mi-cuenta").status_code == 200


def came_back(app: Application, person: Visitor, url: str) -> dict[str, str]:
    """Open an authorization request as somebody who is signed in; consent if asked to; return the answer."""
    response = person.client.get(url)
    if response.headers.get("Location", "").endswith("/permiso"):
        response = person.client.post(response.headers["Location"], {"permitir": "1"})
    return app.answer(response)


def test_a_person_signs_in_and_the_application_reads_run_and_name(app: Application, visitor: Visitor) -> None:
    page = visitor.open(asked(app, "openid run name"))
    page = visitor.send(rut=CAMILA[0], key=CAMILA[1])
    assert page.shows("Entrar a Aula Virtual", "Su RUT o documento de identidad", "Su nombre")
    answer = app.answer(visitor.client.post(page.url, {"permitir": "1"}))
    assert answer["state"] == app.state and answer["iss"] == issuer("/openid")
    tokens = app.exchange(answer["code"], state=app.state).json()
    who = app.userinfo(tokens["access_token"]).json()
    assert who == {
        "sub": who["sub"],
        "RolUnico": {"numero": 11111111, "DV": "1", "tipo": "RUN"},
        "name": {"nombres": ["Camila"], "apellidos": ["Rojas", "Soto"]},
    }
    assert isinstance(who["sub"], str) and "11111111" not in who["sub"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_address_is_there_with_and_without_the_last_slash(app: Application, endpoint: str) -> None:
    bare, slashed = (app.http.get(f"/openid/{endpoint}{slash}") for slash in ("", "/"))
    assert bare.status_code == slashed.status_code != 404
    assert bare.headers["Content-Type"] == slashed.headers["Content-Type"]


def test_the_whole_way_with_last_slashes(app: Application, camila: Visitor) -> None:
    code = came_back(app, camila, asked(app, "openid run name", "/"))["code"]
    tokens = app.post("token/", {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN}).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert app.http.post("/openid/userinfo/", headers=headers).json()["RolUnico"]["numero"] == 11111111


def test_the_metadata_is_the_dialects_own(app: Application) -> None:
    told = app.http.get("/openid/.well-known/openid-configuration").json()
    assert told["issuer"] == issuer("/openid")
    assert told["authorization_endpoint"] == issuer("/openid/authorize")
    assert told["end_session_endpoint"] == issuer(LOGOUT)
    assert told["scopes_supported"] == ["openid", "run", "name", "email"]
    assert set(told["claims_supported"]) == {"sub", "RolUnico", "name", "email"}
    assert set(told["token_endpoint_auth_methods_supported"]) == {"client_secret_post", "client_secret_basic"}
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]


@pytest.mark.parametrize("written", ["openid run name", "openid%20run%20name", "openid+run+name", "openid  run name "])
def test_spaces_between_scopes_come_raw_or_encoded(app: Application, camila: Visitor, written: str) -> None:
    camila.client.defaults["QUERY_STRING"] = ""
    known, _, query = asked(app, written).partition("?")
    response = camila.client.get(known, QUERY_STRING=query)
    response = camila.client.post(response.headers["Location"], {"permitir": "1"})
    tokens = app.exchange(app.answer(response)["code"]).json()
    assert tokens["scope"] == "openid run name"


def test_email_is_told_only_to_who_asks(app: Application, camila: Visitor) -> None:
    assert "email" not in app.userinfo(app.tokens(camila, scope="openid run name")["access_token"]).json()
    who = app.userinfo(app.tokens(camila, scope="openid run name email")["access_token"]).json()
    assert who["email"] == "camila.rojas@example.cl"


def test_a_scope_nobody_knows_does_no_harm(app: Application, camila: Visitor) -> None:
    assert app.tokens(camila, scope="openid rut name")["scope"] == "openid name"


def test_no_pkce_no_nonce_and_no_state_are_needed(app: Application, camila: Visitor) -> None:
    answer = came_back(app, camila, app.url(scope="openid run name", state=None, nonce=None))
    assert "state" not in answer
    assert "nonce" not in app.read(app.exchange(answer["code"]).json()["id_token"])


def test_pkce_with_nonce_and_state_is_checked(app: Application, camila: Visitor) -> None:
    pkce: dict[str, str | None] = {"code_challenge": app.challenge, "code_challenge_method": "S256"}
    wrong = app.exchange(app.code(camila, scope="openid run", **pkce), code_verifier="x" * 43)
    assert wrong.json()["error"] == "invalid_grant"
    tokens = app.exchange(app.code(camila, scope="openid run", **pkce), code_verifier=app.verifier).json()
    assert app.read(tokens["id_token"])["nonce"] == app.nonce


def test_the_id_token_is_signed_with_rs256_by_the_dialects_issuer(app: Application, camila: Visitor) -> None:
    told = app.read(app.tokens(camila, scope="openid run name")["id_token"])
    assert told["iss"] == issuer("/openid") and told["aud"] == app.client_id


def test_the_token_form_may_carry_a_state_that_means_nothing(app: Application, camila: Visitor) -> None:
    assert app.exchange(app.code(camila, scope="openid"), state="anything at all").status_code == 200


ENCODED_ONCE_MORE = [
    quote(RETURN, safe=""),
    quote(RETURN, safe="").lower().replace("%2f", "%2F"),
    quote(RETURN, safe="/"),
]


@pytest.mark.parametrize("sent", ENCODED_ONCE_MORE)
def test_redirect_uri_may_be_encoded_once_more_in_the_token_form(app: Application, camila: Visitor, sent: str) -> None:
    assert app.exchange(app.code(camila, scope="openid"), redirect_uri=sent).status_code == 200


OTHERS = [RETURN + "/", RETURN.upper(), quote(RETURN + "?x=1", safe=""), quote(quote(RETURN, safe=""), safe=""), ""]


@pytest.mark.parametrize("sent", OTHERS)
def test_after_decoding_once_redirect_uri_is_compared_exactly(app: Application, camila: Visitor, sent: str) -> None:
    refused = app.exchange(app.code(camila, scope="openid"), redirect_uri=sent)
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_grant"


def test_ordinary_clients_get_no_such_leniency(demo: None, camila: Visitor) -> None:
    ordinary = Application()
    refused = ordinary.exchange(ordinary.code(camila), redirect_uri=quote(RETURN, safe=""))
    assert refused.json()["error"] == "invalid_grant"


def test_the_answer_always_has_a_refresh_token_and_says_bearer_in_small_letters(
    app: Application, camila: Visitor
) -> None:
    tokens = app.tokens(camila, scope="openid")
    assert tokens["token_type"] == "bearer"
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "id_token", "refresh_token"}
    assert isinstance(tokens["expires_in"], int) and isinstance(tokens["refresh_token"], str)


def test_a_refresh_may_carry_redirect_uri_and_state(app: Application, camila: Visitor) -> None:
    first = app.tokens(camila, scope="openid run")
    second = app.refresh(first["refresh_token"], redirect_uri=RETURN, state="x").json()
    assert second["token_type"] == "bearer" and second["refresh_token"] != first["refresh_token"]
    assert app.userinfo(second["access_token"]).json()["RolUnico"]["numero"] == 11111111


BODIES: list[tuple[Any, str]] = [
    (b"", ""),
    (b"", "application/json"),
    (b"{}", "application/json"),
    (b"[not json", "application/json"),
    (b"hola", "text/plain"),
    (b"a=1&a=2", "application/x-www-form-urlencoded"),
    (b"--x--", "multipart/form-data; boundary=x"),
    (b"nonsense", "multipart/form-data"),
    (b"\xff\x00", "application/octet-stream"),
]


@pytest.mark.parametrize(("body", "kind"), BODIES)
def test_userinfo_is_told_by_post_whatever_the_body(app: Application, camila: Visitor, body: bytes, kind: str) -> None:
    token = app.tokens(camila, scope="openid run")["access_token"]
    for scheme in ("Bearer", "bearer"):
        response = app.http.post(
            "/openid/userinfo", body, content_type=kind, headers={"Authorization": f"{scheme} {token}"}
        )
        assert response.status_code == 200, response.content
        assert response.headers["Content-Type"] == "application/json"
        assert json.loads(response.content)["RolUnico"] == {"numero": 11111111, "DV": "1", "tipo": "RUN"}


def test_userinfo_is_told_by_get_too_and_only_with_a_token(app: Application, camila: Visitor) -> None:
    token = app.tokens(camila, scope="openid run")["access_token"]
    assert app.userinfo(token).status_code == 200
    for refused in (app.userinfo("x"), app.http.post("/openid/userinfo"), app.http.get("/sso/userinfo")):
        assert refused.status_code == 401 and "Bearer" in refused.headers["WWW-Authenticate"]


def test_a_check_digit_k_is_a_capital_letter(app: Application, camila: Visitor) -> None:
    Holder.objects.filter(identifier="11111111-1").update(identifier="10000013-K")
    who = app.userinfo(app.tokens(camila, scope="openid run")["access_token"]).json()
    assert who["RolUnico"] == {"numero": 10000013, "DV": "K", "tipo": "RUN"}


def test_names_of_several_words_stay_together() -> None:
    assert single_names("Del Río González") == ["Del Río", "González"]
    assert single_names("De la Cruz San Martín") == ["De la Cruz", "San Martín"]
    assert single_names("María Carmen de los Ángeles") == ["María", "Carmen", "de los Ángeles"]
    assert single_names("Rosa de") == ["Rosa", "de"] and single_names("") == []


def test_who_has_no_run_cannot_enter_an_application_that_reads_one(app: Application, visitor: Visitor) -> None:
    visitor.open("/ingresar/migrante")
    visitor.send(nie="900123456", key="HT254817")
    page = visitor.open(app.url(scope="openid run name"))
    assert page.shows("Persona Natural") and page.url.endswith("/cuenta")


def test_logout_ends_the_session_and_goes_to_a_registered_address(app: Application, camila: Visitor) -> None:
    app.tokens(camila, scope="openid run")
    response = camila.client.get(f"{LOGOUT}?{urlencode({'redirect': GOODBYE})}")
    assert response.status_code == 302 and response.headers["Location"] == GOODBYE
    assert not is_signed_in(camila)


@pytest.mark.parametrize(
    "redirect", [None, "", "https://malo.example/", GOODBYE + "/", "//app.example.cl/adios", RETURN]
)
def test_logout_to_anywhere_else_answers_204_and_stays(app: Application, camila: Visitor, redirect: str | None) -> None:
    app.tokens(camila, scope="openid run")
    for slash in ("", "/"):
        response = camila.client.get(LOGOUT + slash, {} if redirect is None else {"redirect": redirect})
        assert response.status_code == 204 and "Location" not in response.headers and not response.content
    assert not is_signed_in(camila)


def test_logout_leads_back_to_an_application_on_a_telephone(demo: None, visitor: Visitor) -> None:
    Application(dialect="claveunica", post_logout_redirect_uris=["cl.example.app:/salir"], kind="public")
    response = visitor.client.get(LOGOUT, {"redirect": "cl.example.app:/salir"})
    assert response.status_code == 302 and response.headers["Location"] == "cl.example.app:/salir"


def test_logout_does_not_end_a_session_that_no_such_application_used(app: Application, camila: Visitor) -> None:
    camila.client.get(LOGOUT, {"redirect": GOODBYE})
    assert is_signed_in(camila)


def test_only_a_get_logs_out(app: Application, camila: Visitor) -> None:
    app.tokens(camila, scope="openid run")
    assert camila.client.post(LOGOUT, {"redirect": GOODBYE}).status_code == 405
    assert camila.client.head(LOGOUT, {"redirect": GOODBYE}).status_code == 302
    assert is_signed_in(camila)


def test_a_client_of_the_other_issuer_is_refused_at_both_ends(app: Application, camila: Visitor) -> None:
    ordinary = Application()
    ordinary.path = "/openid"
    assert camila.open(ordinary.url()).shows("7-3")
    assert ordinary.exchange("x").json()["error"] == "invalid_client"
