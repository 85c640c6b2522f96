"""Statements sent so often that making their SQL anew each time costs more than running them.

The ORM builds and compiles a query at every call; for a lookup with joins that is several times the work of running it.
A `Lookup` lets the ORM compile once and afterwards only puts the values in. It returns the same model instances, with
the same relations filled in, through the same converters. `insert` does the same for new rows.

Several of either go to PostgreSQL in one message (its pipeline mode): on a busy machine each turn between two processes
costs more than the statement itself.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import AutoField, Model, QuerySet
from django.db.models.query import get_related_populators

Found = TypeVar("Found", bound=Model)


@dataclass(frozen=True)
class _Compiled:
    """What compiling left: the statement, where each value goes, and how a row becomes an instance."""

    sql: str
    params: tuple[Any, ...]
    places: tuple[int, ...]
    model: type[Model]
    names: list[str]
    first: int
    last: int
    related: list[Any]
    converters: Any


class Lookup(Generic[Found]):
    """A query that differs from call to call only in the texts or numbers it compares with.

    `build` makes the queryset from as many values as it takes; `examples` are that many values found nowhere else in
    it. With `select_for_update` call it inside a transaction, as always.
    """

    def __init__(self, build: Callable[..., QuerySet[Found]], *examples: str | int) -> None:
        self._build = build
        self._examples = examples
        self._compiled: dict[str, _Compiled] = {}

    def one(self, *values: str | int) -> Found | None:
        """Return the row for these values, which can only be one, or None."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: str | int) -> list[Found]:
        """Return the rows for these values."""
        return answers(self.ask(*values))[0]

    def ask(self, *values: str | int) -> "Asked":
        """Return the question for these values, to be put to the store together with others."""
        connection = connections[DEFAULT_DB_ALIAS]
        made = self._compiled.get(connection.vendor) or self._compile(connection)
        params = list(made.params)
        for place, value in zip(made.places, values, strict=True):
            params[place] = value
        return Asked(made, params)

    def _compile(self, connection: Any) -> _Compiled:
        query = self._build(*self._examples).query
        compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        info, select = compiler.klass_info, compiler.select
        columns = info["select_fields"]
        first, last = columns[0], columns[-1] + 1
        made = _Compiled(
            sql=sql,
            params=tuple(params),
            places=tuple(params.index(example) for example in self._examples),
            model=info["model"],
            names=[expression[0].target.attname for expression in select[first:last]],
            first=first,
            last=last,
            related=get_related_populators(info, select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
            converters=compiler.get_converters([expression[0] for expression in select]),
        )
        self._compiled[connection.vendor] = made
        return made


@dataclass(frozen=True)
class Asked:
    """A lookup with its values."""

    made: _Compiled
    params: list[Any]

    def instance(self, row: list[Any], connection: Any) -> Any:
        made = self.made
        for place, (converters, expression) in made.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = made.model.from_db(DEFAULT_DB_ALIAS, made.names, row[made.first : made.last])
        for populator in made.related:
            populator.populate(row, instance)
        return instance


def answers(*asked: Asked) -> list[list[Any]]:
    """Put some lookups to the store at once; return the rows of each."""
    connection = connections[DEFAULT_DB_ALIAS]
    found = _run(connection, [(each.made.sql, each.params) for each in asked])
    return [[each.instance(list(row), connection) for row in rows] for each, rows in zip(asked, found, strict=True)]


def _run(connection: Any, statements: list[tuple[str, list[Any]]]) -> list[list[Any]]:
    """Run statements that do not need each other's results; return the rows of each."""
    with ExitStack() as stack:
        cursors = [stack.enter_context(connection.cursor()) for _ in statements]
        with _one_message(connection) if len(statements) > 1 else nullcontext():
            for cursor, (sql, params) in zip(cursors, statements, strict=True):
                cursor.execute(sql, params)
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


@contextmanager
def _one_message(connection: Any) -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


@dataclass(frozen=True)
class _Insertion:
    sql: str
    fields: list[Any]
    made: str  # the attribute whose value the database makes, if any


_INSERTS: dict[tuple[type[Model], str], _Insertion] = {}


def insert(*rows: Model) -> None:
    """Insert new rows, as `save(force_insert=True)` would: all of them or none."""
    connection = connections[DEFAULT_DB_ALIAS]
    how = [_INSERTS.get((type(row), connection.vendor)) or _insertion(type(row), connection) for row in rows]
    statements = [
        (each.sql, [field.get_db_prep_save(getattr(row, field.attname), connection) for field in each.fields])
        for each, row in zip(how, rows, strict=True)
    ]
    # What PostgreSQL gets in one message it does as one; one statement needs nothing around it.
    alone = len(rows) == 1 or connection.vendor == "postgresql"
    with nullcontext() if alone else transaction.atomic():
        results = _run(connection, statements)
    for each, row, made in zip(how, rows, results, strict=True):
        if each.made:
            setattr(row, each.made, made[0][0])
        row._state.adding = False


def _insertion(model: type[Model], connection: Any) -> _Insertion:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    key = model._meta.auto_field
    made = (
        _Insertion(f"{sql} RETURNING {quote(key.column)}", fields, key.attname) if key else _Insertion(sql, fields, "")
    )
    _INSERTS[model, connection.vendor] = made
    return made
