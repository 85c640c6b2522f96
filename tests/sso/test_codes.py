"""Codes and who may exchange them. Source: RFC 6749, sections 4.1.3 and 5; RFC 7636; RFC 7523; RFC 9700, section 4.5."""

import base64
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.sso import clients
from clave.sso.models import Client, Grant
from tests.sso.application import Application
from tests.sso.signer import Signer
from tests.story import Visitor


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def by_header(app: Application, code: str, authorization: str, **more: Any) -> Any:
    """Exchange a code with HTTP Basic."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.client.redirect_uris[0]}
    return app.form("token", {**fields, "code_verifier": app.verifier, **more}, Authorization=authorization)


def test_the_answer_is_as_the_standard_has_it(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3."""
    response = app.exchange(app.code(camila))
    assert response.headers["Content-Type"] == "application/json" and response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 600
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "id_token"}


def test_the_id_token_says_all_that_it_must(app: Application, clock: Stopped, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 2; `sid` of Back-Channel Logout 1.0, section 2.1."""
    tokens = app.tokens(camila)
    told = app.read(tokens["id_token"])
    assert told["aud"] == told["azp"] == app.client_id and told["nonce"] == app.nonce
    assert told["exp"] > told["iat"] >= told["auth_time"] and len(told["sub"]) <= 255 and told["sid"]
    assert "client_id" not in told and "email" not in told, "claims of scopes are told at userinfo"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_id_token_is_signed_as_registered(demo: None, camila: Visitor, algorithm: str) -> None:
    """OpenID Connect Core 1.0, section 2; the module idtoken-signature."""
    from clave.sso import jwts

    app = Application(id_token_algorithm=algorithm)
    token = app.tokens(camila)["id_token"]
    header = jwts.header_of(token)
    assert header and header["alg"] == algorithm and header["kid"]
    assert app.read(token)["sub"]


def test_a_secret_is_taken_by_header_or_by_form_but_not_both(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 2.3; the module server-client-secret-post."""
    proof = basic(app.client_id, app.secret)
    assert by_header(app, app.code(camila), proof).status_code == 200
    assert app.exchange(app.code(camila)).status_code == 200
    both = by_header(app, app.code(camila), proof, client_secret=app.secret)
    assert both.status_code == 400 and both.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !", "Basic é", "Basic \udcff", "Basic YQ==", "Basic /w==", "basic Og==", "Bearer x"],
)
def test_a_header_that_is_no_proof_is_refused(app: Application, camila: Visitor, header: str) -> None:
    """RFC 6749, section 5.2: 401 and how to do it."""
    response = by_header(app, app.code(camila), header.encode("utf-8", "surrogateescape").decode("latin-1"))
    assert response.status_code == 401 and response.json()["error"] == "invalid_client"
    assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_secret_is_refused_and_the_code_stays_good(app: Application, camila: Visitor) -> None:
    code = app.code(camila)
    for wrong in ("", "x", app.secret[:-1], app.secret + "\u00e9"):
        assert app.exchange(code, client_secret=wrong).json()["error"] == "invalid_client"
    assert app.exchange(code).status_code == 200


def test_a_former_secret_ends_after_a_week_or_at_once(app: Application, clock: Stopped, camila: Visitor) -> None:
    former = app.secret
    app.secret = clients.rotate_secret(app.client, SYSTEM)
    assert app.exchange(app.code(camila), client_secret=former).status_code == 200
    clock.move(days=7)
    assert app.exchange("x", client_secret=former).json()["error"] == "invalid_client"
    latest = clients.rotate_secret(app.client, SYSTEM, at_once=True)
    assert app.exchange("x").json()["error"] == "invalid_client"
    assert app.exchange("x", client_secret=latest).json()["error"] == "invalid_grant"


def test_a_key_proves_who_the_client_is(demo: None, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 9, private_key_jwt; RFC 7523, section 3."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    assert app.exchange(app.code(camila), **signer.assertion(app)).status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_rsa_keys_prove_it_too(demo: None, camila: Visitor, algorithm: str) -> None:
    signer = Signer(RSAKey.generate_key(2048), algorithm)
    app = Application(kind="key", jwks=signer.jwks)
    assert app.exchange(app.code(camila), **signer.assertion(app)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"aud": "https://other.example"},
        {"aud": None},
        {"aud": [["x"], {}]},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "\ud800"},
        {"exp": None},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"exp": 10**400},
        {"exp": float("nan")},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"iat": float("nan")},
    ],
)
def test_an_assertion_must_be_for_us_about_the_client_and_new(
    demo: None, camila: Visitor, changes: dict[str, Any]
) -> None:
    """RFC 7523, section 3."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    response = app.exchange("x", **signer.assertion(app, **changes))
    assert response.status_code == 401 and response.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("name", "seconds", "taken"),
    [
        ("exp", -59, True),
        ("exp", -61, False),
        ("nbf", 59, True),
        ("nbf", 61, False),
        ("iat", 59, True),
        ("exp", 3659, True),
        ("exp", 3661, False),
    ],
)
def test_clocks_may_differ_by_a_minute(demo: None, clock: Stopped, name: str, seconds: int, taken: bool) -> None:
    """RFC 7523, section 3, items 4 to 6: leeway, and a bound to how long an assertion lives."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    now = clave_clock.now().timestamp()
    error = app.exchange("x", **signer.assertion(app, **{name: now + seconds})).json()["error"]
    assert error == ("invalid_grant" if taken else "invalid_client")


def test_an_assertion_serves_once_even_after_others(demo: None, clock: Stopped) -> None:
    """RFC 7523, section 3, item 7; Keycloak 47715."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    proof = signer.assertion(app)
    assert app.exchange("x", **proof).json()["error"] == "invalid_grant"
    clock.move(seconds=30)
    assert app.exchange("x", **proof).json()["error"] == "invalid_client"
    assert app.exchange("x", **signer.assertion(app)).json()["error"] == "invalid_grant"


def test_a_client_proves_itself_in_its_registered_way_only(app: Application, demo: None) -> None:
    """OpenID Connect Core 1.0, section 9: no way but the one registered."""
    signer = Signer()
    with_key = Application(kind="key", jwks=signer.jwks)
    public = Application(kind="public")
    Client.objects.filter(pk=app.client.pk).update(jwks=signer.jwks)
    assert app.form("token", {"grant_type": "refresh_token", **signer.assertion(app)}).status_code == 401
    assert with_key.form("token", {"client_id": with_key.client_id, "client_secret": "x"}).status_code == 401
    assert public.form("token", {"client_id": public.client_id, "client_secret": "x"}).status_code == 401
    assert with_key.form("token", {"client_id": with_key.client_id}).status_code == 401
    other = {"client_id": app.client_id, **signer.assertion(with_key)}
    assert with_key.form("token", other).status_code == 401, "RFC 7521, section 4.2"


@pytest.mark.parametrize("kty", ["oct", "private", "weak", "none", "list"])
def test_what_is_no_public_key_that_signs_is_not_registered(demo: None, kty: str) -> None:
    """RFC 8725, section 3.1; RFC 7518, sections 3.3 and 3.4."""
    from clave.sso import client_rules

    sets: dict[str, Any] = {
        "oct": {"keys": [OctKey.generate_key(256).as_dict()]},
        "private": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]},
        "weak": {"keys": [{"kty": "RSA", "e": "AQAB", "n": "u" * 171}]},
        "none": {"keys": []},
        "list": ["x"],
    }
    client = Client(name="x", kind="key", jwks=sets[kty], redirect_uris=["https://a.cl/x"], scopes=[])
    assert "jwks" in client_rules.problems(client)


def test_a_code_lives_for_a_minute(app: Application, clock: Stopped, camila: Visitor) -> None:
    """RFC 6749, section 4.1.2."""
    code = app.code(camila)
    clock.move(seconds=60)
    assert app.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_must_come_with_the_address_it_was_sent_to(app: Application, camila: Visitor) -> None:
    """RFC 6749, section 4.1.3."""
    code = app.code(camila)
    for address in (None, "", app.client.redirect_uris[0] + "/", "https://evil.example/"):
        assert app.exchange(code, redirect_uri=address).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("grant_type", [None, "password", "client_credentials", "implicit", "urn:x"])
def test_other_grants_are_not_there(app: Application, grant_type: str | None) -> None:
    """RFC 6749, section 5.2; RFC 9700, section 2.4: no password grant."""
    response = app.post("token", {"grant_type": grant_type})
    assert response.status_code == 400 and response.json()["error"] == "unsupported_grant_type"


def test_a_parameter_that_comes_twice_is_refused(app: Application) -> None:
    """RFC 6749, section 3.2."""
    body = f"grant_type=refresh_token&client_id={app.client_id}&client_id={app.client_id}"
    response = app.http.post("/sso/token", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400 and response.json()["error"] == "invalid_request"


def test_a_code_that_nobody_exchanged_is_forgotten(app: Application, clock: Stopped, camila: Visitor) -> None:
    from clave.sso.tasks import rotate_keys_and_purge

    app.tokens(camila)
    app.code(camila)
    clock.move(hours=2)
    rotate_keys_and_purge.func()
    assert Grant.objects.count() == 1
