"""Whatever comes to an endpoint of sign-on, the answer is one of the standard's errors or a page, never a fault."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.sso.models import Grant
from tests.sso.application import Application, Fields
from tests.sso.signer import Signer
from tests.story import Visitor

pytestmark = pytest.mark.slow

FORM = "application/x-www-form-urlencoded"
DEEP = "[" * 1500
ODD = [
    "",
    " ",
    "\x00",
    "\ufffd",
    "é",
    "🂡",
    "%00",
    "null",
    "[]",
    "{}",
    DEEP,
    '{"a":' * 700,
    '{"userinfo":' + DEEP,
    '{"id_token":{"sub":{"value":[]}}}',
    '{"id_token":{"sub":{"value":{}}},"userinfo":{"sub":{"value":"x"}}}',
    '{"id_token":{"acr":{"essential":true,"values":{}}}}',
    '{"id_token":{"acr":{"essential":true,"value":[[]]}}}',
    '{"id_token":{"email":{"value":"\\u0000"}},"userinfo":{"\\ud800":null,"\\u0000":null}}',
    '{"userinfo":{"name":NaN},"id_token":{"name":1e999}}',
    "1" * 3000,
    "a" * 3000,
    "openid " * 400,
    "openid " + " ".join(f"scope{n}" for n in range(300)),
    "a.b.c",
    "..",
    "e30.e30.e30",
    base64.urlsafe_b64encode(DEEP.encode()).decode() + ".e30.x",
    "eyJhbGciOiJFUzI1NiJ9." + base64.urlsafe_b64encode(DEEP.encode()).decode().rstrip("=") + ".x",
    "urn:ietf:params:oauth:request_uri:",
    "urn:ietf:params:oauth:request_uri:\x00",
    "http://[",
    "https://a.cl:99999/",
    "login",
    "none",
    "S256",
    "form_post",
    "-1",
    "9" * 30,
]
NAMES = [
    *("client_id", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age"),
    *("claims", "id_token_hint", "login_hint", "ui_locales", "display", "acr_values", "request", "request_uri"),
    *("code_challenge", "code_challenge_method", "dpop_jkt", "registration", "token", "code", "refresh_token"),
    *("grant_type", "code_verifier", "client_secret", "client_assertion", "client_assertion_type", "access_token"),
    *("post_logout_redirect_uri", "redirect", "token_type_hint", "é", "\x00"),
]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
CHANGES = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), TEXTS), max_size=5)
PATHS = [
    *("/sso/authorize", "/sso/token", "/sso/userinfo", "/sso/introspect", "/sso/revoke", "/sso/par", "/sso/logout"),
    *("/openid/authorize", "/openid/token/", "/openid/userinfo/", "/api/v1/accounts/app/logout"),
    *("/sso/logout/confirmar", "/salir"),
]
ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_no_fault(response: Any) -> None:
    assert response.status_code < 500, response.content[:500]
    if response.status_code in (400, 401) and "json" in response.headers["Content-Type"]:
        told = response.json()
        assert told.get("error") or told.get("detail")


def usual(app: Application) -> Fields:
    return {
        **app.request(prompt="none"),
        "client_secret": app.secret,
        "grant_type": "authorization_code",
        "code": "x",
        "code_verifier": app.verifier,
    }


@pytest.mark.parametrize("path", PATHS)
@given(changes=CHANGES)
@ANY
def test_any_parameters_are_answered(app: Application, camila: Visitor, path: str, changes: dict[str, Any]) -> None:
    sent = {name: text for name, text in {**usual(app), **changes}.items() if text is not None}
    is_no_fault(camila.client.post(path, urlencode(sent), content_type=FORM))
    is_no_fault(camila.client.get(path, sent) if len(urlencode(sent)) < 4096 else camila.client.get(path))


@pytest.mark.parametrize("path", ["/sso/authorize", "/sso/par", "/openid/authorize"])
@pytest.mark.parametrize(
    "name", ["claims", "login_hint", "state", "id_token_hint", "max_age", "scope", "ui_locales", "é"]
)
def test_each_odd_value_of_each_parameter_that_is_stored(
    app: Application, camila: Visitor, visitor: Visitor, path: str, name: str
) -> None:
    """What is kept until somebody signs in goes into JSON in the database, which takes less than Python does."""
    other = Application(dialect="claveunica", requires_pkce=False) if path.startswith("/openid") else app
    for value in ODD:
        for person in (visitor, camila):
            fields = {**other.request(), "client_secret": other.secret, name: value}
            response = person.client.post(path, urlencode(fields), content_type=FORM)
            is_no_fault(response)
            if response.status_code == 303 and "request_uri" in response.headers["Location"]:
                is_no_fault(person.client.get(response.headers["Location"]))


def test_odd_claims_survive_from_the_request_to_userinfo(app: Application, camila: Visitor) -> None:
    """The names asked for are stored with the grant."""
    for value in ODD:
        page = camila.client.get(app.url(claims=value, prompt="consent"))
        if page.headers.get("Location", "").endswith("/permiso"):
            code = app.answer(camila.client.post(page.headers["Location"], {"permitir": "1"}))["code"]
            assert app.userinfo(app.exchange(code).json()["access_token"]).status_code == 200
    assert Grant.objects.exists()


@pytest.mark.parametrize("path", PATHS)
@given(body=st.one_of(st.binary(max_size=200), st.sampled_from([b"\xff\xfe", b"a=%ff", b"&" * 5000, b"a=1&" * 5000])))
@ANY
def test_any_bytes_are_answered(demo: None, visitor: Visitor, path: str, body: bytes) -> None:
    for content_type in (FORM, "application/json", "multipart/form-data; boundary=x", f"{FORM}; charset=utf-16", ""):
        is_no_fault(visitor.client.generic("POST", path, body, content_type))


@pytest.mark.parametrize("path", ["/sso/token", "/sso/userinfo", "/sso/introspect", "/openid/token/"])
@given(header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=60))
@ANY
def test_any_header_is_answered(app: Application, path: str, header: str) -> None:
    for scheme in ("", "Basic ", "Bearer ", "DPoP ", "basic", "\xa0"):
        headers = {"Authorization": scheme + header, "DPoP": header}
        is_no_fault(app.http.post(path, "grant_type=x", content_type=FORM, headers=headers))


@pytest.mark.parametrize("path", ["/sso/token", "/sso/authorize", "/sso/par"])
def test_too_much_is_refused(app: Application, path: str) -> None:
    for body in ("a=" + "x" * 70_000, "a=1&" * 4000, "&".join(f"a{n}=1" for n in range(4000)), "x" * 3_000_000):
        response = app.http.post(path, body, content_type=FORM)
        assert response.status_code in (400, 413), body[:20]


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["\ud800", "\x00"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


@given(claims=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", *NAMES[:12]]), JSON))
@ANY
def test_any_claims_that_a_client_signs_are_answered(demo: None, camila: Visitor, claims: Fields) -> None:
    """As assertion, request object and proof."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    request = signer.request_object(app, **claims)
    is_no_fault(camila.client.get("/sso/authorize", {"client_id": app.client_id, "request": request}))
    is_no_fault(app.exchange("x", **signer.assertion(app, **claims)))
    proved = {**signer.assertion(app), "request": request}
    is_no_fault(app.post("par", proved, DPoP=signer.proof("par", **claims)))


@given(header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jwk", "crit", "b64", "x5c", "jku"]), JSON))
@ANY
def test_any_header_of_a_jwt_is_answered(app: Application, camila: Visitor, header: Fields) -> None:
    encoded = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", **header}).encode()).rstrip(b"=").decode()
    token = f"{encoded}.e30.{'A' * 86}"
    is_no_fault(camila.client.get(app.url(id_token_hint=token)))
    is_no_fault(camila.client.get("/sso/logout", {"id_token_hint": token}))
    is_no_fault(app.post("token", {"grant_type": "x"}, DPoP=token))
    fields = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": token,
    }
    is_no_fault(app.form("token", fields))
