"""Requests as signed objects (RFC 9101) and pushed before (RFC 9126)."""

from typing import Any

import pytest

from clave.lib.clock import Stopped
from clave.sso.models import Grant, PendingAuthorization
from tests.sso.application import DIEGO, Application, Fields, issuer, signed_in
from tests.sso.signer import Signer
from tests.sso.test_attacks import forged
from tests.story import Visitor


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def signing(demo: None, signer: Signer) -> Application:
    """An application with a key of its own."""
    return Application(kind="key", jwks=signer.jwks)


def by_object(person: Visitor, app: Application, request: str, **beside: str) -> Any:
    return person.client.get("/sso/authorize", {"client_id": app.client_id, "request": request, **beside})


def test_a_signed_object_is_the_request(signing: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9101, section 6.3: only what is inside counts."""
    signing.code(camila)
    beside = {"redirect_uri": "https://evil.example/", "scope": "openid run", "state": "evil"}
    response = by_object(camila, signing, signer.request_object(signing, scope="openid", max_age=1000), **beside)
    answer = signing.answer(response)
    assert answer["state"] == signing.state
    exchanged = signing.exchange(answer["code"], **signer.assertion(signing)).json()
    assert exchanged["scope"] == "openid"


@pytest.mark.abuse(40)
def test_an_unsigned_object_is_refused(signing: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9101, section 10.5; the module unsigned-request-object-...-rejected-as-unsupported (skipped: alg "none" is
    not in request_object_signing_alg_values_supported).
    """
    signing.code(camila)
    for algorithm in ("none", "HS256"):
        header = {"alg": algorithm}
        unsigned = forged(header, b'{"client_id":"x","redirect_uri":"https://evil.example"}', str(signer.jwks))
        for request in (unsigned, "x", "e30.e30.", "\x00"):
            answer = signing.answer(by_object(camila, signing, request, redirect_uri=signing.client.redirect_uris[0]))
            assert answer["error"] == "invalid_request_object"
            assert by_object(camila, signing, request, redirect_uri="https://evil.example").status_code == 400


@pytest.mark.abuse(40)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"aud": "https://other.example"},
        {"aud": {"x": 1}},
        {"client_id": "another"},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**400},
        {"nbf": 4_000_000_000},
        {"request": "x"},
        {"request_uri": "x"},
    ],
)
def test_an_object_must_be_for_us_from_the_client_and_now(
    signing: Application, signer: Signer, camila: Visitor, changes: Fields
) -> None:
    """RFC 9101, sections 4, 5 and 6.3."""
    signing.code(camila)
    request = signer.request_object(signing, **changes)
    answer = signing.answer(by_object(camila, signing, request, redirect_uri=signing.client.redirect_uris[0]))
    assert answer["error"] == "invalid_request_object"


@pytest.mark.abuse(40)
def test_an_assertion_is_no_request_and_a_request_no_assertion(
    signing: Application, signer: Signer, camila: Visitor
) -> None:
    """RFC 9101, section 10.8: one JWT is not taken for another."""
    signing.code(camila)
    both = signer.request_object(signing, sub=signing.client_id, jti="1")
    answer = signing.answer(by_object(camila, signing, both, redirect_uri=signing.client.redirect_uris[0]))
    assert answer["error"] == "invalid_request_object"
    request = signer.request_object(signing, jti="2")
    fields = signer.assertion(signing) | {"client_assertion": request}
    assert signing.exchange("x", **fields).json()["error"] == "invalid_client"


def test_a_former_key_of_the_client_signs_no_more(signing: Application, signer: Signer, camila: Visitor) -> None:
    """The keys are those registered now."""
    signing.code(camila)
    signing.client.jwks = Signer().jwks
    signing.client.save()
    request = signer.request_object(signing)
    answer = signing.answer(by_object(camila, signing, request, redirect_uri=signing.client.redirect_uris[0]))
    assert answer["error"] == "invalid_request_object"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "\ud800"},
        {"nonce": "\x00"},
        {"login_hint": "\udfff"},
        {"scope": "openid\x00"},
        {"claims": {"id_token": 5}},
    ],
)
def test_half_a_character_in_an_object_is_an_error_for_the_client(
    signing: Application, signer: Signer, camila: Visitor, changes: Fields
) -> None:
    signing.code(camila)
    answer = signing.answer(by_object(camila, signing, signer.request_object(signing, **changes)))
    assert answer["error"] == "invalid_request"


def push(app: Application, **asked: str | None) -> str:
    response = app.post("par", app.request(**asked))
    assert response.status_code == 201 and response.json()["expires_in"] == 60, response.content
    return str(response.json()["request_uri"])


def follow(person: Visitor, app: Application, pushed: str) -> Any:
    return person.client.get("/sso/authorize", {"client_id": app.client_id, "request_uri": pushed})


def test_a_pushed_request_is_answered_once(app: Application, camila: Visitor) -> None:
    """RFC 9126, sections 2.2, 4 and 7.3; Keycloak 47715."""
    app.code(camila)
    pushed = push(app)
    assert "code" in app.answer(follow(camila, app, pushed))
    for _ in range(2):
        assert follow(camila, app, pushed).status_code == 400
    assert Grant.objects.count() == 2


def test_a_pushed_request_lives_for_a_minute(app: Application, clock: Stopped, camila: Visitor) -> None:
    """RFC 9126, section 2.2."""
    app.code(camila)
    pushed = push(app)
    clock.move(seconds=60)
    assert follow(camila, app, pushed).status_code == 400


@pytest.mark.abuse(40)
def test_a_pushed_request_is_the_clients_own(app: Application, camila: Visitor) -> None:
    """RFC 9126, sections 2 and 7.1: pushed by whom it is for, and named with its client."""
    thief = Application(redirect_uris=app.client.redirect_uris)
    app.code(camila)
    assert follow(camila, thief, push(app)).status_code == 400
    fields = {**app.request(), "client_id": app.client_id}
    response = thief.form("par", {**fields, "client_secret": thief.secret})
    assert response.status_code == 401, "the secret is not the named client's"
    assert app.form("par", app.request()).status_code == 401


@pytest.mark.abuse(40)
def test_what_was_pushed_cannot_be_changed_on_the_way(app: Application, camila: Visitor) -> None:
    """RFC 9126, section 4: parameters beside `request_uri` do not count."""
    app.code(camila)
    fields = {"client_id": app.client_id, "request_uri": push(app, scope="openid"), "scope": "openid run", "state": "x"}
    answer = app.answer(camila.client.get("/sso/authorize", fields))
    assert answer["state"] == app.state and app.exchange(answer["code"]).json()["scope"] == "openid"


@pytest.mark.abuse(40)
def test_a_pushed_request_belongs_to_the_first_browser(app: Application, camila: Visitor) -> None:
    """A name that leaks on the way is of no use to who comes second."""
    app.code(camila)
    pushed = push(app, prompt="consent")
    assert follow(camila, app, pushed).status_code == 302
    assert follow(signed_in(*DIEGO), app, pushed).status_code == 400
    assert follow(camila, app, pushed).status_code == 302, "the person may go back"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"request": "x"}, "invalid_request_object"),
    ],
)
def test_what_is_wrong_is_told_when_it_is_pushed(app: Application, asked: dict[str, str | None], error: str) -> None:
    """RFC 9126, section 2.3."""
    response = app.post("par", app.request(**asked))
    assert response.status_code == 400 and response.json()["error"] == error
    assert not PendingAuthorization.objects.exists()


def test_an_object_may_be_pushed(signing: Application, signer: Signer, camila: Visitor) -> None:
    """RFC 9126, section 3; section 2: the endpoint itself may be the assertion's audience."""
    signing.code(camila)
    proof = signer.assertion(signing, aud=f"{issuer()}/sso/par")
    fields = {"client_id": signing.client_id, "request": signer.request_object(signing), **proof}
    pushed = signing.form("par", fields).json()["request_uri"]
    assert "code" in signing.answer(follow(camila, signing, pushed))


def test_who_must_push_cannot_do_without(demo: None, camila: Visitor) -> None:
    """RFC 9126, section 6, require_pushed_authorization_requests; by GET, by POST, by object."""
    app = Application(requires_pushed_requests=True)
    assert app.answer(camila.client.get(app.url()))["error"] == "invalid_request"
    assert app.answer(camila.client.post("/sso/authorize", app.request()))["error"] == "invalid_request"
    assert follow(camila, app, push(app)).status_code == 302


def test_no_proof_of_the_client_is_stored_with_its_request(app: Application) -> None:
    push(app)
    stored = PendingAuthorization.objects.get()
    assert app.secret not in str(stored.parameters) and "client_secret" not in stored.parameters
