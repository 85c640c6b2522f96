"""The audit trail: append-only, sealed, and broken visibly (abuse case 39)."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from clave.audit import seals
from clave.audit import service as audit
from clave.audit.models import Entry, Seal
from clave.core.visit import Visit
from clave.sandbox.reset import as_owner

VISIT = Visit("203.0.113.5", "browser", "agent")


@pytest.fixture
def trail(db: None, clock) -> None:
    """Three seals over two entries each."""
    for _ in range(3):
        audit.record("test.one", VISIT)
        audit.record("test.two", VISIT, outcome="no")
        assert seals.seal_new() == 2
        clock.move(minutes=10)


def owner_does(sql: str) -> None:
    with as_owner() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET outcome='x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_seal SET mac='x'",
        "DELETE FROM audit_sealed",
    ],
)
@pytest.mark.abuse(39)
def test_the_database_refuses_to_change_what_was_recorded(trail: None, sql: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert seals.verify() == seals.Verdict(3, 6)


@pytest.mark.abuse(39)
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET outcome='ok' WHERE id=(SELECT MIN(id)+3 FROM audit_entry)", "was changed"),
        ("DELETE FROM audit_sealed WHERE entry_id=(SELECT MIN(id)+2 FROM audit_entry); DELETE", "is missing"),
        ("UPDATE audit_seal SET previous='x' WHERE id=(SELECT MIN(id)+1 FROM audit_seal)", "does not follow"),
        ("UPDATE audit_entry SET address='10.0.0.1' WHERE id=(SELECT MIN(id)+2 FROM audit_entry)", "was changed"),
    ],
)
def test_what_the_owner_changes_or_deletes_is_found_with_its_seal(trail: None, sql: str, fault: str) -> None:
    second = Seal.objects.order_by("pk")[1]
    if sql.endswith("DELETE"):
        owner_does(sql.split(";")[0])
        owner_does(f"DELETE FROM audit_entry WHERE id={second.entries[0]}")
    else:
        owner_does(sql)
    verdict = seals.verify()
    assert verdict.seal == second.pk and fault in verdict.fault
    with pytest.raises(CommandError, match=f"seal {second.pk}"):
        call_command("verify_audit")


@pytest.mark.abuse(39)
def test_an_entry_slipped_in_later_is_found(trail: None, clock) -> None:
    first = Entry.objects.order_by("pk").first()
    assert first
    Entry.objects.create(at=first.at + timedelta(seconds=1), action="test.forged", outcome="ok")
    seals.seal_new()
    assert "slipped in" in seals.verify().fault


@pytest.mark.abuse(39)
def test_cutting_off_the_end_or_everything_is_found(trail: None) -> None:
    last = Seal.objects.order_by("pk").last()
    assert last
    owner_does(f"DELETE FROM audit_sealed WHERE seal_id={last.pk}")
    owner_does(f"DELETE FROM audit_seal WHERE id={last.pk}")
    assert seals.verify().seal == last.pk
    owner_does("DELETE FROM audit_sealed")
    owner_does("DELETE FROM audit_seal")
    assert "not in it" in seals.verify().fault


@pytest.mark.abuse(39)
def test_the_owner_cannot_forge_a_seal_without_the_key(trail: None, settings) -> None:
    settings.SECRET_KEY = "another key, guessed by the owner of the database " * 2
    verdict = seals.verify()
    assert "was changed" in verdict.fault


def test_an_intact_trail_is_said_to_be_so(trail: None, capsys) -> None:
    call_command("verify_audit")
    assert "3 seals over 6 entries: intact" in capsys.readouterr().out


def test_sealing_is_done_in_batches_and_only_once(db: None, monkeypatch) -> None:
    monkeypatch.setattr(seals, "BATCH", 3)
    for _ in range(7):
        audit.record("test.one", VISIT)
    assert (seals.seal_new(), seals.seal_new()) == (7, 0)
    assert [len(seal.entries) for seal in Seal.objects.order_by("pk")] == [3, 3, 1]


@pytest.mark.abuse(39)
def test_postgresql_refuses_to_truncate_the_trail(trail: None) -> None:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("TRUNCATE audit_entry")  # SQLite knows no TRUNCATE; DELETE is refused above
        return
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE audit_entry, audit_sealed")
