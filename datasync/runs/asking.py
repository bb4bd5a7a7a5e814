"""What is asked of a task all the time: a statement compiled once, for building it takes longer than its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Value
from django.db.models.sql.compiler import SQLCompiler

from datasync.models import SyncTaskFile

_ANY_TASK = -987_654_321
"""Stands for the task while the statement is compiled."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the items of one task, as aggregates by name."""

    names: Sequence[str]
    statement: str
    values: Sequence[Any]
    compiler: SQLCompiler

    @classmethod
    def of(cls, aggregates: dict[str, Aggregate]) -> Asked:
        """Compile it for the database in use."""
        everything: Any = Value(1)
        items: Any = SyncTaskFile.objects.filter(task=_ANY_TASK).order_by().annotate(one=everything).values("one")
        query = items.annotate(**aggregates).values_list(*aggregates).query
        query.group_by = None  # one row for all items, also where there are none
        compiler = query.get_compiler(connection=connection)
        statement, values = compiler.as_sql()
        return cls(names=tuple(aggregates), statement=statement, values=values, compiler=compiler)

    def of_task(self, task_pk: int) -> dict[str, Any]:
        """What the items of the task say."""
        values = [task_pk if value == _ANY_TASK else value for value in self.values]
        with connection.cursor() as cursor:
            cursor.execute(self.statement, values)
            row = cursor.fetchone()
        converters = self.compiler.get_converters([column for column, *_ in self.compiler.select])
        (converted,) = self.compiler.apply_converters([row], converters) if converters else ([row],)
        return dict(zip(self.names, converted, strict=True))
