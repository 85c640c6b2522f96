"""A relying application for tests: it sends people to Clave, takes the answer, and calls the endpoints."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.test import Client as HttpClient
from joserfc import jwt
from joserfc.jwk import KeySet

from clave.lib.request_context import SYSTEM
from clave.sso import claims, clients
from clave.sso.models import Client
from tests.story import Visitor

CAMILA, DIEGO = ("11.111.111-1", "KM482915"), ("22.222.222-2", "TR618204")
RETURN = "https://app.example.cl/callback"
Fields = dict[str, Any]


class Application:
    """A registered application. Its fields are those of a client; what a test does not name is usual."""

    def __init__(self, **fields: Any) -> None:
        usual: Fields = {
            "name": "Aula Virtual",
            "redirect_uris": [RETURN],
            "post_logout_redirect_uris": ["https://app.example.cl/adios"],
            "scopes": list(claims.ALL),
        }
        self.client = Client(**usual | fields)
        self.secret = clients.create(self.client, SYSTEM)
        self.http = HttpClient()
        self.path = "/openid" if self.client.dialect == "claveunica" else "/sso"
        self.verifier = secrets.token_urlsafe(40)
        self.state, self.nonce = secrets.token_urlsafe(8), secrets.token_urlsafe(8)

    @property
    def client_id(self) -> str:
        return self.client.client_id

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def request(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of an authorization request; None leaves one out."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": "openid profile email run",
            "state": self.state,
            "nonce": self.nonce,
        }
        if self.client.requires_pkce:
            usual |= {"code_challenge": self.challenge, "code_challenge_method": "S256"}
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def url(self, **changes: str | None) -> str:
        return f"{self.path}/authorize?{urlencode(self.request(**changes))}"

    def answer(self, response: Any) -> dict[str, str]:
        """Return what a response sends the browser back with: by redirect, or by the page between."""
        if response.status_code in (302, 303):
            address = response.headers["Location"]
        else:
            page = response.content.decode()
            assert 'http-equiv="refresh"' in page, page[:2000]
            address = page.split("0;url=")[1].split('"')[0].replace("&amp;", "&")
        parts = urlsplit(address)
        base = address.partition("?")[0].partition("#")[0]
        assert base in self.client.redirect_uris, address
        return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))

    def code(self, person: Visitor, **changes: str | None) -> str:
        """Send somebody who is signed in and has consented, or will now; return the code."""
        response = person.client.get(self.url(**changes))
        if response.headers.get("Location", "").endswith("/permiso"):
            response = person.client.post(response.headers["Location"], {"permitir": "1"})
        answer = self.answer(response)
        assert "code" in answer, answer
        return answer["code"]

    def post(self, endpoint: str, fields: Fields, **headers: str) -> Any:
        """Call an endpoint as this application, with its secret in the form."""
        proof = {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {})}
        return self.form(endpoint, {**proof, **fields}, **headers)

    def form(self, endpoint: str, fields: Fields, **headers: str) -> Any:
        body = urlencode({name: value for name, value in fields.items() if value is not None})
        form = "application/x-www-form-urlencoded"
        return self.http.post(f"{self.path}/{endpoint}", body, content_type=form, headers=headers)

    def exchange(self, code: str, **changes: Any) -> Any:
        """Exchange a code for tokens; return the response."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": self.verifier if self.client.requires_pkce else None,
        }
        return self.post("token", {**fields, **changes})

    def tokens(self, person: Visitor, **changes: str | None) -> Fields:
        """Sign somebody in, from the request to the tokens."""
        response = self.exchange(self.code(person, **changes))
        assert response.status_code == 200, response.content
        return dict(response.json())

    def refresh(self, token: str, **changes: Any) -> Any:
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **changes})

    def userinfo(self, token: str) -> Any:
        return self.http.get(f"{self.path}/userinfo", headers={"Authorization": f"Bearer {token}"})

    def introspect(self, token: str) -> Fields:
        return dict(self.post("introspect", {"token": token}).json())

    def read(self, id_token: str) -> Fields:
        """Verify an ID token's signature with the published keys; return its claims."""
        keys = KeySet.import_key_set(self.http.get(f"{self.path}/jwks").json())
        return dict(jwt.decode(id_token, keys, algorithms=["ES256", "RS256"]).claims)


def signed_in(rut: str = CAMILA[0], key: str = CAMILA[1]) -> Visitor:
    """Return somebody with a browser in which they are signed in."""
    visitor = Visitor()
    assert visitor.sign_in(rut, key).shows("Mi cuenta")
    return visitor


def issuer(path: str = "") -> str:
    return f"{settings.CLAVE_URL}{path}"
