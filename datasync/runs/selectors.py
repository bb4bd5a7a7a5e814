"""Reading tasks: who may see which, and how far they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from datasync.access import Sight
from datasync.choices import TASK_ACTIVE, ItemState
from datasync.exceptions import TaskNotFound
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.asking import of_all_items
from datasync.runs.progress import glance, live_counts, progress, rows_per_second, seconds_to_go
from datasync.runs.results import celery_state
from erp.compiled import compiled

__all__ = [
    "celery_state", "glance", "listed", "progress", "seconds_to_go", "task_by_celery_id", "task_for",
    "tasks_visible_to", "with_live_counts", "work_is_stalled",
]  # fmt: skip


def tasks_visible_to(user: AbstractBaseUser, *, sight: Sight) -> QuerySet[SyncProgressTask]:
    """A person's own tasks; everybody's for staff. For whoever is limited to shops only those of files in sight."""
    tasks = SyncProgressTask.objects.filter(sight.tasks())
    return tasks if getattr(user, "is_staff", False) else tasks.filter(owner_id=user.pk)


def listed(tasks: QuerySet[SyncProgressTask]) -> QuerySet[SyncProgressTask]:
    """The same with their owners, without the documents and secrets that no list shows."""
    unlisted = (
        "options",
        "errors",
        "warnings",
        "quality",
        "owner__password",
        "owner__last_login",
        "owner__date_joined",
    )
    return tasks.select_related("owner").defer(*unlisted)


def ids_in_sight(task_ids: Collection[str], *, sight: Sight) -> set[str]:
    """Those of the public ids that name a task in sight; where nothing is kept from a person, all, unasked."""
    if not sight.limited:
        return set(task_ids)
    return set(SyncProgressTask.objects.filter(sight.tasks(), task_id__in=task_ids).values_list("task_id", flat=True))


def task_for(user: AbstractBaseUser, task_id: str, *, sight: Sight) -> SyncProgressTask:
    """The task with this public id, as far as the person may see it. Raises ``TaskNotFound``."""
    if sight.limited:
        task = _with_retry(tasks_visible_to(user, sight=sight).filter(task_id=task_id)).first()
    elif getattr(user, "is_staff", False):
        task = _of_anybody.first(task_id)
    else:
        task = _of_owner.first(task_id, user.pk)
    return _there(task, task_id)


def task_by_celery_id(user: AbstractBaseUser, celery_task_id: str, *, sight: Sight) -> SyncProgressTask:
    """The task whose client was given this Celery id. Raises ``TaskNotFound``."""
    tasks = tasks_visible_to(user, sight=sight).filter(celery_task_id=celery_task_id)
    return _there(_with_retry(tasks).first(), celery_task_id)


def work_is_stalled(*, seconds: float) -> bool:
    """Whether files could have been taken for so long, and nobody took any meanwhile nor has one in hand."""
    long_ago = Now() - timedelta(seconds=seconds)
    active = SyncProgressTask.objects.filter(state__in=TASK_ACTIVE)
    items = SyncTaskFile.objects.filter(task__in=active)
    if active.filter(served_at__gte=long_ago).exists():
        return False
    if items.filter(state=ItemState.PROCESSING, lease_until__gte=Now()).exists():
        return False
    due = Q(not_before=None) | Q(not_before__lte=long_ago)
    return items.filter(due, state=ItemState.QUEUED, queued_at__lte=long_ago).exists()


def with_live_counts(tasks: Iterable[SyncProgressTask]) -> list[SyncProgressTask]:
    """The same tasks; those not yet closed carry what their items say at this moment. One statement for all."""
    rows = list(tasks)
    active = {task.pk: task for task in rows if task.state in TASK_ACTIVE}
    if not active:
        return rows
    for pk, now in _counted(active):
        task = active[pk]
        for name in ("succeeded", "failed", "skipped"):
            setattr(task, f"{name}_files", now[name])
        for name in COUNT_NAMES:
            setattr(task, f"rows_{name}", now[name])
        task.rows_per_second = rows_per_second(task, now["read"])
    return rows


def _counted(tasks: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    if len(tasks) == 1:
        (pk,) = tasks
        yield pk, _counts_of(pk)[0]
        return
    items = SyncTaskFile.objects.filter(task__in=tasks).order_by().values("task")
    counted: Any = items.annotate(**live_counts())
    yield from ((now["task"], now) for now in counted)


@compiled
def _counts_of(task_pk: int) -> QuerySet[SyncTaskFile, dict[str, Any]]:
    return of_all_items(task_pk, live_counts())


@compiled
def _of_anybody(task_id: str) -> QuerySet[SyncProgressTask]:
    return _with_retry(SyncProgressTask.objects.filter(task_id=task_id))


@compiled
def _of_owner(task_id: str, owner_id: int) -> QuerySet[SyncProgressTask]:
    return _with_retry(SyncProgressTask.objects.filter(task_id=task_id, owner_id=owner_id))


def _with_retry(tasks: QuerySet[SyncProgressTask]) -> QuerySet[SyncProgressTask]:
    """The tasks alone, each with the id of the one that retries it."""
    retry = SyncProgressTask.objects.filter(parent=OuterRef("pk")).values("task_id")[:1]
    return tasks.annotate(retried_as=Subquery(retry))


def _there(task: SyncProgressTask | None, what: str) -> SyncProgressTask:
    if task is None:
        raise TaskNotFound(what=what)
    return task
