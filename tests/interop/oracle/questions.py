"""What both providers are asked, and where Clave is known to answer otherwise, and why."""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import quote

import httpx

from tests.interop.oracle.sides import CLIENT_ID, OTHER_RETURN, RETURN, SECRET, Side

Question = Callable[[Side], httpx.Response]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "nonce": "n"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()}


def used_code(side: Side) -> httpx.Response:
    fields = side.fields()
    side.http.post("/openid/token", data=fields)
    return side.http.post("/openid/token", data=fields)


def used_refresh_token(side: Side) -> httpx.Response:
    first = side.tokens()["refresh_token"]
    second = side.refresh(first).json()["refresh_token"]
    side.refresh(second)
    return side.refresh(first)


def refreshed_userinfo(side: Side) -> httpx.Response:
    token = side.refresh(side.tokens()["refresh_token"]).json()["access_token"]
    return side.http.post("/openid/userinfo", headers={"Authorization": f"Bearer {token}"})


QUESTIONS: dict[str, Question] = {
    "metadata": lambda side: side.http.get("/openid/.well-known/openid-configuration"),
    "metadata, last slash": lambda side: side.http.get("/openid/.well-known/openid-configuration/"),
    "keys": lambda side: side.http.get("/openid/jwks/"),
    "authorize": lambda side: side.authorize(side.query()),
    "authorize: scopes with raw spaces": lambda side: side.authorize(side.query(scope=None) + "&scope=openid run name"),
    "authorize: no state": lambda side: side.authorize(side.query(state=None)),
    "authorize: unknown client": lambda side: side.authorize(side.query(client_id="nobody")),
    "authorize: unregistered redirect_uri": lambda side: side.authorize(side.query(redirect_uri=RETURN + "/x")),
    "authorize: redirect_uri with a query": lambda side: side.authorize(side.query(redirect_uri=RETURN + "?x=1")),
    "authorize: response_type=token": lambda side: side.authorize(side.query(response_type="token")),
    "authorize: no response_type": lambda side: side.authorize(side.query(response_type=None)),
    "authorize: no openid among the scopes": lambda side: side.authorize(side.query(scope="run name")),
    "authorize: an unknown scope": lambda side: side.authorize(side.query(scope="openid rut name")),
    "authorize: prompt=none": lambda side: side.authorize(side.query(prompt="none")),
    "authorize: PKCE plain": lambda side: side.authorize(
        side.query(code_challenge="v" * 43, code_challenge_method="plain")
    ),
    "token": lambda side: side.token(),
    "token: no state": lambda side: side.token(state=None),
    "token: content type with a charset": lambda side: side.http.post(
        "/openid/token", data=side.fields(), headers=FORM
    ),
    "token: multipart form": lambda side: side.http.post(
        "/openid/token", files={name: (None, value) for name, value in side.fields().items()}
    ),
    "token: JSON": lambda side: side.http.post("/openid/token", json=side.fields()),
    "token: GET": lambda side: side.http.get("/openid/token"),
    "token: secret in the header": lambda side: side.http.post(
        "/openid/token", data=side.fields(client_id=None, client_secret=None), headers=BASIC
    ),
    "token: secret in header and form": lambda side: side.http.post("/openid/token", data=side.fields(), headers=BASIC),
    "token: wrong secret": lambda side: side.token(client_secret="wrong"),
    "token: no secret": lambda side: side.token(client_secret=None),
    "token: unknown client": lambda side: side.token(client_id="nobody"),
    "token: unregistered redirect_uri": lambda side: side.token(redirect_uri=RETURN + "/x"),
    "token: redirect_uri encoded once more": lambda side: side.token(redirect_uri=quote(RETURN, safe="")),
    "token: another registered redirect_uri": lambda side: side.token(redirect_uri=OTHER_RETURN),
    "token: no redirect_uri": lambda side: side.token(redirect_uri=None),
    "token: unknown code": lambda side: side.token(code="nothing"),
    "token: used code": used_code,
    "token: unknown grant_type": lambda side: side.token(grant_type="magic"),
    "token: PKCE": lambda side: side.token(code=side.code(**PKCE), code_verifier=VERIFIER),
    "token: PKCE, no verifier": lambda side: side.token(code=side.code(**PKCE)),
    "token: PKCE, wrong verifier": lambda side: side.token(code=side.code(**PKCE), code_verifier="w" * 43),
    "refresh": lambda side: side.refresh(side.tokens()["refresh_token"], redirect_uri=None),
    "refresh with redirect_uri": lambda side: side.refresh(side.tokens()["refresh_token"]),
    "refresh: unknown token": lambda side: side.refresh("nothing"),
    "refresh: used token": used_refresh_token,
    "refresh: more scopes": lambda side: side.refresh(side.tokens()["refresh_token"], scope="openid phone"),
    "refresh, then userinfo": refreshed_userinfo,
    "userinfo: GET": lambda side: side.userinfo("GET"),
    "userinfo: POST without a body": lambda side: side.userinfo(),
    "userinfo: POST of {}": lambda side: side.userinfo(content=b"{}", headers={"Content-Type": "application/json"}),
    "userinfo: POST of text": lambda side: side.userinfo(content=b"x", headers={"Content-Type": "text/plain"}),
    "userinfo: bearer in small letters": lambda side: side.userinfo(scheme="bearer"),
    "userinfo: no token": lambda side: side.http.post("/openid/userinfo"),
    "userinfo: unknown token": lambda side: side.http.get(
        "/openid/userinfo", headers={"Authorization": "Bearer nothing"}
    ),
    "userinfo: token in the address": lambda side: side.http.get(
        "/openid/userinfo", params={"access_token": side.tokens()["access_token"]}
    ),
    "userinfo: PUT": lambda side: side.userinfo("PUT"),
}

_METADATA = "Clave says what it can do; what it does not say, it does not have (introspection, implicit flow)"
_PAGE = "the same page for a person; only the status says that it is an error"
_BASIC = "RFC 6749, section 5.2: 401, and how to do it right"
_GRANT = "RFC 6749, section 5.2: the grant is wrong, not the client"
_BEARER = "RFC 6750, section 3: a challenge begins with its scheme; besides, Clave says what is wrong in the body"
_BODY = "Clave says in the body what is wrong"
# Where Clave answers otherwise, and why.
KNOWN = {
    "metadata": _METADATA,
    "metadata, last slash": _METADATA,
    "keys": "the keys of both issuers; an application looks up the one that its token names",
    "authorize: unknown client": _PAGE,
    "authorize: unregistered redirect_uri": _PAGE,
    "authorize: redirect_uri with a query": _PAGE,
    "authorize: response_type=token": "RFC 6749, section 4.1.2.1",
    "authorize: no openid among the scopes": "Clave is an OpenID provider only: OpenID Connect Core 1.0, section 3.1.2.1",
    "authorize: PKCE plain": "RFC 9700, section 2.1.1: only S256",
    "token: JSON": "RFC 6749, section 4.1.3: a form; Clave says so instead of finding no client in it",
    "token: GET": _BODY,
    "token: wrong secret": _BASIC,
    "token: no secret": _BASIC,
    "token: unknown client": _BASIC,
    "token: unregistered redirect_uri": _GRANT,
    "token: no redirect_uri": _GRANT,
    "token: redirect_uri encoded once more": "published clients do so and work with ClaveÚnica; this version of the oracle refuses it",
    "token: another registered redirect_uri": "RFC 6749, section 4.1.3: it must be the one of the request",
    "userinfo: no token": _BEARER,
    "userinfo: unknown token": _BEARER,
    "userinfo: token in the address": "RFC 9700, section 4.3.2: tokens in addresses end up in logs",
    "userinfo: PUT": _BODY,
}
