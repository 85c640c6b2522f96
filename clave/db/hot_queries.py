"""Frequent lookups whose SQL is compiled only once.

The ORM builds and compiles a query on every call; for a lookup with joins that costs several times as much as running
it (decision 0013). A `Lookup` lets the ORM compile once and then only binds the values. It returns the same model
instances, with the same related objects populated, through the same converters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Found = TypeVar("Found", bound=Model)
Value = str | int | UUID


def _as_stored(value: Value) -> Value:
    """Return a value as the database stores it: PostgreSQL has a native UUID type, SQLite stores the hex digits."""
    native = connections[DEFAULT_DB_ALIAS].features.has_native_uuid_field
    return value.hex if isinstance(value, UUID) and not native else value


@dataclass(frozen=True)
class _Compiled:
    """Result of compiling: the statement, where each value is bound, and how a row becomes an instance."""

    sql: str
    params: tuple[Any, ...]
    places: tuple[int, ...]
    model: type[Model]
    names: list[str]
    first: int
    last: int
    related: list[Any]
    converters: Any

    def instance(self, row: list[Any]) -> Any:
        connection = connections[DEFAULT_DB_ALIAS]
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.first : self.last])
        for populator in self.related:
            populator.populate(row, instance)
        return instance

    def row(self, *instances: Model) -> list[object]:
        """Return the joined row the database would give for these instances; None for models not among them."""
        by_type = {type(instance): instance for instance in instances}
        parts = [(self.model, self.first, self.last, self.names)]
        parts += [(each.model_cls, each.cols_start, each.cols_end, each.init_list) for each in self.related]
        row: list[Any] = [None] * max(last for _, _, last, _ in parts)
        connection = connections[DEFAULT_DB_ALIAS]
        for model, first, last, names in parts:
            if model in by_type:
                fields: list[Any] = [model._meta.get_field(name) for name in names]
                row[first:last] = [
                    field.get_db_prep_save(getattr(by_type[model], field.attname), connection) for field in fields
                ]
        return row


class Lookup(Generic[Found]):
    """A query that differs between calls only in the strings, numbers or UUIDs it compares with.

    `build` makes the queryset from as many values as it takes; `examples` are that many distinct values that occur
    nowhere else in it. With `select_for_update`, call it inside a transaction as usual.
    """

    def __init__(self, build: Callable[..., QuerySet[Found]], *examples: Value) -> None:
        self._build = build
        self._examples = examples

    def one(self, *values: Value) -> Found | None:
        """Return the only row for these values, or None. They must identify at most one."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[Found]:
        """Return the rows for these values."""
        compiled = self._compiled
        params = list(compiled.params)
        for place, value in zip(compiled.places, values, strict=True):
            params[place] = _as_stored(value)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(compiled.sql, params)
            return [compiled.instance(list(row)) for row in cursor.fetchall()]

    def stored(self, *instances: Model) -> list[object]:
        """Return the row that the database would give for these instances of different models."""
        return self._compiled.row(*instances)

    def hydrate(self, row: list[object]) -> Found:
        """Do the work of reading a fetched row."""
        instance: Found = self._compiled.instance(list(row))
        return instance

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
