"""What published clients of ClaveÚnica send, request by request (docs/claveunica.md lists them)."""

import base64
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import pytest

from tests.sso.application import RETURN, Application, led_to, signed_in
from tests.sso.test_claveunica import came_back, is_signed_in
from tests.story import Visitor

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(demo: None) -> Application:
    return Application(dialect="claveunica")


@pytest.fixture
def camila(demo: None) -> Visitor:
    return signed_in()


def exchanged(app: Application, code: str, path: str = "/openid/token/", **changes: Any) -> Any:
    """Exchange a code as the guide prints it: all in the form, `state` too."""
    fields = {
        "client_id": app.client_id,
        "client_secret": app.secret,
        "redirect_uri": RETURN,
        "grant_type": "authorization_code",
        "code": code,
        "state": app.state,
    }
    content_type, headers = changes.pop("content_type", FORM), changes.pop("headers", {})
    body = urlencode({name: value for name, value in {**fields, **changes}.items() if value is not None})
    return app.http.post(path, body, content_type=content_type, headers=headers)


def run_of(response: Any) -> int:
    assert response.status_code == 200, response.content
    return int(response.json()["RolUnico"]["numero"])


def test_the_guides_curl_commands(app: Application, camila: Visitor) -> None:
    """Content-Type in small letters with a charset, userinfo by POST without a body or a length."""
    url = (
        f"/openid/authorize/?client_id={app.client_id}&response_type=code&scope=openid run name"
        f"&redirect_uri={quote(RETURN, safe='')}&state=abcdefgh"
    )
    code = came_back(app, camila, url)["code"]
    tokens = exchanged(app, code, content_type=f"{FORM}; charset=UTF-8").json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "*/*"}
    assert run_of(app.http.generic("POST", "/openid/userinfo/", headers=headers)) == 11111111


def test_django_clave_unica(app: Application, camila: Visitor) -> None:
    """`urlencode` writes the scopes with `+`; addresses without last slash; a User-Agent of its own."""
    query = {"client_id": app.client_id, "response_type": "code", "scope": "openid run name email"}
    code = came_back(app, camila, f"/openid/authorize?{urlencode(query | {'redirect_uri': RETURN, 'state': 'uuid-4'})}")
    headers = {"Accept": "application/json", "User-Agent": "My User Agent 1.0"}
    tokens = exchanged(app, code["code"], "/openid/token", state="uuid-4", headers=headers).json()
    headers["Authorization"] = f"Bearer {tokens['access_token']}"
    who = app.http.post("/openid/userinfo", b"", content_type="", headers=headers)
    assert run_of(who) == 11111111 and who.json()["email"]


def test_laravel_socialite(app: Application, camila: Visitor) -> None:
    """No `state` in the token form, `Accept: application/json`, an empty POST to userinfo."""
    code = app.code(camila, scope="openid run name", nonce=None)
    tokens = exchanged(app, code, "/openid/token", state=None, headers={"Accept": "application/json"}).json()
    who = app.http.post("/openid/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert run_of(who) == 11111111


def test_laravel_http_with_urlencode_of_php_behind_the_sign_in_page(app: Application, camila: Visitor) -> None:
    """Begins at /accounts/login/, where ClaveÚnica's sign-in page is; encodes `redirect_uri` twice in the token form."""
    query = f"?client_id={app.client_id}&redirect_uri={quote_plus(RETURN)}&scope=openid+run+name+email"
    url = f"/accounts/login/?next=/openid/authorize{quote_plus(query + '&response_type=code&state=YWJj=')}"
    sent_on = camila.client.get(url)
    assert sent_on.status_code == 302 and urlsplit(sent_on.headers["Location"]).path == "/openid/authorize"
    answer = came_back(app, camila, sent_on.headers["Location"])
    assert answer["state"] == "YWJj="
    tokens = exchanged(app, answer["code"], redirect_uri=quote_plus(RETURN), state="YWJj=").json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert run_of(app.http.post("/openid/userinfo/", b"[]", content_type="application/json", headers=headers))


@pytest.mark.parametrize("following", ["", "/mi-cuenta", "//malo.example/openid/authorize?x", "https://malo.example/"])
def test_the_sign_in_page_leads_nowhere_else(visitor: Visitor, following: str, db: None) -> None:
    assert visitor.client.get("/accounts/login/", {"next": following}).status_code == 404


def test_a_java_library(app: Application, camila: Visitor) -> None:
    """`URLEncoder` encodes `redirect_uri` before the HTTP library does so again; the scopes are left raw."""
    url = (
        f"/openid/authorize/?client_id={app.client_id}&redirect_uri={quote_plus(RETURN)}&response_type=code"
        f"&scope=openid run name&state={app.state}"
    )
    tokens = exchanged(app, came_back(app, camila, url)["code"], redirect_uri=quote_plus(RETURN)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert run_of(app.http.post("/openid/userinfo/", {}, content_type=FORM, headers=headers)) == 11111111


def test_springs_rest_template(app: Application, camila: Visitor) -> None:
    """userinfo with `Content-Type: application/json` and `{}` for a body."""
    tokens = exchanged(app, app.code(camila, scope="openid run name")).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert run_of(app.http.post("/openid/userinfo/", b"{}", content_type="application/json", headers=headers))


def test_next_auth_and_openid_client(app: Application, camila: Visitor) -> None:
    """The metadata, then PKCE, nonce and state; secret in the header; userinfo by GET; `sub` and `iss` compared."""
    told = app.http.get("/openid/.well-known/openid-configuration").json()
    pkce: dict[str, str | None] = {"code_challenge": app.challenge, "code_challenge_method": "S256"}
    answer = came_back(app, camila, app.url(scope="openid run name", **pkce))
    assert answer["iss"] == told["issuer"]
    basic = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
    none: dict[str, Any] = {"client_id": None, "client_secret": None, "state": None}
    headers = {"Authorization": f"Basic {basic}"}
    tokens = exchanged(app, answer["code"], **none, code_verifier=app.verifier, headers=headers).json()
    claims = app.read(tokens["id_token"])
    who = app.userinfo(tokens["access_token"]).json()
    assert claims["iss"] == told["issuer"] and claims["nonce"] == app.nonce and claims["sub"] == who["sub"]


def test_oauthlib_sends_the_secret_in_the_header_and_in_the_form(app: Application, camila: Visitor) -> None:
    basic = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
    response = exchanged(app, app.code(camila, scope="openid run"), headers={"Authorization": f"Basic {basic}"})
    assert response.status_code == 200
    wrong = base64.b64encode(f"{app.client_id}:wrong".encode()).decode()
    refused = exchanged(app, app.code(camila, scope="openid run"), headers={"Authorization": f"Basic {wrong}"})
    assert refused.status_code == 401 and refused.json()["error"] == "invalid_client"


def test_passport_openidconnect(app: Application, camila: Visitor) -> None:
    """userinfo by GET with `?schema=openid`; `scope` without openid in the settings, which the library adds."""
    tokens = exchanged(app, app.code(camila, scope="openid run name"), state=None, type="web_server").json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert run_of(app.http.get("/openid/userinfo?schema=openid", headers=headers)) == 11111111


def test_curl_of_php_sends_an_array_as_multipart(app: Application, camila: Visitor) -> None:
    fields = {
        "client_id": app.client_id,
        "client_secret": app.secret,
        "redirect_uri": RETURN,
        "grant_type": "authorization_code",
        "code": app.code(camila, scope="openid run name"),
        "state": app.state,
    }
    assert app.http.post("/openid/token/", fields).json()["token_type"] == "bearer"
    assert app.http.post("/sso/token", fields).json()["error"] == "invalid_request"
    broken = app.http.post("/openid/token/", b"nonsense", content_type="multipart/form-data")
    assert broken.status_code == 400 and broken.json()["error"] == "invalid_request"


def test_angular_sends_json_and_is_told_what_to_send(app: Application) -> None:
    refused = app.http.post("/openid/token/", {"client_id": app.client_id}, content_type="application/json")
    assert refused.status_code == 400 and FORM in refused.json()["error_description"]


def test_a_long_state_and_a_redirect_uri_with_a_query_come_back_as_they_were(demo: None, camila: Visitor) -> None:
    """As the courts' site sends them: a JWT as `state`, `?boton=1` in `redirect_uri`."""
    address, state = "https://oficina.example.cl/claveunica/return.php?boton=1", "e" * 400 + ".e30.sig-_"
    app = Application(dialect="claveunica", redirect_uris=[address])
    query = urlencode(app.request(scope="openid run", state=state))
    response = camila.client.get(f"/openid/authorize?{query}")
    back = led_to(camila.client.post(response.headers["Location"], {"permitir": "1"}))
    answer = dict(parse_qsl(urlsplit(back).query))
    assert back.startswith(f"{address}&") and answer["boton"] == "1" and answer["state"] == state
    assert exchanged(app, answer["code"], redirect_uri=address).status_code == 200


def test_a_browser_of_another_site_may_ask_for_userinfo(app: Application, camila: Visitor) -> None:
    preflight = app.http.options("/openid/userinfo", headers={"Origin": "https://app.example.cl"})
    assert preflight.status_code == 204 and "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    token = app.tokens(camila, scope="openid run")["access_token"]
    assert app.userinfo(token).headers["Access-Control-Allow-Origin"] == "*"


def test_logout_as_the_guide_prints_it(app: Application, camila: Visitor) -> None:
    """Method 1 leads back; method 2 gives the browser nothing to leave the page for, and a script goes on."""
    another = signed_in()
    for person in (camila, another):
        app.tokens(person, scope="openid run")
    back = camila.client.get(f"/api/v1/accounts/app/logout?redirect={quote('https://app.example.cl/adios', safe='')}")
    assert back.status_code == 302 and back.headers["Location"] == "https://app.example.cl/adios"
    assert another.client.get("/api/v1/accounts/app/logout").status_code == 204
    assert not is_signed_in(camila) and not is_signed_in(another)
