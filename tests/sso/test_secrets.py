"""Secrets of sign-on are found nowhere but in the answers that hand them over (abuse cases 10 and 40)."""

import logging
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings

from clave.audit.models import Entry
from clave.lib import logs
from clave.lib.request_context import SYSTEM
from clave.sso import clients, grants, id_tokens
from tests.sso.application import DIEGO, Application, signed_in
from tests.sso.signer import Signer
from tests.story import Visitor
from tests.test_abuse import dump_of_everything


@pytest.mark.abuse(40)
def test_canaries_put_through_sign_on_are_found_nowhere(
    app: Application, camila: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's secrets, codes, verifiers, tokens, assertions and proofs, used rightly and wrongly."""
    caplog.set_level(logging.DEBUG)
    signer = Signer()
    with_key = Application(kind="key", jwks=signer.jwks)
    former = app.secret
    app.secret = clients.rotate_secret(app.client, SYSTEM)
    pages, addresses = [], []
    code = app.code(camila, scope="openid offline_access")
    held = app.exchange(code).json()
    renewed = app.refresh(held["refresh_token"]).json()
    proof, assertion = signer.proof("token"), signer.assertion(with_key)
    unused = app.code(camila)
    answers = [
        app.userinfo(held["access_token"]),
        app.userinfo(held["access_token"] + "x"),
        app.exchange(code),
        app.exchange(unused, code_verifier="w" * 43),
        app.exchange("x", client_secret=former + "x"),
        app.refresh(held["refresh_token"], scope="openid run"),
        app.post("revoke", {"token": renewed["access_token"]}),
        app.post("introspect", {"token": renewed["refresh_token"]}),
        app.post("token", {"grant_type": "x"}, DPoP=proof),
        app.post("token", {"grant_type": "x"}, DPoP=proof),
        with_key.exchange("x", **assertion),
        with_key.exchange("x", **assertion),
        camila.client.get(app.url(redirect_uri="https://evil.example", id_token_hint=held["id_token"])),
        camila.client.get("/sso/logout", {"id_token_hint": held["id_token"] + "x"}),
    ]
    for answer in answers:
        pages.append(answer.content.decode())
        addresses.append(answer.headers.get("Location", ""))
    secrets = {
        "secret": app.secret,
        "former secret": former,
        "code": code,
        "unused code": unused,
        "verifier": app.verifier,
        "access token": held["access_token"],
        "refresh token": held["refresh_token"],
        "renewed access token": renewed["access_token"],
        "renewed refresh token": renewed["refresh_token"],
        "id token": held["id_token"],
        "assertion": assertion["client_assertion"],
        "proof": proof,
    }
    places = {
        "logs": caplog.text,
        "audit": str(list(Entry.objects.values())),
        "pages": "\n".join(pages),
        "addresses": "\n".join(addresses),
        "database": dump_of_everything(),
    }
    for name, secret in secrets.items():
        for place, text in places.items():
            assert secret not in text, f"{name} in {place}"


@pytest.mark.abuse(40)
def test_a_fault_in_the_middle_of_an_exchange_tells_no_secret(
    app: Application, camila: Visitor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has the type and place of an exception, not its text; the answer has nothing of either."""
    logs.configure({"level": "DEBUG"})
    app.http.raise_request_exception = False
    code = app.code(camila)

    def broken(*args: Any) -> None:
        raise RuntimeError(f"cannot work with {args} {code}")

    monkeypatch.setattr(grants, "_proves", broken)
    answer = app.exchange(code)
    printed = capsys.readouterr().err
    assert answer.status_code == 500 and "RuntimeError" in printed
    for secret in (code, app.verifier, app.secret):
        assert secret not in answer.content.decode() and secret not in printed
    monkeypatch.undo()
    assert app.exchange(code).status_code == 200, "nothing was half done"
    logs.configure(django_settings.LOGGING)


@pytest.mark.abuse(40)
def test_what_happens_is_in_the_audit_trail(app: Application, camila: Visitor) -> None:
    """Who, at which application, with which outcome: consent, code, misuse, revocation."""
    code = app.code(camila, scope="openid offline_access")
    held = app.exchange(code).json()
    app.post("revoke", {"token": held["refresh_token"]})
    page = camila.open(app.url(prompt="consent"))
    camila.client.post(page.url, {"rechazar": "1"})
    actions = [entry.action for entry in Entry.objects.filter(action__startswith="sso.").order_by("pk")]
    assert actions == ["sso.client_created", "sso.consented", "sso.authorized", "sso.revoked", "sso.consent_refused"]


def test_the_answer_after_a_new_secret_key_is_the_same_person(app: Application, settings: LazySettings) -> None:
    """`sub` is stored, not computed from the secret key."""
    diego = signed_in(*DIEGO)
    before = app.read(app.tokens(diego)["id_token"])["sub"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key, long enough to be one " * 2
    assert app.read(app.tokens(diego)["id_token"])["sub"] == before


def test_the_hash_of_the_access_token_is_its_left_half(app: Application, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.6: `at_hash` binds the two tokens of an answer."""
    tokens = app.tokens(camila)
    assert app.read(tokens["id_token"])["at_hash"] == id_tokens.half_hash(tokens["access_token"])
