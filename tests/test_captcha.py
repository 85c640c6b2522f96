"""The letters cost more where much was asked, nothing is stored by looking, and nobody is ever shut out (cases 49, 73)."""

import json
import time
import wave
from base64 import b64encode
from io import BytesIO
from random import Random
from typing import Any

import altcha
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clave.lib.clock import Stopped
from clave.lib.crypto import keyed_hash
from clave.web.captcha import price, service, sound, tickets, views
from clave.web.captcha.models import CaptchaLoad, SpentTicket
from clave.web.captcha.service import purge_expired
from tests.story import Visitor
from tests.test_races import at_once

PATH = "/persona/recuperar"
CAMILA = "11111111-1"


def new_ticket(visitor: Visitor) -> str:
    return str(visitor.open(PATH).fields["captcha_ticket"])


def answer(visitor: Visitor, letters: int, ticket: str = "") -> bool:
    """Type so many of the right letters; say whether they were taken."""
    ticket = ticket or new_ticket(visitor)
    data = {"captcha_ticket": ticket, "captcha": visitor.letters(ticket)[:letters], "rut": CAMILA}
    return "Las letras no coinciden" not in visitor.post(PATH, {**visitor.page.fields, **data}).text


def picture(visitor: Visitor, ticket: str) -> bytes:
    response = visitor.client.get(f"/captcha/{ticket}.png")
    assert response.status_code == 200
    return bytes(response.content)


def solved(visitor: Visitor, ticket: str) -> str:
    """Do the work a ticket asks for; return the payload."""
    challenge = altcha.Challenge.from_dict(visitor.client.get(f"/captcha/{ticket}.json").json())
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


def pay(visitor: Visitor, ticket: str, payload: str) -> Any:
    return visitor.client.get(f"/captcha/{ticket}/pagado", {"prueba": payload})


def busy(address: str = "203.0.113.7", count: float = 100) -> None:
    price.count_answer(price.network_of(address), weight=int(count))


def test_at_rest_four_letters_are_enough_and_three_are_not(visitor: Visitor) -> None:
    assert answer(visitor, 4)
    assert not answer(visitor, 3)


def test_letters_may_be_typed_small_spaced_or_accented(visitor: Visitor) -> None:
    ticket = new_ticket(visitor)
    letters = visitor.letters(ticket)[:4].lower().replace("a", "á")
    page = visitor.send(rut=CAMILA, captcha=" ".join(letters))
    assert "Las letras no coinciden" not in page.text


@pytest.mark.abuse(73)
def test_looking_at_letters_stores_nothing_however_often(visitor: Visitor) -> None:
    ticket = new_ticket(visitor)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(20):
            picture(visitor, new_ticket(visitor))
        visitor.client.get(f"/captcha/{ticket}.wav")
        visitor.client.get(f"/captcha/{ticket}.json")
    assert all(query["sql"].startswith("SELECT") for query in queries), [query["sql"] for query in queries]
    assert not SpentTicket.objects.exists() and not CaptchaLoad.objects.exists()


@pytest.mark.abuse(73)
def test_wrong_answers_leave_a_bounded_number_of_rows_and_right_ones_are_never_forgotten(visitor: Visitor) -> None:
    network = price.network_of("203.0.113.7")
    used = new_ticket(visitor)
    assert answer(visitor, 4, used)
    for number in range(service.REMEMBERED + 25):
        ticket = tickets.Ticket(f"{number:032x}", int(time.time()) + number)
        assert not service.spend(ticket, network, right=False)
    assert SpentTicket.objects.filter(network=network, solved=False).count() == service.REMEMBERED
    assert CaptchaLoad.objects.count() == 1
    assert not answer(visitor, 6, used), "a right answer served twice"


@pytest.mark.abuse(49)
def test_the_price_rises_with_what_a_network_solves_and_falls_with_time(visitor: Visitor, clock: Stopped) -> None:
    for _ in range(10):
        assert answer(visitor, 4)
    assert not answer(visitor, 4), "ten solved without a proof of work: five letters"
    assert answer(visitor, 5)
    busy()
    assert not answer(visitor, 5)
    assert answer(visitor, 6)
    clock.move(seconds=price.HIGHEST * price.LEAK_SECONDS)
    assert answer(visitor, 4)


@pytest.mark.abuse(49, 73)
def test_however_much_a_network_asks_its_people_still_get_in_with_six_letters(visitor: Visitor) -> None:
    for _ in range(50):
        busy()
    assert answer(visitor, 6)
    other = Visitor("203.0.113.8")
    assert answer(other, 4), "another network pays what it always paid"


def test_a_network_is_an_ipv4_address_or_half_an_ipv6_one_and_is_kept_only_as_a_keyed_hash() -> None:
    assert price.network_of("2001:db8:1:2::1") == price.network_of("2001:db8:1:2:ffff::9")
    assert price.network_of("2001:db8:1:2::1") != price.network_of("2001:db8:1:3::1")
    assert price.network_of("::ffff:203.0.113.7") == price.network_of("203.0.113.7")
    assert price.network_of("203.0.113.7") != price.network_of("203.0.113.8")
    assert price.network_of("203.0.113.7") == keyed_hash("captcha-network", "203.0.113.7/32")[:32]
    assert price.network_of("local") and price.network_of("fe80::1%eth0") == price.network_of("fe80::2")


def test_whose_picture_came_through_a_cheaper_network_is_asked_for_more_letters_once(visitor: Visitor) -> None:
    busy(count=100)
    ticket = new_ticket(visitor)
    assert not answer(visitor, 4, ticket)
    following = visitor.page.fields["captcha_ticket"]
    CaptchaLoad.objects.all().delete()  # the picture is fetched through a network at rest
    visitor.client.defaults["REMOTE_ADDR"] = "198.51.100.1"
    assert following.split("-")[2] == "6"
    assert not answer(visitor, 5, following), "the ticket itself says what it costs"
    visitor.client.defaults["REMOTE_ADDR"] = "203.0.113.7"


def test_without_a_script_more_letters_are_never_a_dead_end(visitor: Visitor) -> None:
    busy(count=100)
    page = visitor.open(PATH)
    page = visitor.send(rut=CAMILA, captcha=visitor.letters(page.fields["captcha_ticket"])[:4])
    assert page.shows("Las letras no coinciden")
    assert "Las letras no coinciden" not in visitor.send(rut=CAMILA).text


@pytest.mark.abuse(49)
def test_work_makes_the_letters_fewer(visitor: Visitor) -> None:
    busy(count=30)
    ticket = new_ticket(visitor)
    paid = pay(visitor, ticket, solved(visitor, ticket)).json()
    assert paid["fewer"] is True
    before = CaptchaLoad.objects.get().empty_at
    assert answer(visitor, 4, paid["ticket"])
    assert CaptchaLoad.objects.get().empty_at - before == pytest.approx(price.LEAK_SECONDS), (
        "and counts once, not twice"
    )


@pytest.mark.abuse(49)
def test_the_same_work_serves_one_answer_in_one_browser_for_five_minutes(visitor: Visitor, clock: Stopped) -> None:
    ticket = new_ticket(visitor)
    payload = solved(visitor, ticket)
    first, second = (pay(visitor, ticket, payload).json()["ticket"] for _ in range(2))
    assert first == second
    assert answer(visitor, 4, first)
    assert not answer(visitor, 4, ticket), "the ticket it was paid for is spent with it"
    other_ticket = new_ticket(visitor)
    assert pay(visitor, other_ticket, payload).status_code == 404
    thief = Visitor()
    thief.open(PATH)
    assert thief.client.get(f"/captcha/{other_ticket}.json").status_code == 404
    assert pay(thief, other_ticket, solved(visitor, other_ticket)).status_code == 404
    payload = solved(visitor, other_ticket)
    clock.move(seconds=301)
    assert pay(visitor, other_ticket, payload).status_code == 404


@pytest.mark.abuse(49)
def test_work_of_another_price_or_made_up_is_refused(visitor: Visitor) -> None:
    ticket = new_ticket(visitor)
    cheap = solved(visitor, ticket)
    busy(count=100)
    assert pay(visitor, ticket, cheap).status_code == 404, "asked for before the price rose"
    for made_up in ("", "x", "e30=", "bnVsbA==", "W10=", "W1tb" * 900, "eyJjaGFsbGVuZ2UiOiBudWxsfQ=="):
        assert pay(visitor, ticket, made_up).status_code == 404, made_up
    challenge = altcha.create_challenge("PBKDF2/SHA-256", 1, key_prefix="00" * 8, data={"ticket": ticket.split("-")[0]})
    forged = {"challenge": {**challenge.to_dict(), "signature": "00"}, "solution": {"counter": 1, "derivedKey": "00"}}
    costs: tuple[Any, ...] = (9000, "9000", "x", None, [], {}, float("inf"), float("nan"))
    for cost in costs:
        forged["challenge"]["parameters"]["cost"] = cost
        encoded = b64encode(json.dumps(forged).encode()).decode()
        assert pay(visitor, ticket, encoded).status_code == 404, cost


@pytest.mark.abuse(49)
def test_tickets_hoarded_while_they_were_cheap_cost_what_they_cost_now(visitor: Visitor) -> None:
    ticket = new_ticket(visitor)
    hoarded = pay(visitor, ticket, solved(visitor, ticket)).json()["ticket"]
    busy(count=300)
    assert not answer(visitor, 4, hoarded)
    dear = pay(visitor, other := new_ticket(visitor), solved(visitor, other)).json()["ticket"]
    assert answer(visitor, 6, dear)


@pytest.mark.abuse(49)
def test_a_sound_is_mixed_once_and_never_more_than_two_at_the_same_time(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed: list[str] = []

    def spoken(letters: str, random: Random) -> bytes:
        mixed.append(letters)
        return b"sound"

    monkeypatch.setattr(sound, "spoken", spoken)
    ticket = new_ticket(visitor)
    for _ in range(3):
        assert visitor.client.get(f"/captcha/{ticket}.wav").content == b"sound"
    assert len(mixed) == 1
    with views._mixing, views._mixing:
        told = visitor.client.get(f"/captcha/{ticket}.wav")
        assert told.status_code == 503 and "Hay muchas personas" in told.content.decode()
        assert told["Retry-After"]
    assert visitor.client.get(f"/captcha/{ticket}.wav").status_code == 200


@pytest.mark.abuse(49)
def test_a_ticket_sounds_and_looks_the_same_each_time_and_no_two_tickets_alike(visitor: Visitor) -> None:
    ticket, other = new_ticket(visitor), new_ticket(visitor)
    first, again, another = (visitor.client.get(f"/captcha/{t}.wav").content for t in (ticket, ticket, other))
    assert first == again != another
    assert picture(visitor, ticket) == picture(visitor, ticket) != picture(visitor, other)


@pytest.mark.abuse(49)
def test_the_price_a_ticket_quotes_cannot_be_changed(visitor: Visitor) -> None:
    busy(count=100)
    key, stamp, _, seal = new_ticket(visitor).split("-")
    for quote in ("4", "4p", "1", "5p", ""):
        forged = f"{key}-{stamp}-{quote}-{seal}"
        assert visitor.client.get(f"/captcha/{forged}.png").status_code == 404, quote
        typed = {**visitor.page.fields, "captcha_ticket": forged, "captcha": tickets.letters_of(key), "rut": CAMILA}
        assert visitor.post(PATH, typed).shows("Las letras no coinciden"), quote


def test_the_sound_is_short_plain_and_quickly_mixed(visitor: Visitor) -> None:
    response = visitor.client.get(f"/captcha/{new_ticket(visitor)}.wav")
    assert response["Content-Type"] == "audio/wav"
    with wave.open(BytesIO(response.content)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 1, 1)
        assert 2 < file.getnframes() / 8000 < 8
    assert sound.ARCHIVE.stat().st_size < 2_000_000
    assert all(len(sound.takes()[letter]) == 20 for letter in tickets.LETTERS)


def test_the_loudest_sound_stays_within_its_range() -> None:
    for seed in range(20):
        mixed = sound.mixed("CEFJLM", Random(seed))
        assert sum(sample in (0, 255) for sample in mixed) < len(mixed) / 100


def test_what_is_over_is_thrown_away(visitor: Visitor, clock: Stopped) -> None:
    assert answer(visitor, 4)
    purge_expired()
    assert SpentTicket.objects.count() == CaptchaLoad.objects.count() == 1
    clock.move(seconds=301)
    purge_expired()
    assert not SpentTicket.objects.exists() and not CaptchaLoad.objects.exists()


@pytest.mark.abuse(49)
def test_of_many_answers_to_one_ticket_at_once_one_is_taken_and_all_are_counted(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    ticket, network = tickets.Ticket("f" * 32, int(time.time())), price.network_of("203.0.113.9")
    began = time.time()
    results = at_once([lambda: service.spend(ticket, network, right=True) for _ in range(tries)])
    assert results.count(True) == 1 and results.count(False) == tries - 1, results
    counted = (CaptchaLoad.objects.get(pk=network).empty_at - began) / price.LEAK_SECONDS
    assert tries + 1 - 0.1 < counted < tries + 1 + 3, counted
