"""Queries that are asked with every request or for every file: their SQL is built once in a process.

Building the SQL of a query takes Django longer than PostgreSQL takes to answer it, and the interpreter is what a busy
web process has least of. PostgreSQL keeps the plan as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, ValuesIterable, ValuesListIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

R = TypeVar("R")
_MARKS: dict[str, Callable[[int], int | str]] = {
    "int": lambda number: -987_654_321 - number,
    "str": lambda number: f"<value {number}>",
}
"""What stands for a value of a call while the statement is built, by the annotation; no key of a row is below zero."""


def prepared_cursor() -> Any:
    """A cursor for a statement whose plan the server may keep, where it can: ``erp.postgresql``."""
    connection = connections[DEFAULT_DB_ALIAS]
    return getattr(connection, "prepared_cursor", connection.cursor)()


class Compiled(Generic[R]):
    """A function that makes a queryset, asked without making it again: see ``compiled``.

    Its positional parameters are values, ``int`` or ``str``, of which the statement has to be independent: compared
    with columns, never NULL, nor a part of a slice. What shapes the statement is keyword-only, and each shape is kept.
    The queryset is of instances, with related ones or without, of ``values()`` or of ``values_list()``.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]]) -> None:
        self._build = build
        self._marks = tuple(_marks(build))
        self._statements: dict[Hashable, _Statement[R]] = {}
        update_wrapper(self, build)

    def __call__(self, *values: int | str, **shape: Hashable) -> list[R]:
        """The rows. One statement."""
        key = (connections[DEFAULT_DB_ALIAS].vendor, *sorted(shape.items()))
        statement = self._statements.get(key)
        if statement is None:
            statement = _Statement.of(self._build(*self._marks, **shape), self._marks)
            self._statements[key] = statement
        return statement.rows(values)

    def first(self, *values: int | str, **shape: Hashable) -> R | None:
        """The first row of a query that gives few."""
        return next(iter(self(*values, **shape)), None)


def _marks(build: Callable[..., Any]) -> Iterator[int | str]:
    for number, parameter in enumerate(inspect.signature(build).parameters.values()):
        if parameter.kind is not parameter.KEYWORD_ONLY:
            yield _MARKS[parameter.annotation](number)


@dataclass(frozen=True, slots=True)
class _Statement(Generic[R]):
    sql: str
    parameters: Sequence[Any]
    places: Sequence[int | None]
    """Of each parameter, which value of a call it is; None where it is the same in all."""
    compiler: SQLCompiler
    converters: dict[int, Any]
    read: Callable[[Iterable[Sequence[Any]]], list[R]]

    @classmethod
    def of(cls, rows: QuerySet[Any, R], marks: Sequence[int | str]) -> _Statement[R]:
        compiler = rows.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        places = [marks.index(one) if one in marks else None for one in parameters]
        if missing := set(range(len(marks))) - set(places):
            raise ValueError(f"The statement does not have value {min(missing)} as it was given: {sql}")
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return cls(sql, tuple(parameters), places, compiler, converters, _reader(rows, compiler))

    def rows(self, values: Sequence[Any]) -> list[R]:
        parameters = [
            same if place is None else values[place] for same, place in zip(self.parameters, self.places, strict=True)
        ]
        with prepared_cursor() as cursor:
            cursor.execute(self.sql, parameters)
            found: Iterable[Sequence[Any]] = cursor.fetchall()
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        return self.read(found)


def _reader(rows: QuerySet[Any, R], compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    """What makes of rows what iterating over the queryset would."""
    kind: type = rows._iterable_class  # noqa: SLF001 - nothing public tells what kind of rows a queryset gives
    if kind is ModelIterable:
        return _instances(compiler)
    if kind is ValuesIterable:
        names = tuple(rows.query.selected or (*rows.query.values_select, *rows.query.annotation_select))
        return lambda found: [dict(zip(names, row, strict=True)) for row in found]
    if kind is ValuesListIterable:
        return lambda found: [tuple(row) for row in found]
    raise TypeError(f"Rows of this kind cannot be read: {kind.__name__}")


def _instances(compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    klass: Any = compiler.klass_info
    model, columns = klass["model"], klass["select_fields"]
    begin, end = columns[0], columns[-1] + 1
    names = [column.target.attname for column, *_ in compiler.select[begin:end]]
    related = get_related_populators(klass, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg] # the stubs' Django is newer
    annotated = tuple((compiler.annotation_col_map or {}).items())

    def read(found: Iterable[Sequence[Any]]) -> list[Any]:
        instances = []
        for row in found:
            instance = model.from_db(DEFAULT_DB_ALIAS, names, row[begin:end])
            for populator in related:
                populator.populate(row, instance)
            for name, position in annotated:
                setattr(instance, name, row[position])
            instances.append(instance)
        return instances

    return read


def compiled(build: Callable[..., QuerySet[Any, R]]) -> Compiled[R]:
    """Ask what the decorated function makes, its SQL built once."""
    return Compiled(build)
