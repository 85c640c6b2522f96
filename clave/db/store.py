"""How statements that are sent often reach the store: prepared, and on PostgreSQL any number of them in one message.

On a busy machine a turn between two processes costs more than most statements. psycopg's own pipeline sends each
statement as it comes and its cursors describe every column anew, so this speaks through its wrapper of libpq (pipeline
mode: PostgreSQL 15 manual, section 34.5) with its adapters. psycopg itself must prepare nothing: what it throws away
after a rollback is all that a connection has prepared (settings/cluster.py).
"""

import re
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import transaction
from psycopg import Connection, errors
from psycopg.abc import PQGen
from psycopg.adapt import Buffer, Loader, PyFormat, Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

Statement = tuple[str, Sequence[Any]]
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
# What was prepared does not fit any more: a table was changed, or somebody threw it away.
_OUTLIVED = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)
_PLACE = re.compile("%([s%])")


class Answer(NamedTuple):
    """What a statement gave: its rows, and how many it changed."""

    rows: Sequence[tuple[Any, ...]]
    changed: int


def run(connection: Any, *statements: Statement) -> list[Answer]:
    """Run statements that do not need each other's results. Outside a transaction PostgreSQL does all or none.

    `connection` is Django's; placeholders are its `%s`, values as its fields prepare them. Raises its errors.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    if connection.queries_logged or connection.execute_wrappers:  # somebody counts or watches
        with transaction.atomic() if len(statements) > 1 else nullcontext():
            return [_watched(connection, *statement) for statement in statements]
    with connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            return _in_one_message(connection.connection, statements)
        return [_on_sqlite(connection.connection, *statement) for statement in statements]


def _watched(connection: Any, sql: str, params: Sequence[Any]) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return Answer(cursor.fetchall() if cursor.description else [], cursor.rowcount)


def _on_sqlite(raw: Any, sql: str, params: Sequence[Any]) -> Answer:
    cursor = raw.execute(_with_question_marks(sql), params)
    return Answer(cursor.fetchall(), cursor.rowcount)


@lru_cache(maxsize=256)
def _with_question_marks(sql: str) -> str:
    return _PLACE.sub(lambda found: "?" if found[1] == "s" else "%", sql)


def _in_one_message(raw: Connection[Any], statements: Sequence[Statement]) -> list[Answer]:
    known = _prepared(raw)
    with raw.lock:
        asked = [(known.get(sql) or _prepare(raw, sql), params) for sql, params in statements]
        try:
            results = raw.wait(_talk(raw, [(each.name, each.dumped(params)) for each, params in asked]))
        except _OUTLIVED:
            raw.close()  # the next one prepares anew
            raise
    return [each.loaded(result) for (each, _), result in zip(asked, results, strict=True)]


class _Instant(Loader):
    """A moment in UTC, the zone of Django's connections, as ISO 8601 text."""

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(str(data, "ascii"))


class _Prepared:
    """A statement that a connection has prepared, and how its values and rows are written."""

    def __init__(self, raw: Connection[Any], name: bytes) -> None:
        self.name = name
        adapted = raw.cursor()
        adapted.adapters.register_loader("timestamptz", _Instant)
        self._transformer = Transformer(adapted)
        self._met = False

    def dumped(self, params: Sequence[Any]) -> Sequence[Buffer | None]:
        return self._transformer.dump_sequence(params, [PyFormat.TEXT] * len(params))

    def loaded(self, result: PGresult) -> Answer:
        # The columns' loaders are looked up once.
        self._transformer.set_pgresult(result, set_loaders=not self._met)
        self._met = True
        rows = self._transformer.load_rows(0, result.ntuples, tuple)
        return Answer(rows, result.command_tuples or 0)


def _prepared(raw: Connection[Any]) -> dict[str, _Prepared]:
    known: dict[str, _Prepared] = vars(raw).setdefault("_clave_prepared", {})
    return known


def _prepare(raw: Connection[Any], sql: str) -> _Prepared:
    known = _prepared(raw)
    places = iter(range(1, sql.count("%s") + 1))
    numbered = _PLACE.sub(lambda found: f"${next(places)}" if found[1] == "s" else "%", sql)
    name = f"clave_{len(known)}".encode()
    (result,) = raw.wait(_preparing(raw, name, numbered.encode()))
    if result.status not in _DONE:
        raise errors.error_from_result(result, encoding=raw.info.encoding)
    known[sql] = _Prepared(raw, name)
    return known[sql]


def _preparing(raw: Connection[Any], name: bytes, sql: bytes) -> PQGen[list[PGresult]]:
    raw.pgconn.send_prepare(name, sql)
    yield from send(raw.pgconn)
    results: list[PGresult] = yield from fetch_many(raw.pgconn)
    return results


def _talk(raw: Connection[Any], statements: list[tuple[bytes, Sequence[Buffer | None]]]) -> PQGen[list[PGresult]]:
    """Send the statements at once; return the result of each. Raises the first one's error."""
    pgconn = raw.pgconn
    begins = not raw.autocommit and pgconn.transaction_status == TransactionStatus.IDLE
    pgconn.enter_pipeline_mode()
    try:
        if begins:
            pgconn.send_query_params(b"BEGIN", None)
        for name, params in statements:
            pgconn.send_query_prepared(name, params)
        pgconn.pipeline_sync()
        yield from send(pgconn)
        results: list[PGresult] = []
        while not results or results[-1].status != ExecStatus.PIPELINE_SYNC:
            results += yield from fetch_many(pgconn)
    finally:
        if pgconn.status != ConnStatus.BAD:
            pgconn.exit_pipeline_mode()
    for result in results[:-1]:
        if result.status not in _DONE:
            raise errors.error_from_result(result, encoding=raw.info.encoding)
    return results[begins:-1]
