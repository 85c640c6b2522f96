"""Tokens bound to a key. Source: RFC 9449."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.sso.models import UsedAssertion
from clave.sso.tasks import rotate_keys_and_purge
from tests.sso.application import Application, Fields
from tests.sso.signer import Signer
from tests.story import Visitor


def seconds_now() -> int:
    return int(clave_clock.now().timestamp())


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def native(demo: None) -> Application:
    return Application(kind="public")


def exchange(app: Application, code: str, proof: str) -> Any:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.client.redirect_uris[0]}
    return app.post("token", {**fields, "code_verifier": app.verifier}, DPoP=proof)


def bound(app: Application, person: Visitor, signer: Signer, **asked: str) -> Fields:
    response = exchange(app, app.code(person, **asked), signer.proof("token"))
    assert response.status_code == 200, response.content
    return dict(response.json())


def userinfo(app: Application, token: str, proof: str | None, scheme: str = "DPoP") -> Any:
    headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof else {})}
    return app.http.get("/sso/userinfo", headers=headers)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_a_token_is_bound_to_the_key_of_the_proof(app: Application, camila: Visitor, algorithm: str) -> None:
    """RFC 9449, sections 5, 6.2 and 7.1; keys of each kind that the metadata names."""
    key = ECKey.generate_key("P-256") if algorithm == "ES256" else RSAKey.generate_key(2048)
    signer = Signer(key, algorithm)
    tokens = bound(app, camila, signer)
    token = tokens["access_token"]
    assert tokens["token_type"] == "DPoP"
    assert app.introspect(token)["cnf"] == {"jkt": signer.thumbprint}
    assert userinfo(app, token, signer.proof("userinfo", "GET", token)).status_code == 200


@pytest.mark.abuse(40)
def test_a_stolen_token_is_worth_nothing_without_the_key(app: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9449, section 7.1: neither as a bearer token nor with another key."""
    token = bound(app, camila, signer)["access_token"]
    good = signer.proof("userinfo", "GET", token)
    for proof, scheme in (
        (None, "Bearer"),
        (None, "DPoP"),
        (good, "Bearer"),
        (Signer().proof("userinfo", "GET", token), "DPoP"),
    ):
        response = userinfo(app, token, proof, scheme)
        assert response.status_code == 401 and "DPoP" in response.headers["WWW-Authenticate"]


def test_a_token_that_is_not_bound_is_no_dpop_token(app: Application, signer: Signer, camila: Visitor) -> None:
    token = app.tokens(camila)["access_token"]
    assert userinfo(app, token, signer.proof("userinfo", "GET", token)).status_code == 401


@pytest.mark.abuse(40)
@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": None},
        {"htu": "https://other.example/sso/token"},
        {"htu": None},
        {"htu": ["x"]},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": float("nan")},
        {"iat": float("inf")},
        {"iat": 10**400},
        {"iat": 1},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "\ud800"},
    ],
)
def test_a_proof_is_for_one_request_and_now(app: Application, signer: Signer, camila: Visitor, changes: Fields) -> None:
    """RFC 9449, section 4.3."""
    response = exchange(app, app.code(camila), signer.proof("token", **changes))
    assert response.status_code == 400 and response.json()["error"] == "invalid_dpop_proof"


@pytest.mark.abuse(40)
def test_a_proof_is_used_once_and_only_while_fresh(
    app: Application, clock: Stopped, signer: Signer, camila: Visitor
) -> None:
    """RFC 9449, section 11.1; also after the list of used proofs was cleared."""
    proof = signer.proof("token")
    assert exchange(app, app.code(camila), proof).status_code == 200
    assert exchange(app, app.code(camila), proof).json()["error"] == "invalid_dpop_proof"
    ahead = signer.proof("token", iat=seconds_now() + 59)
    assert exchange(app, app.code(camila), ahead).status_code == 200, "clocks differ (section 11.1)"
    assert exchange(app, "x", signer.proof("token", iat=seconds_now() + 120)).json()["error"] == "invalid_dpop_proof"
    clock.move(hours=2)
    rotate_keys_and_purge.func()
    assert not UsedAssertion.objects.exists()
    for old in (proof, ahead):
        assert exchange(app, app.code(camila), old).json()["error"] == "invalid_dpop_proof"


@pytest.mark.abuse(40)
def test_a_header_that_is_no_proofs_is_refused(app: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9449, section 4.3, items 4 to 7; RFC 8725, section 3.1."""
    public = signer.key.as_dict(private=False)
    headers: list[Fields] = [
        {"typ": "JWT", "jwk": public},
        {"jwk": public},
        {"typ": "dpop+jwt"},
        {"typ": "dpop+jwt", "jwk": signer.key.as_dict(private=True)},
        {"typ": "dpop+jwt", "jwk": Signer().key.as_dict(private=False)},
        {"typ": "dpop+jwt", "jwk": OctKey.generate_key(256).as_dict()},
        {"typ": "dpop+jwt", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
    ]
    claims = {"htm": "POST", "htu": "http://localhost:8000/sso/token", "iat": seconds_now(), "jti": "x"}
    proofs = [signer.jwt(claims, **header) for header in headers]
    for proof in [*proofs, "x", "a.b.c", "", "é".encode().decode("latin-1"), "." * 9000]:
        response = exchange(app, app.code(camila), proof)
        assert response.status_code == 400 and response.json()["error"] == "invalid_dpop_proof", proof


@pytest.mark.abuse(40)
def test_a_proof_for_a_token_names_it(app: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9449, section 7: `ath`."""
    one, other = bound(app, camila, signer)["access_token"], bound(app, camila, signer)["access_token"]
    response = userinfo(app, one, signer.proof("userinfo", "GET", other))
    assert response.status_code == 401 and 'error="invalid_dpop_proof"' in response.headers["WWW-Authenticate"]
    assert userinfo(app, one, signer.proof("userinfo", "GET")).status_code == 401


@pytest.mark.abuse(40)
def test_the_refresh_token_of_a_public_client_is_bound_too(
    native: Application, signer: Signer, camila: Visitor
) -> None:
    """RFC 9449, section 5; RFC 9700, section 2.2.2: sender-constrained for who has no secret."""
    refresh = bound(native, camila, signer, scope="openid offline_access")["refresh_token"]
    assert native.refresh(refresh).json()["error"] == "invalid_grant"
    fields = {"grant_type": "refresh_token", "refresh_token": refresh}
    assert native.post("token", fields, DPoP=Signer().proof("token")).json()["error"] == "invalid_grant"
    assert native.post("token", fields, DPoP=signer.proof("token")).status_code == 200


@pytest.mark.abuse(40)
def test_a_code_is_bound_by_the_request(app: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9449, section 10: `dpop_jkt`."""
    code = app.code(camila, dpop_jkt=signer.thumbprint)
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert exchange(app, code, Signer().proof("token")).json()["error"] == "invalid_grant"
    assert exchange(app, code, signer.proof("token")).status_code == 200


@pytest.mark.abuse(40)
def test_a_code_is_bound_by_the_proof_of_who_pushed(app: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9449, section 10.1: the proof itself, or both if they agree."""
    app.code(camila)
    pushed = app.post("par", app.request(), DPoP=signer.proof("par")).json()["request_uri"]
    address = {"client_id": app.client_id, "request_uri": pushed}
    code = app.answer(camila.client.get("/sso/authorize", address))["code"]
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert exchange(app, code, signer.proof("token")).status_code == 200
    both = app.request(dpop_jkt=Signer().thumbprint)
    assert app.post("par", both, DPoP=signer.proof("par")).json()["error"] == "invalid_dpop_proof"
    assert app.post("par", app.request(), DPoP="x").json()["error"] == "invalid_dpop_proof"


def test_who_must_bind_tokens_gets_none_otherwise(demo: None, camila: Visitor) -> None:
    """RFC 9449, section 5.2: `dpop_bound_access_tokens`."""
    app = Application(requires_dpop=True)
    code = app.code(camila)
    assert app.exchange(code).json()["error"] == "invalid_dpop_proof"
    assert exchange(app, code, Signer().proof("token")).status_code == 200
