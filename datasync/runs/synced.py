"""Selectors of what tasks synced, once they have ended: for whoever counts it against their owners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from datasync.choices import TASK_TERMINAL, TaskKind, TaskState
from datasync.models import SyncProgressTask


@dataclass(frozen=True, slots=True)
class Synced:
    """A person's task that has ended: the rows that it wrote, and whether it failed as a whole."""

    pk: int
    task_id: str
    owner: AbstractBaseUser
    rows: int
    failed: bool


def syncs_files(task: Any) -> bool:
    """Whether the task brings rows of files; a remap types anew what is stored."""
    return bool(task.kind != TaskKind.REMAP)


def ended_tasks(*, within: timedelta | None = None) -> QuerySet[SyncProgressTask]:
    """Tasks of persons that have synced files and ended, at the most so long ago.

    ``rows_synced`` of each are the rows that it wrote, new and changed ones.
    """
    tasks = SyncProgressTask.objects.filter(state__in=TASK_TERMINAL).exclude(owner=None).exclude(kind=TaskKind.REMAP)
    if within is not None:
        tasks = tasks.filter(finished_at__gte=Now() - within)
    return tasks.annotate(rows_synced=F("rows_inserted") + F("rows_updated"))


def failed_tasks(tasks: QuerySet[SyncProgressTask]) -> QuerySet[SyncProgressTask]:
    """Those of which nothing could be synced."""
    return tasks.filter(state=TaskState.FAILED)


def synced(tasks: QuerySet[SyncProgressTask], *, most: int) -> list[Synced]:
    """What the first of ``ended_tasks`` came to, in the order of their primary keys."""
    return [
        Synced(
            pk=task.pk,
            task_id=task.task_id,
            owner=task.owner,
            rows=task.rows_inserted + task.rows_updated,
            failed=task.state == TaskState.FAILED,
        )
        for task in tasks.order_by("pk").select_related("owner")[:most]
        if task.owner is not None
    ]
