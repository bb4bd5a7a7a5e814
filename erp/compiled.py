"""Queries that are asked with every request or for every file: their SQL is built once in a process.

Building the SQL of a query takes Django longer than PostgreSQL takes to answer it, and the interpreter is what a busy
web process has least of. PostgreSQL keeps the plan as well.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, ValuesIterable, ValuesListIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from psycopg.types.numeric import Int8

P = ParamSpec("P")
R = TypeVar("R")
_MARKS: dict[str, Callable[[int], int | str]] = {
    "int": lambda number: -987_654_321 - number,
    "str": lambda number: f"<value {number}>",
}
"""What stands for a value of a call while the statement is built, by the annotation; no key of a row is below zero."""
_PLACES = re.compile(r"(%s|%%)")


class Compiled(Generic[P, R]):
    """A function that makes a queryset, asked without making it again: see ``compiled``.

    Its positional parameters are values, ``int`` or ``str``, of which the statement has to be independent: compared
    with columns, never NULL, nor a part of a slice. What shapes the statement is keyword-only, and each shape is kept.
    The queryset is of instances, with related ones or without, of ``values()`` or of ``values_list()``.
    """

    def __init__(self, build: Callable[P, QuerySet[Any, R]]) -> None:
        self._build: Callable[..., QuerySet[Any, R]] = build
        self._marks = tuple(_marks(build))
        self._statements: dict[Hashable, _Statement[R]] = {}
        update_wrapper(self, build)

    def __call__(self, *values: P.args, **shape: P.kwargs) -> list[R]:
        """The rows. One statement. Raises ``ValueError`` or ``TypeError`` where the queryset cannot be kept."""
        if len(values) != len(self._marks):
            raise TypeError(f"{len(self._marks)} values are asked for, {len(values)} were given.")
        key = (connections[DEFAULT_DB_ALIAS].vendor, *sorted(shape.items()))
        statement = self._statements.get(key)
        if statement is None:
            statement = _Statement.of(self._build(*self._marks, **shape), self._marks)
            self._statements[key] = statement
        return statement.rows(values)

    def first(self, *values: P.args, **shape: P.kwargs) -> R | None:
        """The first row of a query that gives few."""
        return next(iter(self(*values, **shape)), None)


def compiled(build: Callable[P, QuerySet[Any, R]]) -> Compiled[P, R]:
    """Ask what the decorated function makes, its SQL built once."""
    return Compiled(build)


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
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            raise ValueError("The query gives nothing, whatever is asked.") from None
        places: Sequence[int | None] = [marks.index(one) if one in marks else None for one in parameters]
        _require_each(marks, parameters, places)
        sql, parameters, places = _with_constants(compiler.connection, sql, parameters, places)
        compiler.connection = compiler.connection.copy()  # that of this thread shall end with the thread
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return cls(sql, parameters, places, compiler, converters, _reader(rows, compiler))

    def rows(self, values: Sequence[Any]) -> list[R]:
        parameters = [
            same if place is None else type(same)(values[place])
            for same, place in zip(self.parameters, self.places, strict=True)
        ]
        connection = connections[DEFAULT_DB_ALIAS]
        with getattr(connection, "prepared_cursor", connection.cursor)() as cursor:
            cursor.execute(self.sql, parameters)
            found: Iterable[Sequence[Any]] = cursor.fetchall()
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        return self.read(found)


def _require_each(marks: Sequence[int | str], parameters: Sequence[Any], places: Sequence[int | None]) -> None:
    """Refuse a statement that has a value otherwise than it was given, too: as a pattern, or in a slice."""
    changed = [one for one, place in zip(parameters, places, strict=True) if place is None]
    for number, mark in enumerate(marks):
        if number not in places or any(isinstance(one, str) and str(mark) in one for one in changed):
            raise ValueError(f"The statement does not have value {number} as it was given: {parameters}")


def _with_constants(
    connection: Any, sql: str, parameters: Sequence[Any], places: Sequence[int | None]
) -> tuple[str, Sequence[Any], Sequence[int | None]]:
    """The same with what never changes written out, where the server keeps plans: they may depend on it."""
    if not hasattr(connection, "prepared_cursor"):
        return sql, tuple(parameters), places
    given = iter(zip(parameters, places, strict=True))
    parts, kept = [], []
    for part in _PLACES.split(sql):
        if part == "%s":
            value, place = next(given)
            if place is None:
                parts.append(connection.ops.compose_sql("%s", [value]).replace("%", "%%"))
                continue
            kept.append((Int8(value) if isinstance(value, int) else value, place))  # one statement, whatever their size
        parts.append(part)
    return "".join(parts), [value for value, _place in kept], [place for _value, place in kept]


def _reader(rows: QuerySet[Any, R], compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    """What makes of rows what iterating over the queryset would."""
    kind: type = rows._iterable_class  # noqa: SLF001 - nothing public tells what kind of rows a queryset gives
    if kind is ModelIterable and not rows._prefetch_related_lookups:  # type: ignore[attr-defined] # noqa: SLF001
        return _instances(compiler)
    if kind is ValuesIterable:
        names = tuple(rows.query.selected or (*rows.query.values_select, *rows.query.annotation_select))
        return lambda found: [dict(zip(names, row, strict=False)) for row in found]
    if kind is ValuesListIterable:
        return lambda found: [tuple(row[: compiler.col_count]) for row in found]
    raise TypeError(f"Rows of this kind cannot be read: {kind.__name__}")


def _instances(compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    klass: Any = compiler.klass_info
    model, columns = klass["model"], klass["select_fields"]
    begin, end = columns[0], columns[-1] + 1
    names = [column.target.attname for column, *_ in compiler.select[begin:end]]
    related = get_related_populators(klass, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg] # newer stubs
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
