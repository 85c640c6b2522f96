"""Signing in to another system with a Clave: the whole way, as people and applications go it."""

import pytest

from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from tests.sso.application import CAMILA, Application, issuer, signed_in
from tests.story import Visitor
from tests.test_recover import to_card


@pytest.fixture
def app(demo: None) -> Application:
    return Application()


@pytest.fixture
def camila(demo: None) -> Visitor:
    return signed_in()


def test_a_person_signs_in_consents_and_the_application_knows_who_it_is(app: Application, visitor: Visitor) -> None:
    page = visitor.open(app.url())
    assert page.shows("Ingresar con mi Clave SENCE")
    page = visitor.send(rut=CAMILA[0], key=CAMILA[1])
    assert page.shows("Entrar a Aula Virtual", "Camila Rojas Soto", "Su correo", "por un año")
    response = visitor.client.post(page.url, {"permitir": "1"})
    answer = app.answer(response)
    assert answer["state"] == app.state and answer["iss"] == issuer()
    tokens = app.exchange(answer["code"]).json()
    told = app.read(tokens["id_token"])
    assert told["iss"] == issuer() and told["aud"] == app.client_id and told["nonce"] == app.nonce
    assert told["acr"] == "urn:clave:registry" and told["amr"] == ["pwd"]
    who = app.userinfo(tokens["access_token"]).json()
    assert who["sub"] == told["sub"] and who["run"] == "11111111-1" and who["name"] == "Camila Rojas Soto"
    assert who["email"] == "camila.rojas@example.cl" and who["email_verified"] is False


def test_a_page_goes_between_consent_and_the_application_which_may_redirect_anywhere(
    app: Application, camila: Visitor
) -> None:
    page = camila.open(app.url())
    response = camila.client.post(page.url, {"permitir": "1"})
    assert response.status_code == 200 and "Location" not in response.headers
    assert app.answer(response)["code"]


def test_who_consented_before_is_not_asked_again(app: Application, camila: Visitor) -> None:
    app.code(camila)
    assert "code" in app.answer(camila.client.get(app.url()))


def test_more_than_was_consented_to_is_asked(app: Application, camila: Visitor) -> None:
    app.code(camila, scope="openid email")
    assert camila.open(app.url(scope="openid email phone")).shows("Su teléfono")


def test_who_says_no_goes_back_with_that_answer(app: Application, camila: Visitor) -> None:
    page = camila.open(app.url())
    answer = app.answer(camila.client.post(page.url, {"rechazar": "1"}))
    assert answer["error"] == "access_denied" and answer["state"] == app.state


def test_after_signing_in_a_page_of_ours_leads_back(app: Application, visitor: Visitor) -> None:
    """A redirect would be stopped by the `form-action` of the sign-in page (CSP 3)."""
    app.code(signed_in())
    page = visitor.open(app.url())
    page = visitor.send(rut=CAMILA[0], key=CAMILA[1])
    assert page.status == 200 and page.shows("Volviendo a Aula Virtual", "Continuar")
    assert "code" in app.answer(page.response)


def test_the_code_is_worth_tokens_once_and_then_takes_them_away(
    app: Application, camila: Visitor, clock: Stopped
) -> None:
    code = app.code(camila)
    tokens = app.exchange(code).json()
    clock.move(seconds=31)
    again = app.exchange(code)
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"
    assert app.userinfo(tokens["access_token"]).status_code == 401


def test_refresh_tokens_rotate_and_a_lost_answer_is_told_again(
    app: Application, camila: Visitor, clock: Stopped
) -> None:
    first = app.tokens(camila, scope="openid offline_access")["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    assert app.refresh(first).json()["refresh_token"] == second != first
    clock.move(seconds=31)
    assert app.refresh(first).json()["error"] == "invalid_grant"
    assert app.refresh(second).json()["error"] == "invalid_grant", "the family is revoked"


def test_signing_out_ends_what_was_granted_in_the_session(app: Application, camila: Visitor) -> None:
    from clave.sso import logout

    token = app.tokens(camila)["access_token"]
    assert logout.end_grants() == 0
    camila.open("/mi-cuenta")
    camila.post("/salir", {})
    assert logout.end_grants() == 1
    assert app.userinfo(token).status_code == 401


def test_a_connected_system_can_be_taken_its_permission(app: Application, camila: Visitor) -> None:
    token = app.tokens(camila)["access_token"]
    assert camila.open("/mi-cuenta/sistemas").shows("Aula Virtual", "Su correo")
    camila.post(f"/mi-cuenta/sistemas/{app.client_id}/quitar", {})
    assert camila.page.shows("El sistema ya no puede ver sus datos.")
    assert app.userinfo(token).status_code == 401
    assert camila.open(app.url()).shows("Entrar a Aula Virtual")


def test_the_metadata_names_endpoints_that_are_there(app: Application) -> None:
    told = app.http.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == issuer()
    for name, url in told.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert app.http.get(url.removeprefix(issuer())).status_code != 404, name


def test_an_application_is_told_how_far_the_identity_is_proved(app: Application, camila: Visitor) -> None:
    assert app.read(app.tokens(camila)["id_token"])["acr"] == "urn:clave:registry"
    owner = Visitor()
    to_card(owner, "33.333.333-3")
    owner.send(serial="123456789")
    owner.send(right="si")
    assert Holder.objects.get(identifier="33333333-3").card_checked_at
    Holder.objects.filter(identifier="11111111-1").update(card_checked_at=clave_clock.now())
    assert app.read(app.tokens(camila)["id_token"])["acr"] == "urn:clave:card"


def test_one_sign_in_serves_account_training_body_and_applications(app: Application, visitor: Visitor) -> None:
    visitor.open("/ingresar/empresa")
    visitor.send(rut="76543210-3", representative="33.333.333-3", key="CA739105")
    assert visitor.open("/rts").shows("Registro de tokens (RTS)")
    assert visitor.open("/rts/declaraciones").shows("eclaraci")
    told = app.userinfo(app.tokens(visitor, scope="openid entity")["access_token"]).json()
    assert told["entity"] == {"rut": "76543210-3", "name": "Capacita Austral SpA", "kind": "OT"}
