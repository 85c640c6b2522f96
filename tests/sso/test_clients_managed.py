"""The life of a client: registered, changed, given secrets, suspended - by the rules, by the command."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clave.audit.models import Entry
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.sso import clients
from clave.sso.models import Client
from tests.sso.application import Application, signed_in
from tests.story import Visitor


def run(*words: str) -> Any:
    """Run `manage.py sso_client` and return what it prints as JSON."""
    out = StringIO()
    call_command("sso_client", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def app(demo: None) -> Application:
    return Application()


@pytest.fixture
def camila(demo: None) -> Visitor:
    return signed_in()


def test_the_command_registers_shows_lists_and_changes(demo: None) -> None:
    made = run("create", "--name", "Aula Sur", "--redirect-uri", "https://sur.example.cl/volver", "--scope", "openid")
    shown = run("show", made["client_id"])
    assert shown["name"] == "Aula Sur" and shown["scopes"] == ["openid"] and "client_secret" not in shown
    assert [each["name"] for each in run("list", "aula s")] == ["Aula Sur"]
    assert run("update", made["client_id"], "--name", "Aula Norte", "--no-pkce")["name"] == "Aula Norte"
    kept = run("show", made["client_id"])
    assert kept["requires_pkce"] is False and kept["redirect_uris"] == ["https://sur.example.cl/volver"]
    changed = Entry.objects.filter(action="sso.client_changed").latest("pk")
    assert changed.detail["fields"] == "name requires_pkce"


def test_the_command_says_what_is_wrong_by_field_and_changes_nothing(demo: None) -> None:
    made = run("create", "--name", "Aula", "--redirect-uri", "https://sur.example.cl/volver")
    with pytest.raises(CommandError, match=r"redirect_uris: https://\*\.example\.cl"):
        call_command("sso_client", "update", made["client_id"], "--redirect-uri", "https://*.example.cl/")
    with pytest.raises(CommandError, match="no such application"):
        call_command("sso_client", "show", "nadie")
    assert Client.objects.get(client_id=made["client_id"]).redirect_uris == ["https://sur.example.cl/volver"]


def test_people_stay_the_same_ones_to_a_client_whose_address_changes(app: Application, camila: Visitor) -> None:
    before = app.read(app.tokens(camila)["id_token"])["sub"]
    app.client = clients.update(app.client, {"redirect_uris": ["https://nueva.example.cl/volver"]}, SYSTEM)
    assert app.read(app.tokens(camila)["id_token"])["sub"] == before


def test_a_new_host_to_return_to_is_named_in_the_audit_trail(app: Application) -> None:
    addresses = ["https://app.example.cl/callback", "https://otra.example.cl/callback"]
    run("update", app.client_id, *(word for each in addresses for word in ("--redirect-uri", each)), "--sector", "x.cl")
    assert Entry.objects.filter(action="sso.client_changed").latest("pk").detail["new_hosts"] == "otra.example.cl"


def test_in_a_rotation_both_secrets_are_valid_for_seven_days(app: Application, clock: Stopped) -> None:
    new = run("rotate-secret", app.client_id)["client_secret"]
    clock.move(days=6, hours=23)
    assert clients.has_secret(app.client, app.secret) and clients.has_secret(app.client, new)
    clock.move(hours=1, seconds=1)
    assert not clients.has_secret(app.client, app.secret) and clients.has_secret(app.client, new)


def test_there_are_never_three_valid_secrets(app: Application) -> None:
    second = clients.rotate_secret(app.client, SYSTEM)
    third = clients.rotate_secret(app.client, SYSTEM)
    assert not clients.has_secret(app.client, app.secret)
    assert clients.has_secret(app.client, second) and clients.has_secret(app.client, third)


def test_rotating_again_does_not_lengthen_the_life_of_the_former_secret(app: Application, clock: Stopped) -> None:
    clients.rotate_secret(app.client, SYSTEM)
    clock.move(days=5)
    clients.end_former_secret(app.client, SYSTEM)
    second = clients.rotate_secret(app.client, SYSTEM)
    clock.move(days=7, seconds=1)
    assert [clients.has_secret(app.client, each) for each in (app.secret, second)] == [False, True]


def test_a_secret_that_became_known_ends_at_once(app: Application) -> None:
    new = run("rotate-secret", app.client_id, "--at-once")["client_secret"]
    assert not clients.has_secret(app.client, app.secret) and clients.has_secret(app.client, new)


def test_the_former_secret_can_be_ended_early(app: Application) -> None:
    new = run("rotate-secret", app.client_id)["client_secret"]
    assert run("end-former-secret", app.client_id)["ended"] == 1
    assert not clients.has_secret(app.client, app.secret) and clients.has_secret(app.client, new)
    assert run("end-former-secret", app.client_id)["ended"] == 0, "the newest one stays"


def test_suspending_ends_all_tokens_and_resuming_does_not_bring_them_back(app: Application, camila: Visitor) -> None:
    tokens = app.tokens(camila, scope="openid offline_access")
    run("suspend", app.client_id)
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert camila.open(app.url()).status == 400, "nobody gets in"
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"
    run("resume", app.client_id)
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert "access_token" in app.tokens(camila)


def test_a_code_of_before_the_suspension_is_worth_nothing_after_it(app: Application, camila: Visitor) -> None:
    code = app.code(camila)
    run("suspend", app.client_id)
    run("resume", app.client_id)
    assert app.exchange(code).json()["error"] == "invalid_grant"


def test_a_client_that_proves_itself_in_another_way_loses_its_secrets(app: Application) -> None:
    run("update", app.client_id, "--kind", "public")
    run("update", app.client_id, "--kind", "secret")
    assert not clients.has_secret(app.client, app.secret)


def test_a_client_without_secret_is_given_none(demo: None) -> None:
    public = Application(kind="public")
    with pytest.raises(CommandError, match="no usa secreto"):
        call_command("sso_client", "rotate-secret", public.client_id)


def test_secrets_are_kept_hashed(app: Application) -> None:
    stored = app.client.secrets.get()
    assert app.secret not in repr(vars(stored)) and len(stored.hash) == 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "Aula \x00"),
        ("name", "a" * 81),
        ("contact", "no es un correo"),
        ("home_url", "ftp://example.cl/"),
        ("redirect_uris", []),
        ("redirect_uris", ["https://app.example.cl/#parte"]),
        ("redirect_uris", ["https://app.example.cl/a", "https://app.example.cl/a"]),
        ("redirect_uris", [f"https://app.example.cl/{n}" for n in range(51)]),
        ("redirect_uris", ["javascript:alert(1)"]),
        ("redirect_uris", ["https://[app.example.cl/"]),
        ("redirect_uris", ["https://app.example.cl:99999/", "https://otra.example.cl/"]),
        ("redirect_uris", ["https://app.example.cl;x/"]),
        ("home_url", "https://["),
        ("redirect_uris", ["https://usuario:clave@app.example.cl/"]),
        ("redirect_uris", ["https://app.example.cl/x\n"]),
        ("scopes", []),
        ("scopes", ["openid", "todo"]),
        ("profiles", ["XX"]),
        ("sector", "no es un sector"),
        ("kind", "otro"),
        ("id_token_algorithm", "none"),
        ("jwks", {"keys": []}),
        ("jwks", {"keys": [{"kty": "oct", "k": "c2VjcmV0byBsYXJnbyBkZSB1bmEgcHJ1ZWJh"}]}),
        ("jwks", {"a": "\x00"}),
        ("backchannel_logout_uri", "app.example.cl"),
    ],
)
def test_settings_that_break_a_rule_are_refused_beside_their_field(app: Application, field: str, value: object) -> None:
    with pytest.raises(clients.Unfit) as refused:
        clients.update(app.client, {field: value}, SYSTEM)
    assert set(refused.value.problems) == {field}
    assert getattr(Client.objects.get(pk=app.client.pk), field) == getattr(app.client, field)
