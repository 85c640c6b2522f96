"""Authorization requests. Source: OpenID Connect Core 1.0, section 3.1.2; the modules of the basic plan."""

import json
from urllib.parse import urlencode

import pytest

from clave.lib.clock import Stopped
from tests.sso.application import CAMILA, DIEGO, Application, signed_in
from tests.story import Visitor


def again(person: Visitor, app: Application, **asked: str | None) -> dict[str, str]:
    """Sign in once more because the application asks for it; return the answer."""
    page = person.open(app.url(**asked))
    assert page.shows("Ingresar con mi Clave SENCE")
    page = person.send(rut=CAMILA[0], key=CAMILA[1])
    if page.url.endswith("/permiso"):
        return app.answer(person.client.post(page.url, {"permitir": "1"}))
    return app.answer(page.response)


def test_a_posted_request_is_the_same_as_one_by_address(app: Application, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 3.1.2.1: GET and POST."""
    app.code(camila)
    response = camila.client.post("/sso/authorize", app.request())
    assert response.status_code == 303, "the browser comes again by GET, with its cookies"
    assert "code" in app.answer(camila.client.get(response.headers["Location"]))


def test_another_sites_form_gives_the_browser_no_other_cookies(app: Application, camila: Visitor) -> None:
    """Such a form comes without our cookies (SameSite=Lax): new ones would take the place of the person's own."""
    hint = app.tokens(camila)["id_token"]
    stranger = Visitor()
    for path, fields in (("authorize", app.request()), ("authorize", {}), ("logout", {"id_token_hint": hint})):
        assert not stranger.client.post(f"/sso/{path}", fields).cookies, path


def test_nobody_signed_in_and_no_page_allowed_is_login_required(app: Application, visitor: Visitor) -> None:
    """Core, section 3.1.2.6; the answer keeps `state`."""
    answer = app.answer(visitor.client.get(app.url(prompt="none")))
    assert answer["error"] == "login_required" and answer["state"] == app.state


def test_somebody_signed_in_gets_a_code_without_any_page(app: Application, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `prompt=none`."""
    first = app.read(app.tokens(camila)["id_token"])
    response = camila.client.get(app.url(prompt="none"))
    assert response.status_code == 303
    second = app.read(app.exchange(app.answer(response)["code"]).json()["id_token"])
    assert first["sub"] == second["sub"] and first["auth_time"] == second["auth_time"]


def test_prompt_login_asks_again_and_says_the_newer_time(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `prompt=login`."""
    first = app.read(app.tokens(camila)["id_token"])
    clock.move(seconds=5)
    second = app.read(app.exchange(again(camila, app, prompt="login")["code"]).json()["id_token"])
    assert second["auth_time"] == first["auth_time"] + 5 and second["sub"] == first["sub"]


def test_prompt_login_cannot_be_walked_around(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Whoever opens the page that follows without having signed in is sent to sign in."""
    app.code(camila)
    clock.move(seconds=5)
    response = camila.client.get(app.url(prompt="login"))
    back = response.headers["Location"].split("volver=")[1].replace("%2F", "/")
    assert "/ingresar" in camila.client.get(back).headers["Location"]
    assert "/ingresar" in camila.client.post(f"{back}/permiso", {"permitir": "1"}).headers["Location"]


def test_prompt_consent_asks_what_was_allowed_before(app: Application, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `prompt=consent`."""
    app.code(camila)
    assert camila.open(app.url(prompt="consent")).shows("Entrar a Aula Virtual", "Su correo")


def test_a_sign_in_that_is_too_old_is_asked_for_again(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `max_age=1`; `auth_time` is then in the ID token (section 2)."""
    first = app.read(app.tokens(camila)["id_token"])
    clock.move(seconds=2)
    second = app.read(app.exchange(again(camila, app, max_age="1")["code"]).json()["id_token"])
    assert second["auth_time"] == first["auth_time"] + 2


def test_a_sign_in_that_is_recent_enough_is_not(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `max_age=10000`."""
    first = app.read(app.tokens(camila, max_age="10000")["id_token"])
    clock.move(seconds=9000)
    second = app.read(app.tokens(camila, max_age="10000")["id_token"])
    assert first["auth_time"] == second["auth_time"]


def test_max_age_zero_is_prompt_login(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Core errata 2, section 3.1.2.1: `max_age=0`."""
    app.code(camila)
    clock.move(seconds=1)
    assert app.answer(camila.client.get(app.url(max_age="0", prompt="none")))["error"] == "login_required"


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "9" * 40, "٣"])
def test_a_max_age_that_is_no_number_is_refused(app: Application, camila: Visitor, value: str) -> None:
    assert app.answer(camila.client.get(app.url(max_age=value)))["error"] == "invalid_request"


def test_an_id_token_hint_names_who_is_to_be_signed_in(app: Application, camila: Visitor) -> None:
    """Core, section 3.1.2.1, `id_token_hint`; section 3.1.2.2, item 4: nobody else's tokens."""
    hint = app.tokens(camila)["id_token"]
    answer = app.answer(camila.client.get(app.url(prompt="none", id_token_hint=hint)))
    assert app.read(app.exchange(answer["code"]).json()["id_token"])["sub"] == app.read(hint)["sub"]
    other = signed_in(*DIEGO)
    app.code(other)
    assert app.answer(other.client.get(app.url(prompt="none", id_token_hint=hint)))["error"] == "login_required"


@pytest.mark.parametrize("hint", ["x", "a.b.c", "e30.e30.e30", "\x00", "é", "." * 50])
def test_a_hint_that_is_no_token_of_ours_is_refused(app: Application, camila: Visitor, hint: str) -> None:
    assert app.answer(camila.client.get(app.url(id_token_hint=hint)))["error"] == "invalid_request"


def test_a_hint_of_the_other_issuer_is_none_here(app: Application, camila: Visitor) -> None:
    """Both sign with the same keys; `iss` tells them apart."""
    dialect = Application(dialect="claveunica", requires_pkce=False)
    hint = dialect.tokens(camila, scope="openid run")["id_token"]
    assert app.answer(camila.client.get(app.url(id_token_hint=hint)))["error"] == "invalid_request"
    assert camila.client.get("/sso/logout", {"id_token_hint": hint}).status_code == 400


def test_unknown_parameters_and_scopes_are_ignored(app: Application, camila: Visitor) -> None:
    """Core, sections 3.1.2.1 and 3.1.2.2; RFC 6749, section 3.1."""
    code = app.code(camila, extra="foobar", display="popup", claims_locales="se", scope="openid unknown")
    assert app.exchange(code).json()["scope"] == "openid"


@pytest.mark.parametrize(
    "asked",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "none of these"},
        {"claims_locales": "se"},
        {"acr_values": "1 2"},
        {"login_hint": "buffy@example.org"},
        {"nonce": None},
        {"state": None},
        {"scope": "phone email openid"},
        {"scope": "openid  email"},
    ],
)
def test_what_may_be_asked_changes_nothing_about_the_code(
    app: Application, camila: Visitor, asked: dict[str, str | None]
) -> None:
    """Core, section 3.1.2.1: optional parameters, also values that we do not know."""
    page = camila.open(app.url(**asked))
    if page.url.endswith("/cuenta"):
        page = camila.send()
    answer = app.answer(camila.client.post(page.url, {"permitir": "1"}))
    assert "code" in answer and answer.get("state") == (None if "state" in asked else app.state)
    told = app.read(app.exchange(answer["code"]).json()["id_token"])
    assert told.get("nonce") == (None if "nonce" in asked else app.nonce)


def test_the_order_of_scopes_and_parameters_changes_nothing(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 3.3; the module alternate-happy-flow."""
    app.code(camila, scope="openid email")
    asked = dict(reversed(app.request(scope="email openid").items()))
    answer = app.answer(camila.client.get(f"/sso/authorize?{urlencode(asked)}"))
    assert app.exchange(answer["code"]).status_code == 200


def test_a_claim_that_is_asked_for_by_name_is_given(app: Application, camila: Visitor) -> None:
    """Core, section 5.5: an essential claim of userinfo."""
    claims = json.dumps({"userinfo": {"name": {"essential": True}}, "id_token": {"email": None}})
    tokens = app.tokens(camila, scope="openid", claims=claims)
    assert app.userinfo(tokens["access_token"]).json()["name"] == "Camila Rojas Soto"
    assert app.read(tokens["id_token"])["email"] == "camila.rojas@example.cl"


def test_how_the_person_proved_who_they_are_is_voluntary_unless_essential(app: Application, camila: Visitor) -> None:
    """Core, section 5.5.1.1; OpenID Connect Core Error Code unmet_authentication_requirements 1.0.

    Signing in again may prove it in another way, so it is asked for first.
    """
    voluntary = json.dumps({"id_token": {"acr": {"values": ["urn:mace:incommon:iap:silver"]}}})
    assert app.read(app.tokens(camila, claims=voluntary)["id_token"])["acr"] == "urn:clave:registry"
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:mace:incommon:iap:silver"]}}})
    assert again(camila, app, claims=essential)["error"] == "unmet_authentication_requirements"
    assert app.answer(camila.client.get(app.url(claims=essential, prompt="none")))["error"] == "login_required"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"userinfo":[]}'}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"request_uri": "https://app.example.cl/request.jwt"}, "request_uri_not_supported"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"nonce": "n" * 513}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_in_order_goes_back_with_the_standards_error(
    app: Application, camila: Visitor, asked: dict[str, str | None], error: str
) -> None:
    """RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6."""
    answer = app.answer(camila.client.get(app.url(**asked)))
    assert answer["error"] == error and answer["state"] == app.state and "code" not in answer


def test_a_parameter_that_comes_twice_is_refused(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 3.1."""
    assert app.answer(camila.client.get(app.url() + "&scope=openid"))["error"] == "invalid_request"


@pytest.mark.parametrize(("locales", "words"), [("en-GB fr", "Sign in"), ("xx en", "Sign in"), ("fr", "Ingresar")])
def test_the_pages_are_in_the_language_that_is_asked_for(
    app: Application, visitor: Visitor, locales: str, words: str
) -> None:
    """Core, section 3.1.2.1, `ui_locales`: for the whole flow, pages after this one included."""
    assert visitor.open(app.url(ui_locales=locales)).shows(words)
    assert visitor.open("/ingresar").shows(words)


def test_a_language_that_the_person_has_chosen_stays(app: Application, visitor: Visitor) -> None:
    visitor.open("/idioma/es?volver=/")
    assert visitor.open(app.url(ui_locales="en")).shows("Ingresar con mi Clave SENCE")
