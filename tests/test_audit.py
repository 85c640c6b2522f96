"""The audit trail: append-only, sealed, and broken visibly (abuse cases 39, 51 and 68)."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from clave.audit import anchors, seals, verification
from clave.audit import service as audit
from clave.audit.models import Entry, Seal, Unsealed
from clave.audit.verification import Verdict, verify
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.request_context import RequestContext
from clave.sandbox.reset import as_owner
from tests.test_races import at_once

CONTEXT = RequestContext("203.0.113.5", "browser", "agent")


@pytest.fixture
def trail(db: None, clock: Stopped) -> None:
    """Three seals over two entries each."""
    for _ in range(3):
        audit.record("test.one", CONTEXT)
        audit.record("test.two", CONTEXT, outcome="no")
        assert seals.seal_new() == 2
        clock.move(minutes=10)


def owner_does(*statements: str) -> None:
    with as_owner() as cursor:
        for sql in statements:
            cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET outcome='x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_seal SET mac='x'",
        "DELETE FROM audit_seal",
    ],
)
@pytest.mark.abuse(39)
def test_the_database_refuses_to_change_what_was_recorded(trail: None, sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert verify() == Verdict(3, 6)


@pytest.mark.abuse(39)
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET outcome='ok' WHERE id=(SELECT MIN(id)+3 FROM audit_entry)", "was changed"),
        ("DELETE FROM audit_entry WHERE id=(SELECT MIN(id)+2 FROM audit_entry)", "is missing"),
        ("UPDATE audit_seal SET previous='x' WHERE id=(SELECT MIN(id)+1 FROM audit_seal)", "does not follow"),
        ("UPDATE audit_entry SET address='10.0.0.1' WHERE id=(SELECT MIN(id)+2 FROM audit_entry)", "was changed"),
        ("UPDATE audit_seal SET at='2020-01-01 00:00:00+00' WHERE id=2", "was changed"),
        ("UPDATE audit_seal SET kind='restored' WHERE id=2", "was changed"),
        ("UPDATE audit_seal SET key='0123456789abcdef' WHERE id=2", "key that is not at hand"),
        ("UPDATE audit_seal SET version=1 WHERE id=2", "a version that cannot be here"),
        ("UPDATE audit_seal SET entries='7' WHERE id=2", "was changed"),
    ],
)
def test_what_the_owner_changes_or_deletes_is_found_with_its_seal(trail: None, sql: str, fault: str) -> None:
    owner_does(sql)
    verdict = verify()
    assert [each.seal for each in verdict.faults if fault in each.text] == [2]
    with pytest.raises(CommandError, match="seal 2"):
        call_command("verify_audit")


@pytest.mark.abuse(39, 68)
def test_an_entry_slipped_in_later_is_found(trail: None, clock: Stopped) -> None:
    first = Entry.objects.order_by("pk").first()
    assert first
    forged = Entry.objects.create(at=first.at + timedelta(seconds=1), action="test.forged", outcome="ok")
    seals.seal_new()
    assert "slipped in" in verify().fault and str(forged.pk) in verify().fault


@pytest.mark.abuse(68)
def test_an_entry_said_to_be_sealed_already_is_found(trail: None) -> None:
    forged = Entry.objects.create(at=clave_clock.now(), action="test.forged", outcome="ok")
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM audit_unsealed WHERE entry_id={forged.pk}")
    seals.seal_new()
    assert verify().fault == f"entry {forged.pk} is in no seal: it was slipped in"
    newest = Seal.objects.latest("pk")
    owner_does(f"UPDATE audit_seal SET entries='{[*newest.entries, forged.pk]}' WHERE id={newest.pk}")
    assert [each.seal for each in verify().faults] == [newest.pk], "nor can a seal be made to list it"


@pytest.mark.abuse(68)
def test_an_entry_that_is_queued_again_is_found_in_both_seals(trail: None) -> None:
    first = Seal.objects.get(pk=1).entries[0]
    Unsealed.objects.create(entry_id=first)
    seals.seal_new()
    assert f"seal 4: lists an entry that another seal holds: {first}" in [str(each) for each in verify().faults]


@pytest.mark.abuse(68)
def test_a_fault_does_not_stop_the_verification(trail: None, monkeypatch: pytest.MonkeyPatch) -> None:
    owner_does(
        "UPDATE audit_entry SET outcome='x' WHERE id IN (SELECT MIN(id) FROM audit_entry)",
        "UPDATE audit_entry SET outcome='x' WHERE id IN (SELECT MAX(id) FROM audit_entry)",
        "UPDATE audit_seal SET previous='x' WHERE id=2",
    )
    verdict = verify()
    assert [each.seal for each in verdict.faults] == [1, 2, 2, 3]
    assert (verdict.seals, verdict.entries, verdict.fault_count) == (3, 6, 4)
    assert verdict.fault.startswith("4 faults; the first: seal 1: ")
    monkeypatch.setattr(verification, "MOST_NAMED", 2)
    assert (len(verify().faults), verify().fault_count) == (2, 4)


@pytest.mark.abuse(39)
def test_cutting_off_the_end_or_everything_is_found(trail: None) -> None:
    owner_does("DELETE FROM audit_seal WHERE id=3")
    assert any(each.seal == 3 and "not in it" in each.text for each in verify().faults)
    owner_does("DELETE FROM audit_seal", "DELETE FROM audit_unsealed", "DELETE FROM audit_entry")
    assert [each.seal for each in verify().faults] == [1, 2, 3]


@pytest.mark.abuse(39)
def test_the_owner_cannot_forge_a_seal_without_the_key(trail: None, settings: Settings) -> None:
    audit.record("test.one", CONTEXT)
    genuine = settings.SECRET_KEY
    settings.SECRET_KEY = "another key, guessed by the owner of the database " * 2
    with pytest.raises(seals.UnknownKey):
        seals.seal_new()
    seals.declare_lost_key("no reason", "nobody")
    seals.seal_new()
    settings.SECRET_KEY = genuine
    assert "seal 4: was made under a key that is not at hand" in str(verify().faults[0])


def test_an_intact_trail_is_said_to_be_so(trail: None, capsys: pytest.CaptureFixture[str]) -> None:
    audit.record("test.one", CONTEXT)
    call_command("verify_audit")
    assert "3 seals over 6 entries (1 not sealed yet): intact" in capsys.readouterr().out


def test_sealing_is_done_in_batches_and_only_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 3)
    for _ in range(7):
        audit.record("test.one", CONTEXT)
    assert (seals.seal_new(), seals.seal_new()) == (7, 0)
    assert [len(seal.entries) for seal in Seal.objects.order_by("pk")] == [3, 3, 1]


def test_a_clock_put_back_is_no_forgery_but_is_told(trail: None, clock: Stopped) -> None:
    clock.move(days=-2)
    audit.record("test.one", CONTEXT)
    seals.seal_new()
    verdict = verify()
    assert verdict.is_intact and "the clock was put back" in verdict.events[0]


@pytest.mark.abuse(39)
def test_postgresql_refuses_to_truncate_the_trail(trail: None) -> None:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("TRUNCATE audit_entry")  # SQLite knows no TRUNCATE; DELETE is refused above
        return
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE audit_entry")


@pytest.mark.abuse(51)
def test_of_many_workers_sealing_at_once_each_waits_its_turn(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 5)
    tries, rounds = (20, 6) if connection.vendor == "postgresql" else (4, 2)
    for _ in range(rounds):
        for _ in range(60):
            audit.record("test.one", CONTEXT)
        results = at_once([seals.seal_new] * tries)
        assert all(type(result) is int for result in results), results
    verdict = verify()
    assert verdict.is_intact, verdict
    assert (verdict.entries, verdict.unsealed) == (Entry.objects.count(), 0)


@pytest.mark.abuse(51)
def test_while_everybody_writes_nothing_is_left_out_and_verification_raises_no_alarm(committed: None) -> None:
    faults: list[str] = []

    def writing() -> None:
        for _ in range(12):
            with transaction.atomic():
                audit.record("test.one", CONTEXT)

    def sealing() -> None:
        for _ in range(8):
            seals.seal_new()

    def verifying() -> None:
        faults.extend(verify().fault for _ in range(4))

    tries = 10 if connection.vendor == "postgresql" else 3
    results = at_once([writing] * tries + [sealing] * 2 + [verifying])
    assert results == [None] * len(results)
    seals.seal_new()
    assert faults == [""] * 4
    assert (verify().fault, verify().entries) == ("", Entry.objects.count())


def test_what_a_seal_notes_outside_is_told_apart_from_what_was_cut_off_by_a_full_disk(trail: None) -> None:
    with anchors.own_file().open("a") as file:
        file.write("4 0123")
    audit.record("test.one", CONTEXT)
    seals.seal_new()
    verdict = verify()
    assert verdict.is_intact and verdict.remarks == ("1 unreadable lines in the anchor files",)


@pytest.mark.abuse(68)
def test_each_machine_notes_the_newest_seal_whoever_made_it(trail: None, settings: Settings, tmp_path: Path) -> None:
    first = anchors.read(anchors.default_files())[0]
    settings.CLAVE_HOME = tmp_path
    assert seals.seal_new() == 0
    assert anchors.read([tmp_path / "audit-anchor.txt"])[0] == {max(first)}
    seals.seal_new()
    assert len(anchors.own_file().read_text().splitlines()) == 1, "the same seal is noted once"
