"""Selectors of what a person's tasks take up: those that are active, and the rows of a day."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import BigIntegerField, Case, Count, F, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Greatest

from datasync.choices import ITEM_TERMINAL, TASK_ACTIVE
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from erp.compiled import compiled

_ROWS = Case(
    When(state__in=ITEM_TERMINAL, then=F("rows_read")),
    default=Greatest("rows_read", Coalesce("rows_expected", Value(0))),
)
"""The rows of an item: those read once it has ended, before that those to be expected of it."""
_NO_TASK = 0
"""No row has this key."""


def active_tasks_of(owner: AbstractBaseUser, *, besides: int | None = None) -> QuerySet[SyncProgressTask]:
    """The person's tasks that have not ended, but one by its primary key; oldest first."""
    tasks = SyncProgressTask.objects.filter(owner_id=owner.pk, state__in=TASK_ACTIVE).order_by("pk")
    return tasks if besides is None else tasks.exclude(pk=besides)


def active_count(owner: AbstractBaseUser, *, besides: int | None = None) -> int:
    """How many those are."""
    counted = _active_counted(owner.pk, besides or _NO_TASK)
    return counted[0][0] if counted else 0


@compiled
def _active_counted(owner_id: int, besides: int) -> QuerySet[SyncProgressTask, tuple[int]]:
    active = SyncProgressTask.objects.filter(owner_id=owner_id, state__in=TASK_ACTIVE).exclude(pk=besides)
    return active.order_by().values("owner").annotate(tasks=Count("pk")).values_list("tasks")


def rows_since(owner: AbstractBaseUser, since: datetime, *, besides: int | None = None) -> int:
    """Rows read by the person's tasks that ended since then, with those of the active ones but one.

    A file of which nothing is known counts as soon as it is read. It is one statement: a task that closes between two
    would count in neither.
    """
    active = SyncTaskFile.objects.filter(task__in=active_tasks_of(owner, besides=besides).order_by())
    to_come = active.order_by().values("task__owner").annotate(rows=Sum(_ROWS)).values("rows")
    ended = SyncProgressTask.objects.filter(owner_id=owner.pk, finished_at__gte=since)
    whole = Sum("rows_read", default=0) + Coalesce(Subquery(to_come), Value(0), output_field=BigIntegerField())
    rows: int = ended.aggregate(rows=whole)["rows"]
    return rows


def rows_expected(task_pk: int) -> int:
    """The rows to be expected of a task, as far as they are known."""
    rows: int = SyncTaskFile.objects.filter(task_id=task_pk).aggregate(rows=Sum(_ROWS, default=0))["rows"]
    return rows


def rows_of_files(files: QuerySet[CatalogFile]) -> int:
    """The same of files that no task has yet."""
    read = Cast(KeyTextTransform("read", "rows"), BigIntegerField())
    rows: int = files.aggregate(rows=Sum(read, default=0))["rows"]
    return rows
