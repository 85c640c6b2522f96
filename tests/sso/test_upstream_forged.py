"""Forged id tokens, and issuers that send the server elsewhere.

The forgers are the simulated providers with one thing wrong, asked over HTTP as the honest ones are.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from clave.audit.models import Entry
from clave.sandbox.openid import PROVIDERS, Provider, Reply
from clave.sso.upstream import client
from tests.sso.doors import CAMILA, Install, by_door, code_for, link_camila
from tests.story import Visitor

pytestmark = [pytest.mark.usefixtures("doors"), pytest.mark.slow]


class Forger(Provider):
    """ClaveÚnica, with an id token that differs from an honest one in its claims."""

    def __init__(self, **claims: Any) -> None:
        super().__init__("CLAVEUNICA", "claveunica", list(PROVIDERS["claveunica"].accounts.values()))
        self.other = claims

    def id_claims(self, grant: Mapping[str, str]) -> dict[str, Any]:
        claims = {**super().id_claims(grant), **self.other}
        return {name: value for name, value in claims.items() if value is not None}


def packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


class Unsigned(Forger):
    def signed(self, claims: dict[str, Any]) -> str:
        return f"{packed({'alg': 'none', 'kid': self.key.kid})}.{packed(claims)}."


class SignedWithThePublicKey(Forger):
    """Takes the issuer's public key, which everybody has, for a shared secret (RFC 8725, section 2.1)."""

    def signed(self, claims: dict[str, Any]) -> str:
        text = f"{packed({'alg': 'HS256', 'kid': self.key.kid})}.{packed(claims)}"
        mac = hmac.digest(self.key.as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


class SignedByAnother(Forger):
    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, RSAKey.generate_key(2048))


class WithoutIdToken(Forger):
    def token(self, form: Mapping[str, str]) -> Reply:
        status, answer = super().token(form)
        return status, {name: value for name, value in answer.items() if name != "id_token"}


@pytest.mark.abuse(56)
@pytest.mark.parametrize(
    "forger",
    [
        Forger(exp=1_700_000_000),
        Forger(exp=None),
        Forger(exp="never"),
        Forger(iss="https://evil.example"),
        Forger(aud="another-client"),
        Forger(aud=["clave", "another-client"]),
        Forger(azp="another-client"),
        Forger(nonce="of another request"),
        Forger(nonce=None),
        Forger(sub="somebody else"),
        Unsigned(),
        SignedWithThePublicKey(),
        SignedByAnother(),
        WithoutIdToken(),
    ],
    ids=lambda forger: f"{type(forger).__name__} {forger.other}",
)
def test_a_forged_id_token_lets_nobody_in(visitor: Visitor, install: Install, forger: Forger) -> None:
    link_camila(visitor)
    install(forger)
    thief = Visitor("198.51.100.9")
    page = by_door(thief, CAMILA)
    assert page.status == 403 and page.shows("No pudimos comprobar la respuesta de ClaveÚnica")
    assert "holder" not in thief.client.session


@pytest.mark.abuse(56)
def test_a_key_that_the_issuer_has_changed_is_asked_for_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_camila(visitor)
    monkeypatch.setitem(PROVIDERS, "claveunica", Forger())
    monkeypatch.setattr(client, "KEEP_KEYS_SECONDS", 0)
    assert by_door(Visitor("198.51.100.9"), CAMILA).shows("Mi cuenta")


# What the server itself asks


class Broken(Forger):
    """Falls over a code that it does not know."""

    def token(self, form: Mapping[str, str]) -> Reply:
        status, answer = super().token(form)
        return (500, {}) if status == 400 else (status, answer)


@pytest.mark.abuse(56)
def test_made_up_codes_shut_the_door_for_nobody_else(visitor: Visitor, install: Install) -> None:
    install(Broken())
    for number in range(2 * client.FAILURES):
        attacker = Visitor(f"198.51.100.{number}")
        honest = code_for(attacker)
        made_up = honest.split("code=")[0] + "code=made-up&" + honest.split("&", 1)[1]
        assert attacker.open(made_up).shows("ClaveÚnica no responde")
    assert by_door(visitor, CAMILA).shows("Vincular ClaveÚnica")


class Elsewhere(Forger):
    """Publishes endpoints that are not its own."""

    def metadata(self) -> dict[str, Any]:
        return {**super().metadata(), **self.other}


@pytest.mark.abuse(44, 56)
@pytest.mark.parametrize(
    "claims",
    [
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "http://127.0.0.1:1/x"},
        {"userinfo_endpoint": "http://[x"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": 7},
        {"issuer": "https://evil.example"},
    ],
    ids=str,
)
def test_an_issuer_cannot_send_the_server_elsewhere(visitor: Visitor, install: Install, claims: dict[str, Any]) -> None:
    install(Elsewhere(**claims))
    assert visitor.open("/ingresar/con/claveunica").shows("ClaveÚnica no responde")


@pytest.mark.abuse(56)
def test_what_the_door_gives_leaves_no_trace_in_the_log(
    visitor: Visitor, capfd: pytest.CaptureFixture[str], settings: Any
) -> None:
    honest = code_for(visitor)
    visitor.open(honest)
    monkey = Client(REMOTE_ADDR="198.51.100.9")
    monkey.get(honest)
    told = "".join(capfd.readouterr())
    for secret in (honest.split("code=")[1].split("&")[0], settings.CLAVEUNICA_CLIENT_SECRET):
        assert secret not in told
        assert not Entry.objects.filter(detail__icontains=secret).exists()
