"""Several at once at the token endpoint and before it (abuse case 40): the database decides."""

from collections.abc import Callable
from functools import partial

import pytest
from django.conf import LazySettings
from django.db import connection

from clave.lib.request_context import SYSTEM
from clave.sso import client_keys, consents, grants, signing_keys
from clave.sso.grants import IssuedTokens
from clave.sso.models import Consent, Grant, PendingAuthorization, SigningKey
from clave.sso.oauth_errors import OAuthError
from tests.sso.application import Application, Fields, signed_in
from tests.sso.signer import Signer
from tests.story import Visitor
from tests.test_races import done_at_once

pytestmark = pytest.mark.slow

OFFLINE = "openid offline_access"


@pytest.fixture
def app(committed: None) -> Application:
    return Application()


@pytest.fixture
def camila(committed: None) -> Visitor:
    return signed_in()


def tab(person: Visitor) -> Visitor:
    """Return another tab of somebody's browser."""
    other = Visitor()
    other.client.cookies.update(person.client.cookies)
    return other


def many() -> int:
    """SQLite lets one write at a time, so fewer say as much."""
    return 100 if connection.vendor == "postgresql" else 20


def exchanging(app: Application, code: str) -> Callable[[], IssuedTokens | OAuthError]:
    return partial(grants.redeem_code, app.client, code, app.client.redirect_uris[0], app.verifier, "", SYSTEM)


def refreshing(app: Application, token: str) -> Callable[[], IssuedTokens | OAuthError]:
    return partial(grants.refresh, app.client, token, "", "", SYSTEM)


def issued(results: list[IssuedTokens | OAuthError]) -> list[IssuedTokens]:
    return [result for result in results if isinstance(result, IssuedTokens)]


@pytest.mark.abuse(40)
def test_of_many_exchanges_of_one_code_one_succeeds_and_then_nothing_is_left(app: Application, camila: Visitor) -> None:
    """RFC 9700, section 4.5: who wins cannot be told from a thief, so the tokens end."""
    code = app.code(camila, scope=OFFLINE)
    won = issued(done_at_once([exchanging(app, code)] * many()))
    assert len(won) == 1
    assert grants.of_access_token(won[0].access) is None and grants.of_refresh_token(won[0].refresh) is None


@pytest.mark.abuse(40)
def test_of_many_refreshes_at_once_all_are_told_the_same_successor(app: Application, camila: Visitor) -> None:
    """Within the grace a client that asks twice keeps its tokens (Keycloak 45647 revoked them)."""
    token = app.tokens(camila, scope=OFFLINE)["refresh_token"]
    results = done_at_once([refreshing(app, token)] * many())
    assert len(issued(results)) == len(results) and len({each.refresh for each in issued(results)}) == 1
    assert Grant.objects.get().generation == 2


@pytest.mark.abuse(40)
def test_without_grace_one_refresh_succeeds_and_the_family_ends(
    app: Application, camila: Visitor, settings: LazySettings
) -> None:
    """CVE-2026-1035: a token that may be used once is used once."""
    settings.SSO_REFRESH_GRACE_SECONDS = 0
    token = app.tokens(camila, scope=OFFLINE)["refresh_token"]
    won = issued(done_at_once([refreshing(app, token)] * many()))
    assert len(won) == 1 and Grant.objects.get().revoked_at
    assert grants.of_access_token(won[0].access) is None and grants.of_refresh_token(won[0].refresh) is None


@pytest.mark.abuse(40)
@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_after_a_revocation_is_answered_nothing_issued_beside_it_lives(
    app: Application, camila: Visitor, which: str
) -> None:
    """Keycloak 51312: a refresh that raced a revocation left a live token."""
    for _ in range(10):
        held = app.tokens(camila, scope=OFFLINE)
        jobs: list[Callable[[], object]] = [refreshing(app, held["refresh_token"]) for _ in range(6)]
        jobs.insert(3, partial(grants.revoke, app.client, held[which], SYSTEM))
        done_at_once(jobs)
        assert grants.of_access_token(held["access_token"]) is None
        again = grants.refresh(app.client, held["refresh_token"], "", "", SYSTEM)
        assert isinstance(again, OAuthError) is (which == "refresh_token")
        if which == "refresh_token":
            assert Grant.objects.latest("created_at").revoked_at


@pytest.mark.abuse(40)
def test_a_consent_that_is_withdrawn_meets_no_code_that_is_being_issued(app: Application, camila: Visitor) -> None:
    """Whatever the order: after the answer no grant is live."""
    for _ in range(5):
        app.code(camila)
        holder = Grant.objects.latest("created_at").holder
        person = [tab(camila) for _ in range(3)]
        jobs: list[Callable[[], object]] = [partial(each.client.get, app.url()) for each in person]
        jobs.append(partial(consents.withdraw, holder, app.client, SYSTEM))
        done_at_once(jobs)
        assert not Consent.objects.exists() and not Grant.objects.filter(revoked_at=None).exists()


@pytest.mark.abuse(40)
def test_of_many_uses_of_one_assertion_one_is_the_first(committed: None) -> None:
    """RFC 7523, section 3, item 7; RFC 9449, section 11.1; Keycloak 47715."""
    jobs = [partial(client_keys.is_first_use, "assertion", "client", "jti")] * many()
    assert sum(done_at_once(jobs)) == 1


@pytest.mark.abuse(40)
def test_of_many_exchanges_with_one_proof_one_is_heard(committed: None, camila: Visitor) -> None:
    """The same through the front door: one proof, many codes."""
    signer = Signer()
    app = Application(kind="key", jwks=signer.jwks)
    proof = signer.assertion(app)
    answers = done_at_once([partial(app.exchange, f"code{n}", **proof) for n in range(12)])
    errors = [answer.json()["error"] for answer in answers]
    assert sorted(errors) == ["invalid_client"] * 11 + ["invalid_grant"]


@pytest.mark.abuse(40)
def test_of_many_uses_of_a_pushed_request_one_gets_a_code(app: Application, camila: Visitor) -> None:
    """RFC 9126, section 7.3."""
    app.code(camila)
    Grant.objects.all().delete()
    pushed = app.post("par", app.request()).json()["request_uri"]
    asked: Fields = {"client_id": app.client_id, "request_uri": pushed}
    people = [tab(camila) for _ in range(12)]
    answers = done_at_once([partial(person.client.get, "/sso/authorize", asked) for person in people])
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 11
    assert Grant.objects.count() == 1


@pytest.mark.abuse(40)
def test_a_pushed_request_that_two_browsers_bring_at_once_is_one_browsers(app: Application) -> None:
    """Whoever comes second is told that it belongs to another."""
    pushed = app.post("par", app.request()).json()["request_uri"]
    asked: Fields = {"client_id": app.client_id, "request_uri": pushed}
    answers = done_at_once([partial(Visitor().client.get, "/sso/authorize", asked) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [302] + [400] * 7
    assert PendingAuthorization.objects.get().browser


@pytest.mark.abuse(40)
def test_a_double_click_on_the_consent_page_leaves_the_person_with_a_code_that_works(
    app: Application, camila: Visitor
) -> None:
    """Both answers lead back, and the browser follows the last one; one consent is kept."""
    page = camila.open(app.url())
    people = [tab(camila) for _ in range(4)]
    answers = done_at_once([partial(person.client.post, page.url, {"permitir": "1"}) for person in people])
    codes = {app.answer(answer)["code"] for answer in answers}
    assert len(codes) == 4 and Consent.objects.count() == 1
    assert app.exchange(codes.pop()).status_code == 200
    assert PendingAuthorization.objects.get().answered_at


@pytest.mark.abuse(40)
def test_the_first_key_is_made_once_however_many_need_it(app: Application) -> None:
    """Each would have signed with its own, unknown to who had just fetched the set."""
    assert not SigningKey.objects.exists()
    keys = done_at_once([partial(signing_keys.current, "ES256")] * 20)
    assert len({key.kid for key in keys}) == 1 and SigningKey.objects.count() == 1


@pytest.mark.abuse(40)
def test_the_first_tokens_of_all_verify_with_the_set_that_is_fetched(app: Application, camila: Visitor) -> None:
    """Twenty first exchanges at once, when there is no key yet."""
    codes = [app.code(camila) for _ in range(20)]
    SigningKey.objects.all().delete()
    answers = done_at_once([partial(app.exchange, code) for code in codes])
    assert [answer.status_code for answer in answers] == [200] * 20
    assert all(app.read(answer.json()["id_token"])["aud"] == app.client_id for answer in answers)
    assert SigningKey.objects.filter(algorithm="ES256").count() == 1
