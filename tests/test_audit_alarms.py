"""Verification raises no alarm over an honest day, and no row of its owner's can keep it from raising one (68)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from clave.audit import chain, seals
from clave.audit import service as audit
from clave.audit.models import Entry, Seal
from clave.audit.verification import verify
from clave.backoffice import tasks
from clave.backoffice.models import ChainReading
from clave.lib import clock as clave_clock
from tests.desk import Desk
from tests.test_audit import CONTEXT, owner_does, trail  # noqa: F401

NEW_KEY = "another secret key, begun on an ordinary day " * 2


def owner_forces(*statements: str) -> None:
    """Let the owner write what SQLite's check constraints refuse; whoever owns the file can switch them off."""
    if connection.vendor == "sqlite":
        statements = ("PRAGMA ignore_check_constraints=ON", *statements, "PRAGMA ignore_check_constraints=OFF")
    owner_does(*statements)


def record(times: int = 1) -> None:
    for _ in range(times):
        audit.record("test.one", CONTEXT)


@pytest.fixture
def sealed(db: None, clock: Any) -> None:
    """An entry in a seal, then an hour in which three are recorded and the worker is away."""
    record()
    seals.seal_new()
    for _ in range(3):
        clock.move(minutes=20)
        record()


def test_a_backlog_of_several_batches_is_no_fault(sealed: None, clock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(seals, "BATCH", 2)
    clock.move(minutes=20)
    assert seals.seal_new() == 3
    assert Seal.objects.count() == 3 and verify().fault == ""


def test_entries_that_wait_while_the_key_changes_are_no_fault(sealed: None, settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [settings.SECRET_KEY]
    seals.seal_new()
    assert list(Seal.objects.order_by("pk").values_list("kind", flat=True)) == ["entries", "key_changed", "entries"]
    assert verify().fault == ""


def test_a_restore_of_a_copy_with_unsealed_entries_ends_the_alarm(sealed: None) -> None:
    seals.declare_restore("Disco dañado", "Ana Rojas", set())
    seals.seal_new()
    verdict = verify()
    assert verdict.fault == "" and "a restore declared" in verdict.events[0]


def test_a_lost_key_declared_after_a_pause_makes_no_alarm_of_its_own(sealed: None, settings: Any) -> None:
    settings.SECRET_KEY = NEW_KEY
    seals.declare_lost_key("perdida", "Ana Rojas")
    seals.seal_new()
    assert [each.seal for each in verify().faults] == [1], "only what was made under the lost key"


def test_a_machine_whose_clock_is_somewhat_slow_raises_no_alarm(sealed: None, clock: Any) -> None:
    seals.seal_new()
    clock.move(minutes=-10)
    record()
    clock.move(minutes=10, seconds=30)
    seals.seal_new()
    assert verify().fault == ""


def test_a_backlog_under_a_clock_put_back_is_told_and_no_fault(sealed: None, clock: Any) -> None:
    seals.seal_new()
    clock.move(days=-2)
    record()
    clock.move(hours=1)
    seals.seal_new()
    verdict = verify()
    assert verdict.fault == "" and "the clock was put back" in verdict.events[0]


@pytest.mark.abuse(68)
@pytest.mark.parametrize("event", ["none", "restore", "key"])
def test_an_entry_older_than_the_queue_that_was_empty_is_named_whatever_stands_between(
    sealed: None, settings: Any, monkeypatch: Any, event: str
) -> None:
    monkeypatch.setattr(seals, "BATCH", 2)
    seals.seal_new()
    forged = Entry.objects.create(at=clave_clock.now() - timedelta(minutes=30), action="test.forged", outcome="ok")
    if event == "restore":
        seals.declare_restore("Disco dañado", "Ana Rojas", set())
    elif event == "key":
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [settings.SECRET_KEY]
    record(4)
    seals.seal_new()
    (fault,) = verify().faults
    assert "slipped in" in fault.text and fault.text.endswith(f": {forged.pk}")


@pytest.mark.abuse(68)
def test_a_seal_of_the_first_version_cannot_account_for_what_was_cut_off(trail: None) -> None:  # noqa: F811
    third = Seal.objects.get(pk=3)
    owner_does("DELETE FROM audit_seal WHERE id > 1")
    key = next(iter(chain.configured_keys().values()))
    first = Seal.objects.get(pk=1)
    first.version = 1
    mac = chain.mac_of(first, list(Entry.objects.filter(pk__in=first.entries).order_by("pk")), key)
    note = f'{{"lost": [[3, "{third.mac}"]], "operator": "", "back_to": 1, "reason": ""}}'
    owner_does(f"UPDATE audit_seal SET version=1, mac='{mac}', kind='restored', note='{note}' WHERE id=1")
    assert {1, 3} <= {each.seal for each in verify().faults}


BROKEN = {
    "letters": "mac='ñ'",
    "list for a note": "kind='key_changed', note='[]'",
    "nothing for a note": "note='null'",
    "nothing for entries": "entries='null'",
    "number without end": "entries='[" + "9" * 23 + "]'",
    "many ids": "entries='[" + ",".join(map(str, range(1, 300_000))) + "]'",
    "nested": "entries='" + "[" * 2_000 + "]" * 2_000 + "'",
    "nested note": "kind='key_changed', note='" + "[" * 2_000 + "]" * 2_000 + "'",
    "moment": "at='infinity'",
}


@pytest.mark.abuse(68)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_no_seal_can_be_made_so_that_verification_ends_without_a_verdict(trail: None, broken: str) -> None:  # noqa: F811
    owner_forces(f"UPDATE audit_seal SET {broken} WHERE id=2", "UPDATE audit_seal SET kind='restored' WHERE id=3")
    verdict = verify()
    assert {2, 3} <= {each.seal for each in verdict.faults}, "and what follows is read"
    assert verdict.seals == 3


@pytest.mark.abuse(68)
@pytest.mark.parametrize("broken", ["at='infinity'", "detail='" + "[" * 2_000 + "]" * 2_000 + "'"])
def test_no_entry_can_be_made_so_that_verification_ends_without_a_verdict(trail: None, broken: str) -> None:  # noqa: F811
    owner_forces(f"UPDATE audit_entry SET {broken} WHERE id=(SELECT MIN(id)+2 FROM audit_entry)")
    assert [each.seal for each in verify().faults] == [2], "its neighbours were not slipped in"


@pytest.mark.abuse(68)
def test_words_where_numbers_belong_are_refused_or_are_a_fault_like_another(trail: None) -> None:  # noqa: F811
    """PostgreSQL refuses them; SQLite stores whatever it is given."""
    changes = (
        "UPDATE audit_seal SET at='x' WHERE id=1",
        "UPDATE audit_seal SET version='x' WHERE id=2",
        "INSERT INTO audit_unsealed VALUES ('x')",
    )
    if connection.vendor == "postgresql":
        for change in changes:
            with pytest.raises(DataError), transaction.atomic():
                owner_does(change)
        assert not verify().faults
    else:
        owner_does(*changes)
        assert {1, 2} == {each.seal for each in verify().faults}


@pytest.mark.abuse(68)
def test_a_reading_that_fails_is_done_and_says_so_on_the_page(demo: None, monkeypatch: Any) -> None:
    def failing() -> None:
        raise RecursionError

    watcher = Desk("auditor")
    monkeypatch.setattr(tasks, "verify", failing)
    reading = tasks.start()
    tasks.read_chain.call(reading.pk)
    reading.refresh_from_db()
    assert reading.done_at and "could not be read (RecursionError)" in reading.fault
    assert watcher.open("/backoffice/auditoria").shows("La cadena está rota", "could not be read")


def test_many_clicks_have_the_chain_read_once(demo: None, clock: Any) -> None:
    asked = {tasks.start().pk for _ in range(10)}
    assert len(asked) == 1 == ChainReading.objects.count()
    tasks.read_chain.call(asked.pop())
    tasks.start()
    assert ChainReading.objects.count() == 2, "once it is done another may begin"


def test_a_reading_whose_worker_was_stopped_is_given_up(demo: None, clock: Any) -> None:
    tasks.start()
    clock.move(minutes=61)
    assert Desk("auditor").open("/backoffice/auditoria").shows("no terminó")
    tasks.start()
    assert ChainReading.objects.count() == 2
    assert Desk("auditor", "198.51.100.201").open("/backoffice/auditoria").shows("Se está revisando la cadena")
