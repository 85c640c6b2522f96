"""Guesses sent at the same moment, and what strangers' guesses do to everybody else (abuse cases 48 and 66)."""

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from django.db import connection
from pytest_django import Settings

from clave.audit.models import Entry
from clave.backoffice import operator_accounts
from clave.credentials import hashing, throttling
from clave.credentials import service as credentials
from clave.credentials.models import Attempts
from clave.credentials.throttling import CaptchaNeeded, TooManyAttempts
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity
from clave.lib.clock import Stopped
from clave.lib.clock import now as clock_now
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.selfservice import proofs
from clave.selfservice.recover import service as recover
from tests.story import Mailbox, Visitor
from tests.test_races import at_once

pytestmark = pytest.mark.slow

CAMILA, KEY, MAIL = "11111111-1", "KM482915", "camila.rojas@example.cl"
AUSTRAL = ClaimedIdentity("PJ", "76543210-3")


def stranger(number: int) -> RequestContext:
    return RequestContext(f"198.51.100.{number % 250}", f"browser {number}")


def neighbour(number: int) -> RequestContext:
    return RequestContext("198.51.100.251", f"browser {number}")


def guess_key(number: int) -> object:
    return credentials.try_key(ClaimedIdentity("PN", CAMILA), f"AA{100000 + number}", stranger(number), "signin")


def guess_key_for_attendance(number: int) -> object:
    attempt = credentials.look_up(ClaimedIdentity("PN", CAMILA), stranger(number))
    return credentials.verify(attempt, f"AA{100000 + number}")


def guess_answer(number: int) -> object:
    return recover.check_answer(ClaimedIdentity("PN", CAMILA), f"mascota {number}", stranger(number))


def guess_birth_date(number: int) -> object:
    return proofs.by_birth(ClaimedIdentity("PN", CAMILA), date(1950, 1, 1 + number % 28), MAIL, stranger(number))


def guess_serial(number: int) -> object:
    return recover.check_card(
        ClaimedIdentity("PN", CAMILA), Rut.parse(CAMILA), f"{200000000 + number}", neighbour(number)
    )


def guess_serial_from_everywhere(number: int) -> object:
    return recover.check_card(
        ClaimedIdentity("PN", CAMILA), Rut.parse(CAMILA), f"{200000000 + number}", stranger(number)
    )


def guess_representative(number: int) -> None:
    recover.check_representative(AUSTRAL, Rut.parse("11111111-1"), neighbour(number))


def guess_operator(number: int) -> object:
    return operator_accounts.sign_in(
        "agente@mesa.example.cl", f"una clave cualquiera {number}", "000000", stranger(number)
    )


@pytest.mark.abuse(66)
@pytest.mark.parametrize(
    ("guess", "free"),
    [
        (guess_key, throttling.KEY.free),
        (guess_key_for_attendance, throttling.KEY.free),
        (guess_answer, throttling.ANSWER.free),
        (guess_birth_date, throttling.ANSWER.free),
        (guess_serial, throttling.ANSWER.free),
        (guess_serial_from_everywhere, throttling.ALL_NETWORKS.free),
        (guess_representative, throttling.ANSWER.free),
        (guess_operator, throttling.KEY.free),
    ],
)
def test_of_many_guesses_at_once_no_more_are_judged_than_are_free(
    committed: None, guess: Callable[[int], object], free: int
) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    results = at_once([partial(guess, n) for n in range(tries)])
    judged = [result for result in results if not isinstance(result, TooManyAttempts)]
    assert 1 <= len(judged) <= free, results
    assert all(isinstance(result, Exception) for result in judged)


@pytest.mark.abuse(66)
def test_right_keys_at_once_are_all_right(committed: None) -> None:
    """A double click, two tabs: what is right does not use itself up."""
    tries = [partial(credentials.try_key, ClaimedIdentity("PN", CAMILA), KEY, stranger(n), "signin") for n in range(4)]
    assert all(isinstance(result, credentials.Proof) for result in at_once(tries))
    assert not Attempts.objects.filter(holder=None, pending__gt=0).exists()


@pytest.mark.abuse(66)
def test_a_try_whose_process_died_counts_for_a_minute_only(demo: None, clock: Stopped) -> None:
    context = stranger(1)
    for _ in range(throttling.ANSWER.free):
        throttling.limits("answer", CAMILA, context, throttling.ANSWER).reserve()
    with pytest.raises(TooManyAttempts):
        throttling.limits("answer", CAMILA, context, throttling.ANSWER).reserve()
    clock.move(seconds=61)
    throttling.limits("answer", CAMILA, context, throttling.ANSWER).reserve()


@pytest.mark.abuse(66)
def test_a_registry_that_is_away_uses_up_no_tries(visitor: Visitor) -> None:
    from clave.sandbox import services

    services.set_behaviour("sii", "down")
    for number in range(6):
        with pytest.raises(recover.RegistryAway):
            recover.check_representative(AUSTRAL, Rut.parse("33333333-3"), stranger(number))
    services.set_behaviour("sii", "ok")
    from clave.registries import sii

    sii._registry.cache_clear()
    recover.check_representative(AUSTRAL, Rut.parse("33333333-3"), stranger(9))


@pytest.mark.abuse(66)
@pytest.mark.parametrize("path", ["/ingresar", "/persona/cambiar", "/persona/actualizar"])
def test_key_tries_are_audited_and_told_wherever_they_are_made(visitor: Visitor, mailbox: Mailbox, path: str) -> None:
    for number in range(throttling.KEY.free):
        visitor.open(path)
        visitor.send(rut=CAMILA, key=f"AA00000{number}")
        if path == "/ingresar":
            visitor.send(rut=CAMILA, key=f"AA00000{number}")
    camila = Holder.objects.get(identifier=CAMILA)
    refused = Entry.objects.filter(subject=str(camila.pk), outcome="wrong_key")
    assert refused.count() == throttling.KEY.free
    assert mailbox.last(MAIL)["subject"] == "Muchos intentos con su Clave SENCE"


@pytest.mark.abuse(66)
def test_answers_tried_while_updating_are_audited_and_told(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/persona/actualizar")
    visitor.send(rut=CAMILA, key=KEY)
    for number in range(throttling.ANSWER.free):
        visitor.send(question="mascota", answer=f"Firulais {number}")
    assert Entry.objects.filter(action="data.proof", outcome="wrong_answer").count() == throttling.ANSWER.free
    assert mailbox.last(MAIL)["subject"] == "Muchos intentos con su Clave SENCE"


# What strangers do to everybody else


def spray(failures: int) -> None:
    """So many wrong keys from all over the world, as the site's counter sees them."""
    site = throttling.limits("key", "1-9", stranger(1)).wide[1][0]
    Attempts.objects.update_or_create(axis=site, defaults={"level": float(failures), "last_at": clock_now()})


@pytest.mark.abuse(48)
def test_a_spray_over_the_whole_site_stops_no_known_browser(visitor: Visitor, clock: Stopped) -> None:
    assert visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto")
    visitor.post("/salir", {})
    spray(5_004)
    assert visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto"), "no letters asked of a known browser"


@pytest.mark.abuse(48)
def test_under_a_spray_a_newcomer_gets_in_with_the_letters(visitor: Visitor, clock: Stopped) -> None:
    spray(5_004)
    page = visitor.sign_in(CAMILA, KEY)
    assert page.status == 400 and page.shows("las letras de la imagen")
    assert visitor.send(rut=CAMILA, key=KEY).shows("Camila Rojas Soto")


@pytest.mark.abuse(48)
def test_a_busy_sites_ordinary_mistakes_never_add_up(demo: None, clock: Stopped) -> None:
    """Three mistakes a second for an hour: the counter leaks faster than they come."""
    site = throttling.limits("key", "x", stranger(1)).wide[1]
    for _ in range(60):
        for _ in range(18):
            throttling._raise_level(*site)
        clock.move(seconds=6)
    assert throttling.SITE.level(Attempts.objects.get(axis=site[0])) < 18


@pytest.mark.abuse(48)
def test_a_network_that_many_share_is_only_asked_for_letters_and_forgets(demo: None, clock: Stopped) -> None:
    context = RequestContext("203.0.113.200", "b")
    for number in range(60):
        throttling.limits("key", f"{number}", context).fail()
    limits = throttling.limits("key", "somebody", context)
    with pytest.raises(CaptchaNeeded):
        limits.reserve(human=False)
    limits.reserve(human=True)
    clock.move(hours=1, minutes=1)
    throttling.limits("key", "another", context).reserve(human=False)


def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(visitor: Visitor, settings: Settings) -> None:
    before = Holder.objects.get(identifier=CAMILA).credential.hash
    settings.ARGON2_MEMORY_KIB = 128
    assert visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto")
    after = Holder.objects.get(identifier=CAMILA).credential
    assert after.hash != before and "m=128" in after.hash and not hashing.needs_rehash(after.hash)
    assert after.version == 1 and visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto")
