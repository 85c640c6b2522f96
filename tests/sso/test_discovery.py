"""Metadata and keys. Source: OpenID Connect Discovery 1.0; RFC 8414; the plan config."""

import pytest

from clave.sso.claims import SCOPES
from tests.sso.application import Application, issuer


def test_the_metadata_says_what_it_must(app: Application) -> None:
    """OpenID Connect Discovery 1.0, section 3; the module discovery-endpoint-verification."""
    told = app.http.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == issuer() and not told["issuer"].endswith("/")
    assert told["response_types_supported"] == ["code"]
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    assert {"public", "pairwise"} == set(told["subject_types_supported"])
    assert set(SCOPES) == set(told["scopes_supported"]) and "sub" in told["claims_supported"]
    assert told["claims_parameter_supported"] is True and told["request_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False
    assert {"authorization_code", "refresh_token"} == set(told["grant_types_supported"])
    assert told["ui_locales_supported"] == ["es-CL", "en"]


@pytest.mark.abuse(40)
def test_nothing_weak_is_offered(app: Application) -> None:
    """RFC 9700, sections 2.1.1, 2.1.2 and 2.5; RFC 8725, section 3.2: S256 alone, no implicit grant, no "none"."""
    for path in ("/.well-known/openid-configuration", "/openid/.well-known/openid-configuration"):
        told = app.http.get(path).json()
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert told["authorization_response_iss_parameter_supported"] is True
        for name, values in told.items():
            if name.endswith("alg_values_supported"):
                assert values and set(values) <= {"ES256", "RS256", "PS256"}, name


def test_both_well_known_addresses_say_the_same(app: Application) -> None:
    """RFC 8414, section 3."""
    paths = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
    one, other = (app.http.get(path).json() for path in paths)
    assert one == other


@pytest.mark.parametrize("key", ["backchannel", "frontchannel"])
def test_logout_is_announced(app: Application, key: str) -> None:
    """Back-Channel Logout 1.0, section 2.1; Front-Channel Logout 1.0, section 3; the modules
    backchannel- and frontchannel-logout-discovery-endpoint-verification.
    """
    told = app.http.get("/.well-known/openid-configuration").json()
    assert told[f"{key}_logout_supported"] is True and told[f"{key}_logout_session_supported"] is True
    assert told["end_session_endpoint"] == issuer() + "/sso/logout"


def test_only_public_parts_of_keys_are_published(app: Application) -> None:
    """RFC 7517, section 9.2; OpenID Connect Core 1.0, section 10.1: each with its `kid`."""
    keys = app.http.get("/sso/jwks").json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    for key in keys:
        assert key["kid"] and key["use"] == "sig" and not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()


def test_anybodys_page_may_read_them(app: Application) -> None:
    """Fetch standard, section 3.2: no cookie is asked for, so every origin may; HEAD and OPTIONS too."""
    for path in ("/.well-known/openid-configuration", "/sso/jwks"):
        response = app.http.get(path, headers={"Origin": "https://spa.example.cl"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers and not response.cookies
        assert app.http.head(path).status_code == 200
        assert app.http.options(path).status_code == 204


@pytest.mark.parametrize("path", ["token", "introspect", "revoke", "par", "userinfo", "jwks", "authorize"])
def test_other_methods_are_told_which_serve(app: Application, path: str) -> None:
    """RFC 9110, section 15.5.6."""
    response = app.http.delete(f"/sso/{path}")
    assert response.status_code == 405 and response.headers["Allow"]
