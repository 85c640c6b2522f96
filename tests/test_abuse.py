"""The abuse cases that are not told with a feature; each test carries its number."""

import logging
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from clave.audit.models import Entry
from clave.credentials import hashing, throttling
from clave.credentials import service as credentials
from clave.holders.models import Holder
from clave.lib import masking
from clave.lib.clock import Stopped
from clave.lib.request_context import RequestContext
from tests.story import Mailbox, Page, Visitor

CAMILA, KEY, MAIL = "11111111-1", "KM482915", "camila.rojas@example.cl"
TOKENS = re.compile(
    r'value="[^"]*"|/captcha/[^"]+|[0-9a-f]{16}|\d\d:\d\d:\d\d|11.111.111-1|44.444.444-4|11111111-1|44444444-4'
)


def shape(page: Page) -> tuple[int, str]:
    return page.status, TOKENS.sub("", page.html)


@pytest.mark.abuse(1)
def test_sign_in_answers_unknown_known_and_blocked_alike(demo: None) -> None:
    shapes: dict[str, list[tuple[int, str]]] = {"known": [], "unknown": []}
    for name, rut in (("known", CAMILA), ("unknown", "44444444-4")):
        visitor = Visitor()
        shapes[name].append(shape(visitor.sign_in(rut, "AA000000")))
        for _ in range(5):
            visitor.page.url = "/ingresar"
            page = visitor.send(rut=rut, key="AA000000", captcha="????")
        for _ in range(5):
            throttling.limits("key", rut, RequestContext("203.0.113.7")).fail()
        visitor.open("/ingresar")
        shapes[name].append(shape(visitor.send(rut=rut, key="AA000000")))
        assert visitor.page.status == 429, page.text
    assert shapes["known"] == shapes["unknown"]


@pytest.mark.abuse(1)
def test_recovery_and_update_answer_unknown_and_known_alike(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clave.credentials.secret_questions.decoy_question", lambda _: "mascota")
    seen = []
    for rut in (CAMILA, "44444444-4"):
        visitor = Visitor()
        visitor.open("/persona/recuperar")
        pages = [shape(visitor.send(rut=rut)), shape(visitor.send(answer="No es esta"))]
        visitor.open("/persona/actualizar/fecha-y-correo")
        pages.append(shape(visitor.send(rut=rut, birth_date="01-01-1980", email="x@example.cl")))
        visitor.open("/persona/cambiar")
        pages.append(shape(visitor.send(rut=rut, key="AA000000")))
        seen.append(pages)
    assert seen[0] == seen[1]


@pytest.mark.abuse(1, 14)
def test_an_unknown_rut_costs_the_same_work_as_a_wrong_key(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures for time are measured by script/bench; here the work itself is counted."""
    work: list[list[str]] = []
    real = hashing.matches

    def matches(stored: str | None, secret: str) -> bool:
        work[-1].append("hash")
        return real(stored, secret)

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if "SAVEPOINT" not in sql:
            work[-1].append(sql.split(" WHERE ")[0][:60])
        return execute(sql, params, many, context)

    monkeypatch.setattr(hashing, "matches", matches)

    # The first try of all makes the row that counts failures everywhere.
    for rut in ("22222222-2", CAMILA, "44444444-4"):
        visitor = Visitor(f"198.51.100.{len(work)}")
        visitor.open("/ingresar")
        form = visitor.fill(rut=rut, key="AA000000")
        work.append([])
        with connection.execute_wrapper(note):
            visitor.post("/ingresar", form)
    assert sorted(work[1]) == sorted(work[2]) and work[1].count("hash") == 1


@pytest.mark.abuse(2)
def test_a_question_is_shown_only_after_a_captcha(visitor: Visitor) -> None:
    visitor.open("/persona/recuperar")
    page = visitor.send(rut=CAMILA, captcha="????")
    assert page.shows("Las letras no coinciden") and "mascota" not in page.text


@pytest.mark.abuse(3)
def test_a_captcha_works_once_only_in_its_browser_and_only_with_its_letters(visitor: Visitor) -> None:
    visitor.open("/persona/recuperar")
    form = visitor.fill(rut=CAMILA)
    thief = Visitor()
    thief.open("/persona/recuperar")
    stolen = {**thief.page.fields, "rut": CAMILA, "captcha": form["captcha"], "captcha_ticket": form["captcha_ticket"]}
    assert thief.post("/persona/recuperar", stolen).shows("Las letras no coinciden")
    assert visitor.post("/persona/recuperar", form).shows("Pregunta secreta")
    assert visitor.post("/persona/recuperar", form).shows("Las letras no coinciden"), "a second use is refused"
    wrong = visitor.fill(rut=CAMILA)
    right = wrong["captcha"]
    assert visitor.post("/persona/recuperar", {**wrong, "captcha": "QQQQ"}).shows("Las letras no coinciden")
    assert visitor.post("/persona/recuperar", {**wrong, "captcha": right}).shows("Las letras no coinciden"), (
        "one try each"
    )


@pytest.mark.abuse(4)
def test_what_the_registry_says_of_a_rut_is_never_shown_to_who_typed_it(visitor: Visitor) -> None:
    page = visitor.register(email="otra@example.cl")
    assert page.shows(masking.masked_name("Persona De Prueba Cuatro"))
    assert "1999" not in page.text and "Persona De" not in page.text


@pytest.mark.abuse(5)
def test_an_address_somebody_else_typed_gets_one_confirmation_and_no_key(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.register(email="victima@example.cl")
    assert [mail["subject"] for mail in mailbox.to("victima@example.cl")] == ["Su Clave SENCE fue creada"]
    assert "QZ571938" not in str(mailbox.all())


@pytest.mark.abuse(6)
@pytest.mark.slow
def test_nobody_is_flooded_with_keys(visitor: Visitor, mailbox: Mailbox) -> None:
    for _ in range(20):
        assert visitor.ask_for_key(CAMILA, "Copito").shows("Su clave va en camino")
    assert visitor.ask_for_key(CAMILA, "Copito").shows("Ya enviamos muchos mensajes hoy")
    assert len(mailbox.to("+56987650001")) == 8, "the share of SMS is smaller, and stops no e-mail"
    assert len(mailbox.to(MAIL)) == 20


@pytest.mark.abuse(7)
def test_while_a_stranger_sprays_a_rut_its_holder_still_signs_in_from_a_known_browser(
    visitor: Visitor, clock: Stopped
) -> None:
    assert visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto")
    visitor.post("/salir", {})
    stranger = Visitor("198.51.100.66")
    stranger.sign_in(CAMILA, "AA000000")
    for number in range(12):
        stranger.page.url = "/ingresar"
        if "key" in stranger.page.fields:
            stranger.send(key=f"AA00000{number % 10}")
    assert stranger.page.status == 429
    assert visitor.sign_in(CAMILA, KEY).shows("Camila Rojas Soto")
    clock.move(minutes=16)
    newcomer = Visitor("198.51.100.67")
    newcomer.sign_in(CAMILA, KEY)
    assert newcomer.send(key=KEY).shows("Camila Rojas Soto"), "and from anywhere after a quarter of an hour"


@pytest.mark.abuse(7)
def test_guessing_widely_from_one_address_costs_the_letters_of_an_image(demo: None, clock: Stopped) -> None:
    sprayer, threshold = RequestContext("198.51.100.70", "b"), throttling.NETWORK.threshold
    for number in range(threshold):
        throttling.limits("key", f"{number}", sprayer).fail()
    with pytest.raises(throttling.CaptchaNeeded):
        throttling.limits("key", "another", sprayer).reserve(human=False)
    throttling.limits("key", "another", sprayer).reserve(human=True)
    throttling.limits("key", "other", RequestContext("198.51.100.71", "b")).reserve(human=False)
    for number in range(threshold):
        throttling.limits("key", f"{number}", RequestContext("2001:db8:1:2:ffff::1", "b")).fail()
    neighbour = RequestContext("2001:db8:1:2:eeee::9", "c")
    with pytest.raises(throttling.CaptchaNeeded):
        throttling.limits("key", "x", neighbour).reserve(human=False)
    clock.move(hours=1)
    throttling.limits("key", "x", neighbour).reserve(human=False)


@pytest.mark.abuse(8)
def test_answers_are_guessed_three_times_then_one_waits(visitor: Visitor) -> None:
    visitor.ask_for_key(CAMILA, "Uno Dos")
    for guess in ("Tres", "Cuatro"):
        visitor.send(answer=guess)
    page = visitor.send(answer="Copito")
    assert page.status == 429 and page.shows("Demasiados intentos")


@pytest.mark.abuse(9)
def test_a_dump_of_the_database_holds_no_secret_and_no_phone(visitor: Visitor) -> None:
    visitor.register(home_phone="223334444")
    visitor.ask_for_key(CAMILA, "Copito")
    dump = dump_of_everything()
    for secret in ("QZ571938", KEY, "Copito", "copito", "Pelusa", "87654321", "87650001", "223334444", "444555666"):
        assert secret not in dump, secret
    assert dump.count("$argon2id$") >= 8


def dump_of_everything() -> str:
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows.append(str(cursor.fetchall()))
    return "\n".join(rows)


CANARIES = {
    "new_key": "CN718294",
    "answer": "canario secreto uno",
    "serial": "909808707",
    "wrong_key": "WR550617",
    "wrong_answer": "canario equivocado",
}


@pytest.mark.abuse(10)
def test_canaries_put_through_every_flow_are_found_nowhere(
    visitor: Visitor, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pages, urls = [], []

    def keep() -> None:
        pages.append(visitor.page.html)
        urls.append(str(getattr(visitor.page.response, "redirect_chain", "")) + visitor.page.url)

    key = CANARIES["new_key"]
    visitor.register(new_key=key, new_key_again=key, answer=CANARIES["answer"])
    keep()
    visitor.sign_in("44444444-4", CANARIES["wrong_key"])
    keep()
    visitor.send(key=key)
    keep()
    visitor.ask_for_key("44444444-4", CANARIES["wrong_answer"])
    urls.append(visitor.page.url)
    visitor.send(answer="", forgotten="on")
    visitor.send(serial=CANARIES["serial"])
    urls.append(visitor.page.url)
    visitor.ask_for_key("44444444-4", CANARIES["answer"])
    keep()
    temporary = mailbox.key("cuatro@example.cl")
    visitor.change_key("44444444-4", temporary, CANARIES["wrong_key"])
    keep()
    audit = str(list(Entry.objects.values()))
    places = {
        "logs": caplog.text,
        "audit": audit,
        "pages": "\n".join(pages),
        "addresses": "\n".join(urls),
        "mails": str([mail["text"] for mail in mailbox.all() if temporary not in mail["text"]]),
        "database": dump_of_everything(),
    }
    for name, canary in {**CANARIES, "temporary": temporary}.items():
        for place, text in places.items():
            assert canary not in text, f"{name} in {place}"


@pytest.mark.abuse(10)
def test_a_fault_in_the_middle_of_a_flow_logs_no_secret(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from clave.lib import logs

    logs.configure({"level": "DEBUG"})
    visitor.client.raise_request_exception = False

    def fail(*_: object) -> None:
        raise RuntimeError(f"could not store {KEY}")

    monkeypatch.setattr("clave.signin.service.admit", fail)
    page = visitor.sign_in(CAMILA, KEY)
    assert page.status == 500 and KEY not in page.html
    printed = capsys.readouterr().err
    assert "RuntimeError" in printed and KEY not in printed
    logs.configure(django_settings.LOGGING)


@pytest.mark.abuse(14)
def test_a_known_and_an_unknown_rut_take_the_same_time(demo: None, settings: Settings) -> None:
    """A coarse guard with real hashes; the ROC figure is in docs/performance.md."""
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME = 19456, 2
    hashing._dummy_hash.cache_clear()
    camila = Holder.objects.select_related("credential").get(identifier=CAMILA)
    credentials.set_first(camila, "PT604827")
    camila = Holder.objects.select_related("credential").get(identifier=CAMILA)
    hashing.matches(None, "warm")
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(12):
        for known in (True, False):
            before = time.perf_counter()
            hashing.matches(camila.credential.hash if known else None, f"AA00000{number % 10}")
            times[known].append(time.perf_counter() - before)
    hashing._dummy_hash.cache_clear()
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    assert 0.5 < ratio < 2
