"""Statements sent so often that making their SQL anew each time costs more than running them.

The ORM builds and compiles a query at every call; for a lookup with joins that is several times the work of running it.
A `Lookup` lets the ORM compile once and afterwards only puts the values in. It returns the same model instances, with
the same relations filled in, through the same converters. `inserting`, `changing` and `deleting` do the same for
writing. What does not need each other's results reaches the store `together` (`core/store.py`).
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import CharField, Model, QuerySet, TextField
from django.db.models.query import get_related_populators

from clave.db import store

Found = TypeVar("Found", bound=Model)
Value = str | int | UUID


def _as_stored(value: Value) -> Value:
    """Return a value as the store knows it: PostgreSQL has a type for UUIDs, SQLite keeps their digits."""
    native = connections[DEFAULT_DB_ALIAS].features.has_native_uuid_field
    return value.hex if isinstance(value, UUID) and not native else value


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

    def raw(self, rows: Mapping[type[Model], Model], connection: Any) -> list[Any]:
        """Return how the store would give these rows, joined; of a model that is not among them nothing."""
        parts = [(self.model, self.first, self.last, self.names)]
        parts += [(each.model_cls, each.cols_start, each.cols_end, each.init_list) for each in self.related]
        values: list[Any] = [None] * max(last for _, _, last, _ in parts)
        for model, first, last, names in parts:
            if model in rows:
                fields: list[Any] = [model._meta.get_field(name) for name in names]
                given = [field.get_db_prep_save(getattr(rows[model], field.attname), connection) for field in fields]
                values[first:last] = given
        return values

    def instances(self, answer: store.Answer) -> list[Any]:
        if not answer.rows:
            return []
        connection = connections[DEFAULT_DB_ALIAS]
        return [self.instance(list(row), connection) for row in answer.rows]

    def instance(self, row: list[Any], connection: Any) -> Any:
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.first : self.last])
        for populator in self.related:
            populator.populate(row, instance)
        return instance


class Lookup(Generic[Found]):
    """A query that differs from call to call only in the texts or numbers it compares with.

    `build` makes the queryset from as many values as it takes; `examples` are that many values found nowhere else in
    it. With `select_for_update` call it inside a transaction, as always.
    """

    def __init__(self, build: Callable[..., QuerySet[Found]], *examples: Value) -> None:
        self._build = build
        self._examples = examples

    def one(self, *values: Value) -> Found | None:
        """Return the row for these values, which can only be one, or None."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[Found]:
        """Return the rows for these values."""
        return cast(list[Found], together(self.ask(*values))[0])

    def ask(self, *values: Value) -> "Asked":
        """Return the question for these values, to be put to the store together with others; read as the rows."""
        made = self._compiled
        params = list(made.params)
        for place, value in zip(made.places, values, strict=True):
            params[place] = _as_stored(value)
        return Asked((made.sql, params), made.instances)

    def pretending(self, *rows: Model) -> Callable[[], None]:
        """Return what does the work of reading these rows, of different models, as if they had been found."""
        made = self._compiled
        raw = made.raw({type(row): row for row in rows}, connections[DEFAULT_DB_ALIAS])
        return lambda: made.instance(list(raw), connections[DEFAULT_DB_ALIAS])

    @cached_property
    def _compiled(self) -> _Compiled:
        query = self._build(*self._examples).query
        compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        info, select = compiler.klass_info, compiler.select
        columns = info["select_fields"]
        first, last = columns[0], columns[-1] + 1
        return _Compiled(
            sql=sql,
            params=tuple(params),
            places=tuple(params.index(_as_stored(example)) for example in self._examples),
            model=info["model"],
            names=[expression[0].target.attname for expression in select[first:last]],
            first=first,
            last=last,
            related=get_related_populators(info, select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
            converters=compiler.get_converters([expression[0] for expression in select]),
        )


class Asked(NamedTuple):
    """A statement with its values, and how its answer is read. `read` may raise: then what is around it is undone."""

    statement: store.Statement
    read: Callable[[store.Answer], Any]
    writes: bool = False


def together(*asked: Asked) -> list[Any]:
    """Put statements to the store at once, in this order; return what each is read as.

    If any of them writes, all are carried out or none.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    # What PostgreSQL gets in one message it does as one; one statement needs nothing around it.
    alone = len(asked) == 1 or connection.vendor == "postgresql" or not any(each.writes for each in asked)
    with nullcontext() if alone else transaction.atomic(savepoint=False):
        answers = store.run(connection, *[each.statement for each in asked])
    return [each.read(answer) for each, answer in zip(asked, answers, strict=True)]


def insert(row: Model) -> None:
    """Insert a new row, as `save(force_insert=True)` would."""
    together(inserting(row))


@dataclass(frozen=True)
class _Insertion:
    sql: str
    fields: list[tuple[Any, bool]]  # and whether a text is stored as it is
    made: str  # the attribute whose value the database makes, if any


def inserting(row: Model) -> Asked:
    """Return the statement that inserts a new row; it is read as the row."""
    connection = connections[DEFAULT_DB_ALIAS]
    how = _insertion(type(row), row.pk is not None)

    def read(answer: store.Answer) -> Model:
        if how.made:
            setattr(row, how.made, answer.rows[0][0])
        row._state.adding = False
        return row

    values = [
        value
        if type(value := getattr(row, field.attname)) is str and plain
        else field.get_db_prep_save(value, connection)
        for field, plain in how.fields
    ]
    return Asked((how.sql, values), read, writes=True)


_AS_THEY_ARE = (CharField.get_prep_value, TextField.get_prep_value)


@cache
def _insertion(model: type[Model], has_key: bool) -> _Insertion:
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    key: Any = None if has_key else model._meta.auto_field
    fields: list[Any] = [field for field in model._meta.concrete_fields if field is not key]
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    ready = [(field, type(field).get_prep_value in _AS_THEY_ARE) for field in fields]
    if key is None:
        return _Insertion(sql, ready, "")
    return _Insertion(f"{sql} RETURNING {quote(key.column)}", ready, key.attname)


@cache
def numbering(model: type[Model]) -> Asked:
    """Return the question for the number of a new row, so that others may name it in the message that inserts it.

    Nobody else gets that number; on SQLite as long as the transaction lasts.
    """
    key: Any = model._meta.pk
    sql = _NEXT[connections[DEFAULT_DB_ALIAS].vendor].format(table=model._meta.db_table, key=key.column)
    return Asked((sql, ()), lambda answer: int(answer.rows[0][0]))


_NEXT = {
    "postgresql": "SELECT nextval(pg_get_serial_sequence('{table}', '{key}'))",
    "sqlite": 'SELECT COALESCE(MAX("{key}"), 0) + 1 FROM "{table}"',
}


def changing(model: type[Model], where: Mapping[str, Any], **values: Any) -> Asked:
    """Return the statement that sets `values` in the rows where these fields are so (None: empty).

    It is read as how many there were.
    """
    sql, fields = _change(model, tuple(values), _shape(where))
    return _written(sql, fields, [*values.values(), *_given(where)])


def deleting(model: type[Model], **where: Any) -> Asked:
    """Return the statement that deletes the rows where these fields are so, and nothing that hangs on them.

    It is read as how many there were.
    """
    sql, fields = _change(model, (), _shape(where))
    return _written(sql, fields, _given(where))


Shape = tuple[tuple[str, bool], ...]


def _shape(where: Mapping[str, Any]) -> Shape:
    return tuple((name, value is None) for name, value in where.items())


def _given(where: Mapping[str, Any]) -> list[Any]:
    return [value for value in where.values() if value is not None]


@cache
def _change(model: type[Model], sets: tuple[str, ...], shape: Shape) -> tuple[str, list[Any]]:
    """Return the SQL that changes rows, or deletes them if it sets nothing, and the fields of its values."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    of: dict[str, Any] = {name: model._meta.get_field(name) for name in (*sets, *(name for name, _ in shape))}
    column = {name: quote(field.column) for name, field in of.items()}
    conditions = " AND ".join(f"{column[name]} IS NULL" if empty else f"{column[name]} = %s" for name, empty in shape)
    table = quote(model._meta.db_table)
    assigned = ", ".join(f"{column[name]} = %s" for name in sets)
    verb = f"UPDATE {table} SET {assigned}" if sets else f"DELETE FROM {table}"  # noqa: S608
    fields = [of[name] for name in (*sets, *(name for name, empty in shape if not empty))]
    return f"{verb} WHERE {conditions}", fields


def _written(sql: str, fields: list[Any], values: list[Any]) -> Asked:
    connection = connections[DEFAULT_DB_ALIAS]
    prepared = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]
    return Asked((sql, prepared), lambda answer: answer.changed, writes=True)
