"""Statements reach the store together, whatever happened on the connection before."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from clave.audit.models import Entry
from clave.credentials.models import Attempts
from clave.db import store
from clave.db.hot_queries import Asked, Lookup, changing, deleting, inserting, numbering, together
from clave.holders.models import Holder
from clave.lib import clock

BY_ACTION = Lookup(lambda action: Entry.objects.filter(action=action), "action")
BY_AXIS = Lookup(lambda axis: Attempts.objects.select_for_update().filter(axis=axis), "axis")
ON_POSTGRESQL = connection.vendor == "postgresql"


def entry(action: str, **detail: Any) -> Entry:
    return Entry(at=clock.now(), action=action, outcome="ok", detail=detail)


def holder(rut: str) -> Holder:
    return Holder(profile="PN", identifier=rut, created_at=clock.now(), updated_at=clock.now())


def test_what_was_prepared_outlives_a_rollback(committed: None) -> None:
    assert BY_ACTION.all("a.rolled") == []
    with pytest.raises(RuntimeError), transaction.atomic():
        together(inserting(entry("a.rolled")), BY_ACTION.ask("a.rolled"))
        assert len(BY_ACTION.all("a.rolled")) == 1
        raise RuntimeError
    assert BY_ACTION.all("a.rolled") == []
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            together(inserting(entry("a.lost")), inserting(holder("11111111-1")))
        together(inserting(entry("a.kept")))
    assert BY_ACTION.all("a.lost") == [] and len(BY_ACTION.all("a.kept")) == 1


def test_an_error_leaves_the_connection_usable_and_nothing_half_done(committed: None) -> None:
    for _ in range(3):
        with pytest.raises(IntegrityError):
            together(inserting(entry("a.half")), inserting(holder("11111111-1")), inserting(entry("a.half")))
        assert BY_ACTION.all("a.half") == []
    with pytest.raises(DatabaseError):
        store.run(connection, ("SELECT nonsense FROM nowhere", []))
    assert BY_ACTION.all("a.half") == []


def test_a_reading_that_refuses_undoes_what_is_around_it(committed: None) -> None:
    def refuse(_answer: store.Answer) -> None:
        raise LookupError

    row = entry("a.refused")
    with pytest.raises(LookupError), transaction.atomic():
        together(inserting(row), Asked(("SELECT 1 WHERE 1 = %s", [2]), refuse))
    assert BY_ACTION.all("a.refused") == []


def test_rows_are_changed_and_deleted_by_what_is_in_them_and_counted(committed: None) -> None:
    now = clock.now()
    axes = [Attempts(axis=f"axis-{number}", count=number, last_at=now) for number in range(4)]
    together(*map(inserting, axes))
    until = now + timedelta(minutes=1)
    assert together(
        changing(Attempts, {"axis": "axis-1", "until": None}, until=until, count=7),
        changing(Attempts, {"axis": "axis-1", "until": None}, count=8),
        changing(Attempts, {"axis": "nobody"}, count=9),
        deleting(Attempts, axis="axis-2"),
        deleting(Attempts, axis="axis-2"),
    ) == [1, 0, 0, 1, 0]
    rows = {row.axis: (row.count, row.until) for row in Attempts.objects.filter(axis__startswith="axis-")}
    assert rows == {"axis-0": (0, None), "axis-1": (7, until), "axis-3": (3, None)}


def test_a_row_can_be_named_before_it_is_there(committed: None) -> None:
    with transaction.atomic():
        number = together(numbering(Entry))[0]
        row = entry("a.numbered")
        row.pk = number
        _, found = together(inserting(row), BY_ACTION.ask("a.numbered"))
        assert [each.pk for each in found] == [number] and not Entry.objects.filter(pk__gt=number).exists()
    after = entry("a.after")
    together(inserting(after))
    assert after.pk > number, "nobody else got that number"


def test_answers_come_in_the_order_of_the_questions_however_large(committed: None) -> None:
    long = "ñ" * 150_000  # more than a socket takes at once
    together(inserting(entry("a.long", text=long)), inserting(entry("a.short", text="%s %% $1")))
    longs, none, shorts = together(BY_ACTION.ask("a.long"), BY_ACTION.ask("a.none"), BY_ACTION.ask("a.short"))
    assert longs[0].detail == {"text": long} and none == [] and shorts[0].detail == {"text": "%s %% $1"}


def test_each_thread_with_its_own_connection_gets_its_own_answers(committed: None) -> None:
    found: dict[int, list[str]] = {}
    together(*[inserting(entry(f"a.thread{number}")) for number in range(4)])

    def ask(number: int) -> None:
        try:
            found[number] = [BY_ACTION.all(f"a.thread{number}")[0].action for _ in range(50)]
        finally:
            connections.close_all()

    threads = [Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [f"a.thread{number}"] * 50 for number in range(4)}


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has no server that could end a connection")
def test_a_connection_that_the_server_ends_is_told_and_replaced(committed: None) -> None:
    assert BY_ACTION.all("a.gone") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    killer = connection.copy()
    with killer.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    killer.close()
    with pytest.raises(DatabaseError):
        for _ in range(100):
            BY_ACTION.all("a.gone")
    connection.close_if_unusable_or_obsolete()
    assert BY_ACTION.all("a.gone") == []


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite prepares anew by itself")
@pytest.mark.parametrize("change", ["ALTER TABLE probe ALTER word TYPE varchar(9)", "DEALLOCATE ALL"])
def test_what_was_prepared_before_a_table_changed_is_prepared_anew(committed: None, change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE probe AS SELECT 'one'::text AS word")
        try:
            asked = ("SELECT * FROM probe", [])
            assert store.run(connection, asked)[0].rows == [("one",)]
            cursor.execute(change)
            with pytest.raises(DatabaseError):
                store.run(connection, asked)
            connection.close_if_unusable_or_obsolete()
            assert store.run(connection, asked)[0].rows == [("one",)]
        finally:
            with connection.cursor() as another:
                another.execute("DROP TABLE probe")


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite does not lock rows")
def test_a_row_asked_for_change_is_locked_until_the_transaction_ends(committed: None) -> None:
    together(inserting(Attempts(axis="axis-locked", last_at=clock.now())))
    with transaction.atomic():
        assert BY_AXIS.one("axis-locked")
        other = connection.copy()
        with pytest.raises(DatabaseError), other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM credentials_attempts WHERE axis = 'axis-locked' FOR UPDATE NOWAIT")
        other.close()
