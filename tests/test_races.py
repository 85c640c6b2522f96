"""Several at once: exactly one wins, the others are told the truth (abuse case 12)."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import pytest
from django.db import connection, connections

from clave.credentials import service as credentials
from clave.credentials.models import Attempts
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity, claim_of
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications.models import Message
from clave.selfservice.change import service as change
from clave.signin.models import Session
from tests.story import REGISTRATION, Page, Visitor

CAMILA = "11111111-1"
Result = TypeVar("Result")


def at_once(jobs: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Run the jobs behind one barrier; return what each returned or raised."""
    barrier = threading.Barrier(len(jobs))
    results: dict[int, Result | Exception] = {}

    def run(place: int, job: Callable[[], Result]) -> None:
        barrier.wait()
        try:
            results[place] = job()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(jobs))]


def done_at_once(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run the jobs so; return what each returned. None of them may raise."""
    results = at_once(jobs)
    done = [result for result in results if not isinstance(result, Exception)]
    assert len(done) == len(jobs), results
    return done


def posting(visitor: Visitor, data: dict[str, str]) -> Callable[[], Page]:
    return lambda: Page(visitor.client.post(visitor.page.url, data, follow=True))


@pytest.mark.abuse(12)
def test_two_registrations_of_one_rut_make_one_account_and_one_clear_message(committed: None) -> None:
    jobs = []
    for number in range(6):
        visitor = Visitor(f"198.51.100.{number}")
        visitor.open("/persona/registrarse")
        jobs.append(posting(visitor, visitor.fill(**{**REGISTRATION, "email": f"p{number}@example.cl"})))
    pages = at_once(jobs)
    texts = [page.text for page in pages if isinstance(page, Page)]
    assert len(texts) == 6, pages
    assert sum("Su cuenta fue creada" in text for text in texts) == 1
    assert sum("Esta cuenta ya tiene Clave SENCE" in text for text in texts) == 5
    assert Holder.objects.filter(identifier="44444444-4").count() == 1
    assert Message.objects.filter(template="welcome", channel="email").count() == 1


@pytest.mark.abuse(11, 12)
def test_of_many_uses_of_one_temporary_key_one_wins(committed: None) -> None:
    camila = Holder.objects.get(identifier=CAMILA)
    key, _ = credentials.issue_temporary(camila)
    tries = 100 if connection.vendor == "postgresql" else 20
    proofs = [change.prove(ClaimedIdentity("PN", CAMILA), key, RequestContext(f"198.51.100.{n}")) for n in range(tries)]
    results = at_once(
        [partial(change.change, p, f"NW60{4000 + n}AB", RequestContext("203.0.113.1")) for n, p in enumerate(proofs)]
    )
    won = [result for result in results if isinstance(result, change.KeyChanged)]
    assert len(won) == 1
    assert all(isinstance(result, credentials.KeyAlreadyChanged) for result in results if result not in won), results


@pytest.mark.abuse(12)
def test_of_two_changes_with_the_same_key_one_wins(committed: None) -> None:
    proofs = [change.prove(ClaimedIdentity("PN", CAMILA), "KM482915", RequestContext("203.0.113.1")) for _ in range(8)]
    results = at_once(
        [partial(change.change, p, f"NW60482{n}", RequestContext("203.0.113.1")) for n, p in enumerate(proofs)]
    )
    assert sum(isinstance(result, change.KeyChanged) for result in results) == 1
    assert sum(isinstance(result, credentials.KeyAlreadyChanged) for result in results) == 7, results


@pytest.mark.abuse(12)
def test_of_two_recoveries_at_once_the_last_key_counts(committed: None) -> None:
    camila = Holder.objects.get(identifier=CAMILA)
    issued = [
        result[0] for result in at_once([lambda: credentials.issue_temporary(camila)] * 5) if isinstance(result, tuple)
    ]
    assert len(issued) >= 1
    working = 0
    for number, key in enumerate(issued):
        try:
            credentials.verify(credentials.look_up(claim_of(camila), RequestContext(f"192.0.2.{number}")), key)
            working += 1
        except Refused:
            pass
    assert working == 1


def test_a_double_click_does_the_thing_once_and_both_see_the_result(committed: None) -> None:
    visitor = Visitor()
    visitor.open("/persona/registrarse")
    data = visitor.fill(**REGISTRATION)
    pages = at_once([posting(visitor, data) for _ in range(4)])
    assert all(isinstance(page, Page) and "Su cuenta fue creada" in page.text for page in pages), pages
    assert Message.objects.filter(template="welcome", channel="email").count() == 1


def test_failures_counted_at_once_are_all_counted(committed: None) -> None:
    from clave.credentials import throttling

    limits = throttling.limits("key", CAMILA, RequestContext("203.0.113.1"))
    at_once([limits.fail] * 10)
    assert Attempts.objects.get(axis=limits.axis).count == 10


def test_sessions_of_a_holder_end_even_while_others_begin(committed: None) -> None:
    visitors = [Visitor(f"198.51.100.{n}") for n in range(4)]
    for visitor in visitors:
        visitor.open("/ingresar")
    at_once([posting(visitor, visitor.fill(rut=CAMILA, key="KM482915")) for visitor in visitors])
    assert Session.objects.filter(holder__identifier=CAMILA).count() == 4
