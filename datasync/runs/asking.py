"""What is asked of a task all the time, as aggregates over its items in one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Aggregate, QuerySet, Value

from datasync.models import SyncTaskFile


def of_all_items(task_pk: int, aggregates: Mapping[str, Aggregate]) -> QuerySet[SyncTaskFile, dict[str, Any]]:
    """One row with the aggregates by name, also of a task without items."""
    everything: Any = Value(1)
    items: Any = SyncTaskFile.objects.filter(task=task_pk).order_by().annotate(one=everything).values("one")
    asked: QuerySet[SyncTaskFile, dict[str, Any]] = items.annotate(**aggregates).values(*aggregates)
    asked.query.group_by = None  # one row for all items
    return asked
