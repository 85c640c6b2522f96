"""Refresh, introspection, revocation. Source: RFC 6749, section 6; RFC 7662; RFC 7009; RFC 9700, section 4.14."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from clave.audit.models import Entry
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.sso import consents, id_tokens, tokens
from clave.sso.models import Grant
from tests.sso.application import Application, Fields
from tests.story import Visitor

OFFLINE = "openid email offline_access"


@pytest.fixture
def held(app: Application, clock: Stopped, camila: Visitor) -> Fields:
    return app.tokens(camila, scope=OFFLINE)


def test_a_refreshed_id_token_says_the_same_of_the_sign_in(app: Application, clock: Stopped, held: Fields) -> None:
    """OpenID Connect Core 1.0, section 12.2; the module refresh-token."""
    before = app.read(held["id_token"])
    clock.move(minutes=9)
    refreshed = app.refresh(held["refresh_token"]).json()
    after = app.read(refreshed["id_token"])
    for name in ("iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"):
        assert after[name] == before[name], name
    assert after["iat"] == before["iat"] + 540 and after["exp"] > before["exp"] and "nonce" not in after
    assert after["at_hash"] == id_tokens.half_hash(refreshed["access_token"])


def test_without_offline_access_there_is_no_refresh_token(app: Application, camila: Visitor) -> None:
    """OpenID Connect Core 1.0, section 11."""
    assert "refresh_token" not in app.tokens(camila, scope="openid email")


def test_a_refresh_token_is_bound_to_its_client(app: Application, held: Fields) -> None:
    """RFC 6749, section 10.4; the module refresh-token with its second client."""
    other = Application(redirect_uris=app.client.redirect_uris)
    assert other.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(held["refresh_token"]).status_code == 200


def test_no_more_scope_than_was_granted(app: Application, held: Fields) -> None:
    """RFC 6749, section 6."""
    assert app.refresh(held["refresh_token"], scope="openid run").json()["error"] == "invalid_scope"
    assert app.refresh(held["refresh_token"], scope="openid email").status_code == 200


@pytest.mark.abuse(40)
def test_a_replaced_refresh_token_ends_the_family(
    app: Application, settings: LazySettings, clock: Stopped, held: Fields
) -> None:
    """RFC 9700, section 4.14.2, also within the same second (Keycloak 51885), and it is audited."""
    settings.SSO_REFRESH_GRACE_SECONDS = 0
    second = app.refresh(held["refresh_token"]).json()
    assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.userinfo(second["access_token"]).status_code == 401
    assert Entry.objects.filter(action="sso.reused").count() == 1


@pytest.mark.abuse(40)
def test_within_the_grace_only_the_last_one_is_answered_again(app: Application, clock: Stopped, held: Fields) -> None:
    """A lost answer is told again; one further back is misuse at any time."""
    first = held["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    assert app.refresh(first).json()["refresh_token"] == second
    third = app.refresh(second).json()["refresh_token"]
    assert app.refresh(first).json()["error"] == "invalid_grant"
    assert app.refresh(third).json()["error"] == "invalid_grant"


@pytest.mark.abuse(40)
def test_a_new_process_revives_nothing(app: Application, clock: Stopped, held: Fields) -> None:
    """Keycloak 49426, CVE-2026-9802: what a token is worth stands in the store, not in a process."""
    from clave.sso import grants, signing_keys

    app.refresh(held["refresh_token"])
    clock.move(seconds=31)
    for lookup in (grants._WITH_OWNER, grants._LOCKED):
        lookup.__dict__.pop("_compiled", None)
    signing_keys._parsed.cache_clear()
    assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert grants.of_refresh_token(tokens.new_refresh(Grant.objects.get().pk, 2)) is None


@pytest.mark.parametrize("days", [29, 30])
def test_a_grant_ends_after_thirty_days(app: Application, clock: Stopped, held: Fields, days: int) -> None:
    clock.move(days=days)
    assert (app.refresh(held["refresh_token"]).status_code == 200) is (days < 30)


@pytest.mark.abuse(40)
def test_a_token_is_none_of_another_kind_and_not_to_be_changed(app: Application, held: Fields) -> None:
    """Access, refresh and ID tokens, and signatures moved about."""
    access, refresh = held["access_token"], held["refresh_token"]
    payload, _, seal = refresh.rpartition(".")
    forged = [access, held["id_token"], refresh[:-1], refresh + "A", f"{payload}:{seal}", f"x{refresh}", f".{refresh}"]
    forged += [f"{access.rpartition('.')[0]}.{seal}", "." + seal, "", ".", ":", "\x00", "é", "x" * 9000]
    for token in forged:
        assert app.refresh(token).json()["error"] in ("invalid_grant", "invalid_request"), token
        assert app.userinfo(token.encode().decode("latin-1").replace("\x00", "%00")).status_code == (
            200 if token == access else 401
        )
    assert app.refresh(refresh).status_code == 200


def test_a_token_is_introspected_by_its_client(app: Application, held: Fields) -> None:
    """RFC 7662, section 2.2."""
    facts = app.introspect(held["access_token"])
    assert facts["active"] is True and facts["client_id"] == app.client_id and facts["scope"] == OFFLINE
    assert facts["token_type"] == "Bearer" and facts["exp"] and facts["sub"] == app.read(held["id_token"])["sub"]
    assert app.introspect(held["refresh_token"])["token_type"] == "refresh_token"


@pytest.mark.abuse(40)
def test_others_learn_nothing_of_a_token(app: Application, held: Fields) -> None:
    """RFC 7662, sections 2.1, 2.2 and 4: only resource servers, and whoever proves who it is."""
    other, server = Application(), Application(is_resource_server=True)
    public = Application(kind="public")
    for token in (held["access_token"], held["refresh_token"], "x", "", held["id_token"]):
        assert other.introspect(token) == {"active": False}
        assert public.post("introspect", {"token": token}).status_code == 401
        assert app.form("introspect", {"token": token}).status_code == 401
    assert server.introspect(held["access_token"])["active"] is True


def test_a_revoked_refresh_token_takes_all_with_it(app: Application, held: Fields) -> None:
    """RFC 7009, section 2.1."""
    response = app.post("revoke", {"token": held["refresh_token"]})
    assert response.status_code == 200 and not response.content
    assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.userinfo(held["access_token"]).status_code == 401
    assert app.post("revoke", {"token": held["refresh_token"]}).status_code == 200, "it is as good as revoked"


def test_a_revoked_access_token_leaves_the_refresh_token(app: Application, held: Fields) -> None:
    """RFC 7009, section 2.1."""
    app.post("revoke", {"token": held["access_token"], "token_type_hint": "refresh_token"})
    assert app.userinfo(held["access_token"]).status_code == 401
    renewed = app.refresh(held["refresh_token"]).json()["access_token"]
    assert app.userinfo(renewed).status_code == 200


@pytest.mark.abuse(40)
def test_nobody_revokes_anothers_tokens(app: Application, held: Fields) -> None:
    """RFC 7009, section 2.1: the client of the token; what is none is answered alike."""
    other = Application()
    for token in (held["refresh_token"], held["access_token"], "x", ""):
        assert other.post("revoke", {"token": token}).status_code == 200
    assert app.userinfo(held["access_token"]).status_code == 200
    assert app.form("revoke", {"token": held["refresh_token"]}).status_code == 401


@pytest.mark.abuse(40)
def test_a_withdrawn_consent_ends_codes_and_tokens(app: Application, camila: Visitor, held: Fields) -> None:
    code = app.code(camila)
    consents.withdraw(Grant.objects.first().holder, app.client, SYSTEM)  # type: ignore[union-attr]
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.abuse(40)
def test_tokens_live_on_under_a_new_secret_key_and_not_without_the_former(
    app: Application, settings: LazySettings, held: Fields
) -> None:
    """Abuse case 82 for tokens: signed before, read under the fallbacks."""
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another secret key, long enough to be one " * 2, [former]
    assert app.userinfo(held["access_token"]).status_code == 200
    renewed: Any = app.refresh(held["refresh_token"]).json()
    call_command("rekey")
    settings.SECRET_KEY_FALLBACKS = []
    assert app.userinfo(held["access_token"]).status_code == 401
    assert app.userinfo(renewed["access_token"]).status_code == 200


@pytest.mark.abuse(40)
def test_a_deleted_holders_tokens_are_gone(app: Application, camila: Visitor, held: Fields) -> None:
    from clave.holders.models import Holder
    from clave.privacy import service as privacy

    privacy.erase(Holder.objects.get(identifier="11111111-1"), SYSTEM)
    assert app.userinfo(held["access_token"]).status_code == 401
    assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert not Grant.objects.exists()
