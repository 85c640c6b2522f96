"""An older copy of the database is put back: declared, it is part of the chain; not declared, a fault (68). Sealing costs
the same however long the trail (80)."""

import os
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clave.audit import anchors, seals
from clave.audit import service as audit
from clave.audit.models import Entry, Seal, Unsealed
from clave.audit.verification import verify
from tests.test_audit import CONTEXT, owner_does

WHY = {"reason": "Disco dañado", "operator": "Ana Rojas"}


def seal_one() -> None:
    audit.record("test.one", CONTEXT)
    seals.seal_new()


def put_back_to(number: int) -> None:
    """Leave in the store what a copy made after this seal would hold."""
    kept = [pk for seal in Seal.objects.filter(pk__lte=number) for pk in seal.entries]
    last = max(kept)
    owner_does(
        f"DELETE FROM audit_seal WHERE id > {number}",
        f"DELETE FROM audit_unsealed WHERE entry_id > {last}",
        f"DELETE FROM audit_entry WHERE id > {last}",
    )


@pytest.mark.abuse(68)
def test_a_restore_is_a_fault_until_it_is_declared(db: None, capsys: Any) -> None:
    for _ in range(5):
        seal_one()
    put_back_to(2)
    assert [fault.seal for fault in verify().faults] == [3, 4, 5]
    call_command("declare_restore", **WHY)
    assert "seal 3 declares the restore: back to seal 2, 3 noted seals lost" in capsys.readouterr().out
    seal_one()
    call_command("verify_audit")
    said = capsys.readouterr().out
    assert "a restore declared at" in said and "by Ana Rojas, back to seal 2: Disco dañado" in said
    assert "intact" in said and Entry.objects.filter(action="audit.restored").count() == 1


@pytest.mark.abuse(68)
def test_a_restore_declared_late_tells_where_the_copy_ended(db: None) -> None:
    for _ in range(4):
        seal_one()
    put_back_to(2)
    seal_one()
    assert not verify().is_intact
    call_command("declare_restore", **WHY)
    verdict = verify()
    assert verdict.is_intact and "back to seal 2" in verdict.events[0]


@pytest.mark.abuse(68)
def test_a_declared_restore_accounts_for_nothing_that_is_cut_off_afterwards(db: None) -> None:
    for _ in range(3):
        seal_one()
    put_back_to(2)
    call_command("declare_restore", **WHY)
    seal_one()
    newest = Seal.objects.latest("pk")
    owner_does(f"DELETE FROM audit_seal WHERE id={newest.pk}")
    assert newest.pk in [fault.seal for fault in verify().faults]


@pytest.mark.abuse(68)
def test_nobody_declares_a_restore_without_the_key(db: None, settings: Any) -> None:
    for _ in range(3):
        seal_one()
    put_back_to(2)
    genuine = settings.SECRET_KEY
    settings.SECRET_KEY = "another key, guessed by the owner of the database " * 2
    with pytest.raises(CommandError, match="not at hand"):
        call_command("declare_restore", **WHY)
    settings.SECRET_KEY = genuine
    forged = Seal.objects.get(pk=2)
    owner_does(f"UPDATE audit_seal SET kind='restored', note='{{\"lost\": []}}' WHERE id={forged.pk}")
    assert {2, 3} <= {fault.seal for fault in verify().faults}


@pytest.mark.abuse(68)
def test_anchors_of_several_machines_are_read_together_in_any_order(db: None, settings: Any, tmp_path: Path) -> None:
    here = settings.CLAVE_HOME
    folder = tmp_path / "anchors"
    for name in ("one", "two"):
        settings.CLAVE_HOME = tmp_path / name
        settings.CLAVE_HOME.mkdir()
        for _ in range(2):
            seal_one()
    folder.mkdir()
    for number, name in enumerate(("two", "one")):
        (folder / f"{number}.txt").write_bytes((tmp_path / name / "audit-anchor.txt").read_bytes())
    settings.CLAVE_HOME = here
    assert {number for number, _mac in anchors.read(anchors.files_in([folder]))[0]} == {1, 2, 3, 4}
    put_back_to(1)
    with pytest.raises(CommandError, match="3 faults"):
        call_command("verify_audit", anchors=[folder])
    call_command("declare_restore", anchors=[folder / "0.txt"], **WHY)
    with pytest.raises(CommandError, match="seal 2"):
        call_command("verify_audit", anchors=[folder])
    call_command("declare_restore", anchors=[folder], **WHY)
    call_command("verify_audit", anchors=[folder])
    with pytest.raises(CommandError, match="cannot read"):
        call_command("verify_audit", anchors=[tmp_path / "nothing"])


@pytest.mark.parametrize("reason", ["", "  ", "\0", "x" * 201, "\ud800"])
def test_a_reason_that_is_none_is_refused(db: None, reason: str) -> None:
    with pytest.raises(CommandError, match="--reason"):
        call_command("declare_restore", reason=reason, operator="Ana")
    assert not Seal.objects.exists()


def test_a_copy_made_while_everybody_works_is_whole(committed: None, tmp_path: Path) -> None:
    for _ in range(3):
        seal_one()
    audit.record("test.one", CONTEXT)
    copied = tmp_path / "copy"
    counted = "SELECT (SELECT COUNT(*) FROM audit_entry), (SELECT COUNT(*) FROM audit_unsealed)"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(copied)])
        found = sqlite3.connect(copied).execute(counted).fetchone()
        assert found == (Entry.objects.count(), 1)
        return
    import psycopg

    where = connection.get_connection_params()
    server = f"postgresql://{where['user']}@{where['host']}:{where['port']}"
    tools = max(Path("/usr/lib/postgresql").glob("*/bin"))
    run: Any = {"check": True, "capture_output": True, "env": {**os.environ, "PGOPTIONS": "-c statement_timeout=0"}}
    subprocess.run([tools / "pg_dump", "-Fc", "-f", copied, f"{server}/{where['dbname']}"], **run)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as owner:
        owner.execute("CREATE DATABASE put_back")
        try:
            subprocess.run([tools / "pg_restore", "--exit-on-error", "-d", f"{server}/put_back", copied], **run)
            with psycopg.connect(f"{server}/put_back") as restored:
                assert restored.execute(counted).fetchone() == (Entry.objects.count(), 1)
                with pytest.raises(psycopg.DatabaseError, match="append-only"):
                    restored.execute("DELETE FROM audit_seal")
        finally:
            owner.execute("DROP DATABASE put_back WITH (FORCE)")


BULK = {
    "postgresql": "SELECT now(), 'test.bulk', 'ok', '', '', '', '{}' FROM generate_series(1, 50000)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50000) "
    "SELECT '2026-01-01 00:00:00', 'test.bulk', 'ok', '', '', '', '{}' FROM n",
}
SCAN = re.compile(r"Seq Scan on audit_entry|SCAN (TABLE )?audit_entry")


@pytest.mark.abuse(80)
def test_no_statement_of_the_sealer_reads_the_whole_trail(db: None) -> None:
    columns = "at, action, outcome, subject, address, agent, detail"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO audit_entry ({columns}) {BULK[connection.vendor]}")
        assert seals.seal_new() >= 50_000
        cursor.execute("ANALYZE")
    for _ in range(20):
        audit.record("test.one", CONTEXT)
    sent: list[tuple[str, Any]] = []

    def watching(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watching):
        assert seals.seal_new() == 20
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    plans = ""
    Unsealed.objects.create(entry_id=0)
    with connection.cursor() as cursor:
        for sql, params in sent:
            if sql.startswith(("SELECT", "DELETE")):
                cursor.execute(explain + sql, params)
                plans += "\n".join(str(line) for line in cursor.fetchall()) + "\n"
        cursor.execute(explain + "SELECT * FROM audit_entry WHERE outcome = 'no'")
        assert SCAN.search(str(cursor.fetchall())), "a scan would be recognised"
    assert "audit_entry" in plans and not SCAN.search(plans), plans
    assert len(sent) <= 12, sent
