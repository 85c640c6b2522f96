"""Simulated ClaveÚnica and Clave Tributaria: OpenID providers for the demo and the tests.

The pages are in `openid_pages`, on the site; what a client's server asks is answered by `services`, in its own process.
Codes and access tokens are signed texts, so that the two processes need no common store.
"""

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse
from joserfc import jwt
from joserfc.jwk import RSAKey

from clave.lib import clock
from clave.lib.crypto import sha256_base64url
from clave.lib.rut import Rut
from clave.sandbox.people import COMPANIES, PEOPLE

PASSWORD = "testing"
CODE_SECONDS, TOKEN_SECONDS = 60, 3600
Reply = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in at a provider: `rut` to choose by, and what userinfo says."""

    rut: str
    shown: str
    claims: dict[str, Any]


class Provider:
    """An OpenID provider. `name` is that of its settings, `path` its part of the sandbox's addresses."""

    def __init__(self, name: str, path: str, accounts: list[Account]) -> None:
        self.name, self.path = name, path
        self.accounts = {account.rut: account for account in accounts}
        self._used: set[str] = set()
        self._lock = threading.Lock()

    @property
    def issuer(self) -> str:
        return str(getattr(settings, f"{self.name}_ISSUER"))

    @property
    def client_id(self) -> str:
        return str(getattr(settings, f"{self.name}_CLIENT_ID"))

    @cached_property
    def key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def metadata(self) -> dict[str, Any]:
        """Return what OpenID Connect Discovery 1.0, section 3, asks for."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": settings.CLAVE_URL + reverse("sandbox_authorize", args=[self.path]),
            "token_endpoint": f"{self.issuer}/token/",
            "userinfo_endpoint": f"{self.issuer}/userinfo/",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def accepts(self, query: Mapping[str, str]) -> bool:
        """Return whether an authorization request is of the one client and comes back to it."""
        back = f"{settings.CLAVE_URL}/ingresar/con/"
        return query.get("client_id") == self.client_id and query.get("redirect_uri", "").startswith(back)

    def back_with_code(self, rut: str, query: Mapping[str, str]) -> str:
        """Return the address to send the browser to after this account signed in."""
        asked = {name: query.get(name, "") for name in ("nonce", "code_challenge", "redirect_uri")}
        code = signing.dumps({**asked, "rut": rut, "id": secrets.token_hex(8)}, salt=self._salt("code"))
        return self._back(query, {"code": code})

    def back_with_error(self, query: Mapping[str, str]) -> str:
        """Return the address to send the browser to after somebody cancelled (RFC 6749, section 4.1.2.1)."""
        return self._back(query, {"error": "access_denied"})

    def answer(self, path: str, form: Mapping[str, str], authorization: str) -> Reply:
        """Answer a client's server; returns (status, JSON)."""
        endpoint = path.split("?")[0].rstrip("/").rpartition("/")[2]
        if endpoint == "openid-configuration":
            return 200, self.metadata()
        if endpoint == "jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if endpoint == "token":
            return self.token(form)
        return self.userinfo(authorization) if endpoint == "userinfo" else (404, {"error": "not found"})

    def token(self, form: Mapping[str, str]) -> Reply:
        """Exchange a code, once."""
        secret = str(getattr(settings, f"{self.name}_CLIENT_SECRET"))
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, secret):
            return 401, {"error": "invalid_client"}
        try:
            grant = signing.loads(form.get("code", ""), salt=self._salt("code"), max_age=CODE_SECONDS)
        except signing.BadSignature:
            return 400, {"error": "invalid_grant"}
        proved = not grant["code_challenge"] or grant["code_challenge"] == sha256_base64url(
            form.get("code_verifier", "")
        )
        with self._lock:
            fresh = grant["id"] not in self._used
            self._used.add(grant["id"])
        if not (fresh and proved and form.get("redirect_uri") == grant["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": signing.dumps(grant["rut"], salt=self._salt("access")),
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "id_token": self.signed(self.id_claims(grant)),
        }

    def id_claims(self, grant: Mapping[str, str]) -> dict[str, Any]:
        now = int(clock.now().timestamp())
        claims = {"iss": self.issuer, "sub": self.subject(grant["rut"]), "aud": self.client_id}
        return {**claims, "iat": now, "exp": now + TOKEN_SECONDS, "nonce": grant["nonce"]}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def userinfo(self, authorization: str) -> Reply:
        scheme, _, token = authorization.partition(" ")
        try:
            rut = signing.loads(token if scheme.lower() == "bearer" else "", salt=self._salt("access"))
        except signing.BadSignature:
            return 401, {"error": "invalid_token"}
        return 200, {"sub": self.subject(rut), **self.accounts[rut].claims}

    def subject(self, rut: str) -> str:
        """Return the subject of an account: a number that says nothing, as ClaveÚnica's do."""
        return str(int(hashlib.sha256(f"{self.path} {rut}".encode()).hexdigest(), 16) % 10**8)

    def _back(self, query: Mapping[str, str], answer: dict[str, str]) -> str:
        return f"{query['redirect_uri']}?{urlencode({**answer, 'state': query.get('state', ''), 'iss': self.issuer})}"

    def _salt(self, purpose: str) -> str:
        return f"sandbox/{self.path}/{purpose}"


def _person(rut: str) -> Account:
    """Return a person's account with ClaveÚnica's claims (wire protocol: `RolUnico`, `name`)."""
    about, parsed = PEOPLE[rut], Rut.parse(rut)
    surnames = [about["apellido_paterno"], about["apellido_materno"]]
    return Account(
        rut,
        f"{about['nombres']} {' '.join(surnames)}",
        {
            "RolUnico": {"numero": parsed.number, "DV": parsed.dv, "tipo": "RUN"},
            "name": {"nombres": about["nombres"].split(), "apellidos": surnames},
        },
    )


def _entity(rut: str) -> Account:
    name = COMPANIES[rut]["razon_social"]
    return Account(rut, name, {"rut": rut, "name": name})


_LIVING = [_person(rut) for rut, about in PEOPLE.items() if not about["fallecido"]]
# Among the taxpayers is also a person, whom Clave must refuse.
PROVIDERS = {
    "claveunica": Provider("CLAVEUNICA", "claveunica", _LIVING),
    "clave_tributaria": Provider(
        "CLAVE_TRIBUTARIA",
        "clave-tributaria",
        [
            *(_entity(rut) for rut in ("76543210-3", "77222333-1", "78000111-9")),
            Account("11111111-1", "Camila Rojas Soto", {"rut": "11111111-1", "name": "Camila Rojas Soto"}),
        ],
    ),
}
