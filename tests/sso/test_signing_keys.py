"""The keys that sign tokens (abuse case 40): rotated, forgotten, never mixed up. Source: OpenID Connect Core 1.0, 10.1."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.sso import jwts, signing_keys
from clave.sso.models import SigningKey
from clave.sso.tasks import rotate_keys_and_purge
from tests.sso.application import Application
from tests.story import Visitor


def kids(app: Application) -> set[str]:
    return {key["kid"] for key in app.http.get("/sso/jwks").json()["keys"]}


def kid_of(token: str) -> Any:
    header = jwts.header_of(token)
    assert header
    return header["kid"]


@pytest.mark.abuse(40)
def test_a_token_signed_before_a_rotation_verifies_after_it(app: Application, clock: Stopped, camila: Visitor) -> None:
    """Core, section 10.1.1: the former key stays published while its tokens are valid; the next one is there before."""
    before = app.tokens(camila)["id_token"]
    signing_keys.rotate()
    published = kids(app)
    during = app.tokens(camila)["id_token"]
    assert kid_of(during) == kid_of(before), "the next key does not sign yet"
    clock.move(days=1)
    after = app.tokens(camila)["id_token"]
    assert kid_of(after) != kid_of(before) and kid_of(after) in published, "clients have had a day to fetch it"
    for token in (before, during, after):
        assert app.read(token)["aud"] == app.client_id
        assert signing_keys.read(token)
    clock.move(days=2)
    assert kid_of(before) not in kids(app) and signing_keys.read(before) is None
    assert signing_keys.read(after)


@pytest.mark.abuse(40)
def test_a_key_that_became_known_is_worth_nothing_at_once(app: Application, clock: Stopped, camila: Visitor) -> None:
    """`rotate_keys --forget-old`: also for hints, and for a next key that was already published."""
    token = app.tokens(camila)["id_token"]
    signing_keys.rotate()
    known = kids(app)
    call_command("rotate_keys", forget_old=True, stdout=StringIO())
    assert not kids(app) & known and signing_keys.read(token) is None
    assert app.answer(camila.client.get(app.url(id_token_hint=token)))["error"] == "invalid_request"
    assert camila.client.get("/sso/logout", {"id_token_hint": token}).status_code == 400
    assert kid_of(app.tokens(camila)["id_token"]) in kids(app)


def test_at_once_signs_with_the_new_key_and_still_publishes_the_old(
    app: Application, clock: Stopped, camila: Visitor
) -> None:
    token = app.tokens(camila)["id_token"]
    call_command("rotate_keys", at_once=True, stdout=StringIO())
    assert kid_of(app.tokens(camila)["id_token"]) != kid_of(token) and signing_keys.read(token)


def test_a_key_that_was_passed_over_never_signs(app: Application, clock: Stopped, camila: Visitor) -> None:
    """The next key was published for tomorrow when another one took its place at once."""
    signing_keys.rotate()
    latest = {key.algorithm: key.kid for key in signing_keys.rotate(at_once=True)}[app.client.id_token_algorithm]
    for _ in range(4):
        assert kid_of(app.tokens(camila)["id_token"]) == latest
        clock.move(days=1)


def test_keys_rotate_by_themselves_every_ninety_days(app: Application, clock: Stopped) -> None:
    first = kids(app)
    clock.move(days=89)
    rotate_keys_and_purge.func()
    assert kids(app) == first
    clock.move(days=1)
    rotate_keys_and_purge.func()
    rotate_keys_and_purge.func()
    assert len(kids(app)) == 4 and kids(app) > first
    clock.move(days=3)
    rotate_keys_and_purge.func()
    assert len(kids(app)) == 2 and not kids(app) & first
    assert SigningKey.objects.count() == 2


def test_at_any_moment_one_key_of_each_kind_signs(app: Application, clock: Stopped) -> None:
    """A year of rotations, looked at every five days: never none, and what signs is published."""
    signing_keys.published()
    for _ in range(0, 365 * 24, 24 * 5):
        clock.move(days=5, hours=1)
        rotate_keys_and_purge.func()
        for algorithm in signing_keys.ALGORITHMS:
            key = signing_keys.current(algorithm)
            assert key in signing_keys.published() and key.signs_from <= clave_clock.now()


@pytest.mark.abuse(40)
def test_private_keys_are_encrypted_in_the_store(app: Application) -> None:
    signing_keys.published()
    with connection.cursor() as cursor:
        cursor.execute("SELECT private FROM sso_signingkey")
        stored = str(cursor.fetchall())
    assert '"d"' not in stored and '"kty"' not in stored
