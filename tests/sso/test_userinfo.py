"""What applications are told of a holder. Source: OpenID Connect Core 1.0, section 5; RFC 6750."""

import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.sso.models import Client
from tests.firms import sign_in as company_sign_in
from tests.sso.application import CAMILA, RETURN, Application, Fields, issuer
from tests.story import Visitor

FORM = "application/x-www-form-urlencoded"


def ask(app: Application, token: str = "", *, method: str = "POST", body: str = "", **headers: str) -> Any:
    proof = {"Authorization": f"Bearer {token}"} if token else {}
    return app.http.generic(method, f"{app.path}/userinfo", body, FORM, headers={**proof, **headers})


def told(app: Application, person: Visitor, scope: str, **asked: str) -> Fields:
    return dict(app.userinfo(app.tokens(person, scope=scope, **asked)["access_token"]).json())


def test_the_token_comes_by_get_by_post_or_in_the_body(app: Application, camila: Visitor) -> None:
    """RFC 6750, sections 2.1 and 2.2; the modules userinfo-get, -post-header, -post-body."""
    token = app.tokens(camila)["access_token"]
    answers = [ask(app, token, method="GET"), ask(app, token), ask(app, body=f"access_token={token}")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert answers[0].headers["Cache-Control"] == "no-store"


def test_never_in_the_address(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.3.2: no token in a query."""
    token = app.tokens(camila)["access_token"]
    assert app.http.get(f"/sso/userinfo?access_token={token}").status_code == 401


def test_without_a_token_only_what_is_needed_is_said(app: Application) -> None:
    """RFC 6750, section 3.1: no error code for a request without a token."""
    response = ask(app, method="GET")
    assert response.status_code == 401 and response.headers["WWW-Authenticate"].startswith('Bearer realm="Clave"')
    assert "error" not in response.headers["WWW-Authenticate"]


def test_a_token_that_is_none_is_refused(app: Application, camila: Visitor) -> None:
    """RFC 6750, section 3.1, invalid_token; also other tokens of ours."""
    tokens = app.tokens(camila, scope="openid offline_access")
    for wrong in (
        "x",
        tokens["refresh_token"],
        tokens["id_token"],
        tokens["access_token"] + "x",
        "é".encode().decode("latin-1"),
    ):
        response = ask(app, wrong, method="GET")
        assert response.status_code == 401 and 'error="invalid_token"' in response.headers["WWW-Authenticate"], wrong


def test_two_ways_at_once_are_refused(app: Application, camila: Visitor) -> None:
    """RFC 6750, section 2."""
    token = app.tokens(camila)["access_token"]
    response = ask(app, token, body=f"access_token={token}")
    assert response.status_code == 400 and response.json()["error"] == "invalid_request"


def test_a_token_ends_after_ten_minutes(app: Application, clock: Stopped, camila: Visitor) -> None:
    token = app.tokens(camila)["access_token"]
    clock.move(seconds=599)
    assert app.userinfo(token).status_code == 200
    clock.move(seconds=1)
    assert app.userinfo(token).status_code == 401


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid address", {"address"}),
        ("openid name", {"name", "given_name", "family_name"}),
        ("openid run", {"run", "identity_document", "holder_profile", "identity_proof"}),
        (
            "openid profile",
            {"name", "given_name", "family_name", "birthdate", "gender", "locale", "zoneinfo", "updated_at"},
        ),
    ],
)
def test_each_scope_stands_for_its_claims(app: Application, camila: Visitor, scope: str, claims: set[str]) -> None:
    """OpenID Connect Core 1.0, section 5.4; the modules scope-profile, -email, -address, -phone, -all."""
    Holder.objects.filter(identifier="11111111-1").update(mobile="+56911112222", no_mobile=False)
    assert set(told(app, camila, scope)) == {"sub", *claims}


def test_claims_have_the_types_that_the_standard_gives_them(app: Application, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 5.1."""
    who = told(app, camila, "openid profile email phone address")
    assert isinstance(who["updated_at"], int) and isinstance(who["email_verified"], bool)
    assert isinstance(who["address"], dict) and isinstance(who["address"]["formatted"], str)
    assert who["birthdate"] == "1990-05-14" and who["zoneinfo"] == "America/Santiago"


def test_userinfo_says_the_same_sub_as_the_id_token(app: Application, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 5.3.2."""
    tokens = app.tokens(camila)
    assert app.userinfo(tokens["access_token"]).json()["sub"] == app.read(tokens["id_token"])["sub"]


def test_userinfo_is_signed_for_who_registered_that(demo: None, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 5.3.2: `iss` and `aud`."""
    app = Application(userinfo_algorithm="ES256")
    response = app.userinfo(app.tokens(camila)["access_token"])
    assert response.headers["Content-Type"] == "application/jwt"
    keys = KeySet.import_key_set(app.http.get("/sso/jwks").json())
    claims = jwt.decode(response.content, keys, algorithms=["ES256"]).claims
    assert claims["iss"] == issuer() and claims["aud"] == app.client_id and claims["run"] == "11111111-1"


def test_the_holder_is_another_one_to_each_sector(demo: None, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 8.1."""
    apps = [Application(), Application(), Application(redirect_uris=["https://other.example.cl/cb"])]
    subjects = [told(app, camila, "openid")["sub"] for app in apps]
    assert subjects[0] == subjects[1] != subjects[2], "two at one host know the holder by the same name"
    public = [Application(subject_type="public", redirect_uris=[f"https://p{n}.example.cl/"]) for n in range(2)]
    names = [told(app, camila, "openid")["sub"] for app in public]
    assert names[0] == names[1] not in subjects


def test_an_application_that_moves_keeps_its_holders(app: Application, camila: Visitor) -> None:
    """Section 8.1: the sector is set when the application is registered."""
    before = told(app, camila, "openid")["sub"]
    Client.objects.filter(pk=app.client.pk).update(redirect_uris=["https://moved.example.cl/cb", RETURN])
    app.client.refresh_from_db()
    assert told(app, camila, "openid")["sub"] == before


@pytest.mark.abuse(40)
def test_no_parameter_smuggles_a_claim_into_a_token(app: Application, camila: Visitor) -> None:
    """Names that are ours, values that are not (cases 54 and 55 are of this kind): only what we know is said."""
    claims = json.dumps(
        {
            "id_token": {
                "sub": None,
                "iss": {"value": "https://evil.example"},
                "aud": {"value": "another"},
                "run": {"value": "99999999-9"},
                "role": {"value": "admin"},
                "holder_profile": {"essential": True, "value": "persona_juridica"},
                "admin": True,
            },
            "userinfo": {"sub": None, "entity": {"value": {"rut": "76543210-3"}}, "groups": None},
        }
    )
    tokens = app.tokens(camila, claims=claims, run="99999999-9", sub="x", acr_values="urn:clave:claveunica")
    said = app.read(tokens["id_token"])
    assert said["iss"] == issuer() and said["aud"] == app.client_id and said["acr"] == "urn:clave:registry"
    assert said["run"] == "11111111-1" and said["holder_profile"] == "persona_natural"
    assert not {"role", "admin", "entity"} & said.keys()
    assert not {"entity", "groups"} & app.userinfo(tokens["access_token"]).json().keys()


@pytest.mark.abuse(40)
def test_a_claim_needs_a_scope_of_the_application(demo: None, camila: Visitor) -> None:
    """What an application is not registered for it cannot ask for one by one either."""
    app = Application(scopes=["openid", "email"])
    claims = json.dumps({"userinfo": {"run": {"essential": True}, "address": None}})
    assert set(told(app, camila, "openid email run address", claims=claims)) == {"sub", "email", "email_verified"}


@pytest.mark.abuse(40)
def test_a_scope_taken_from_an_application_is_told_no_more(app: Application, camila: Visitor) -> None:
    """Also to those who gave their consent before."""
    token = app.tokens(camila, claims='{"userinfo":{"phone_number":null}}')["access_token"]
    Client.objects.update(scopes=["openid", "email"])
    assert set(app.userinfo(token).json()) == {"sub", "email", "email_verified"}


def test_a_company_acts_as_itself(demo: None, visitor: Visitor) -> None:
    app = Application()
    company_sign_in(visitor, "76543210-3", "33333333-3", "CA739105")
    who = told(app, visitor, "openid run entity")
    assert who["entity"]["rut"] == "76543210-3" and who["holder_profile"] == "persona_juridica"


@pytest.mark.abuse(40)
def test_what_changes_at_the_holder_ends_or_shows(app: Application, camila: Visitor) -> None:
    """A new key ends the tokens (case 50); a new mail is told at once."""
    token = app.tokens(camila)["access_token"]
    Holder.objects.filter(identifier="11111111-1").update(email="nueva@example.cl")
    assert app.userinfo(token).json()["email"] == "nueva@example.cl"
    camila.change_key(CAMILA[0], CAMILA[1], "NW604821")
    assert app.userinfo(token).status_code == 401
