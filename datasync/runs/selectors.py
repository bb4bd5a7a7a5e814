"""Reading tasks: who may see which, how far one is, what its files came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils import timezone

from datasync.choices import ITEM_SUCCEEDED, ITEM_TERMINAL, TASK_ACTIVE, TASK_TERMINAL, ItemState
from datasync.exceptions import TaskNotFound
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.results import celery_state
from datasync.runs.words import summary

__all__ = [
    "celery_state", "progress", "seconds_to_go", "task_by_celery_id", "task_for", "tasks_visible_to",
    "with_live_counts",
]  # fmt: skip
MOST_CURRENT = 10


def tasks_visible_to(user: AbstractBaseUser) -> QuerySet[SyncProgressTask]:
    """A person's own tasks; everybody's for staff."""
    tasks = SyncProgressTask.objects.select_related("owner", "parent")
    return tasks if getattr(user, "is_staff", False) else tasks.filter(owner_id=user.pk)


def may_see(user: AbstractBaseUser, task: SyncProgressTask) -> bool:
    """Whether the task is among those that are visible to the person."""
    return bool(getattr(user, "is_staff", False)) or task.owner_id == user.pk


def task_for(user: AbstractBaseUser, task_id: str) -> SyncProgressTask:
    """The task with this public id, as far as the person may see it. Raises ``TaskNotFound``."""
    return _one(tasks_visible_to(user).filter(task_id=task_id), task_id)


def task_by_celery_id(user: AbstractBaseUser, celery_task_id: str) -> SyncProgressTask:
    """The task whose client was given this Celery id. Raises ``TaskNotFound``."""
    return _one(tasks_visible_to(user).filter(celery_task_id=celery_task_id), celery_task_id)


def with_live_counts(tasks: Iterable[SyncProgressTask]) -> list[SyncProgressTask]:
    """The same tasks; those not yet closed carry what their items say at this moment. One statement for all."""
    rows = list(tasks)
    active = {task.pk: task for task in rows if task.state in TASK_ACTIVE}
    if not active:
        return rows
    items = SyncTaskFile.objects.filter(task__in=active).order_by().values("task")
    counted: Any = items.annotate(**_live_counts())
    for now in counted:
        task = active[now["task"]]
        for name in ("succeeded", "failed", "skipped"):
            setattr(task, f"{name}_files", now[name])
        for name in COUNT_NAMES:
            setattr(task, f"rows_{name}", now[name])
        task.rows_per_second = _rows_per_second(task, now["read"])
    return rows


def seconds_to_go(tasks: Iterable[SyncProgressTask]) -> dict[int, float | None]:
    """By primary key: in how many seconds each task ends, were the rest as fast as what is done; None: not known.

    One statement for all.
    """
    begun = {task.pk: task for task in tasks}
    items = SyncTaskFile.objects.filter(task__in=begun).order_by().values("task")
    known = {now["task"]: _eta(begun[now["task"]], _row_progress(now)) for now in items.annotate(**_advance())}
    return {pk: known.get(pk) for pk in begun}


def progress(task: SyncProgressTask, *, page: int = 1, page_size: int = 50) -> dict[str, Any]:
    """How far the task is, with a page of its files' results: three statements while it runs, one when it is done."""
    state = _finished(task) if task.state in TASK_TERMINAL else _running(task)
    return {
        "task_id": task.task_id,
        "celery_task_id": task.celery_task_id,
        "kind": task.kind,
        "status": task.state,
        "message": summary(task),
        "priority": task.priority,
        "files": state.files,
        "rows": state.rows,
        "current_file": state.current[0]["file"] if state.current else None,
        "current_files": list(state.current),
        "file_progress": _percent(state.files["processed"], state.files["total"]),
        "row_progress": state.row_progress,
        "rows_per_second": state.rows_per_second,
        "eta_seconds": _eta(task, state.row_progress),
        "errors": list(state.errors),
        "warnings": task.warnings,
        "quality_check": task.quality,
        "results": _results(task, page=page, page_size=page_size),
        "created_at": task.created_at,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
    }


@dataclass(frozen=True, slots=True)
class _State:
    files: dict[str, int]
    rows: dict[str, int]
    row_progress: float
    rows_per_second: float | None
    current: Sequence[dict[str, Any]] = ()
    errors: Sequence[dict[str, Any]] = ()


def _finished(task: SyncProgressTask) -> _State:
    """What closing wrote into the task."""
    ended = {"succeeded": task.succeeded_files, "failed": task.failed_files, "skipped": task.skipped_files}
    return _State(
        files={"total": task.total_files, "processed": sum(ended.values()), **ended},
        rows={name: getattr(task, f"rows_{name}") for name in COUNT_NAMES},
        row_progress=100.0,
        rows_per_second=task.rows_per_second,
        errors=task.errors,
    )


def _running(task: SyncProgressTask) -> _State:
    """What the items say at this moment."""
    items = SyncTaskFile.objects.filter(task=task)
    now = items.aggregate(**{**_live_counts(), **_advance()})
    telling = items.filter(state__in=(ItemState.PROCESSING, ItemState.FAILED)).order_by(
        "-state", "position"
    )  # what is in hand first
    current: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for item in telling.values("state", "file_id", "file__original_name", "rows_read", "rows_expected", "error")[:110]:
        file = {"file_id": item["file_id"], "file": item["file__original_name"]}
        if item["state"] == ItemState.FAILED:
            errors.append(file | item["error"])
        elif len(current) < MOST_CURRENT:
            current.append(file | {"rows_read": item["rows_read"], "rows_expected": item["rows_expected"]})
    names = ("total", "processed", "succeeded", "failed", "skipped")
    return _State(
        files={name: now[name] for name in names},
        rows={name: now[name] for name in COUNT_NAMES},
        row_progress=_row_progress(now),
        rows_per_second=_rows_per_second(task, now["read"]),
        current=current,
        errors=errors,
    )


def _advance() -> dict[str, Any]:
    """How far items are, in files and rows; ``read`` counts the rows."""
    done = Q(state__in=ITEM_TERMINAL)
    return {
        "total": Count("pk"),
        "processed": Count("pk", filter=done),
        "read": Sum("rows_read", default=0),
        "usual": Avg("rows_read", filter=Q(state__in=ITEM_SUCCEEDED)),
        "expected": Sum("rows_expected", filter=~done, default=0),
        "without_expectation": Count("pk", filter=~done & Q(rows_expected=None)),
        "rows_done": Sum("rows_read", filter=done, default=0),
    }


def _live_counts() -> dict[str, Any]:
    """How items add up: files by how they ended, rows by where they went."""
    return {
        "succeeded": Count("pk", filter=Q(state__in=ITEM_SUCCEEDED)),
        "failed": Count("pk", filter=Q(state=ItemState.FAILED)),
        "skipped": Count("pk", filter=Q(state__in=(ItemState.SKIPPED, ItemState.CANCELLED))),
        **{name: Sum(f"rows_{name}", default=0) for name in COUNT_NAMES},
    }


def _rows_per_second(task: SyncProgressTask, rows: int) -> float | None:
    seconds = _seconds_since(task.started_at)
    return round(rows / seconds, 1) if seconds and rows else None


def _row_progress(now: dict[str, Any]) -> float:
    """Rows read of the rows to expect: what is known of a file's last sync, else what the task's other files had."""
    to_come = now["expected"] + now["without_expectation"] * (now["usual"] or 0)
    if not to_come:
        return _percent(now["processed"], now["total"])
    whole = max(now["rows_done"] + to_come, now["read"])
    return min(_percent(now["read"], whole), 99.9)


def _results(task: SyncProgressTask, *, page: int, page_size: int) -> list[dict[str, Any]]:
    items = SyncTaskFile.objects.filter(task=task).order_by("position").select_related("file")
    first = (page - 1) * page_size
    return [
        {
            "file_id": item.file_id,
            "file": item.file.original_name,
            "status": item.state,
            "attempt": item.attempt,
            "rows": {name: getattr(item, f"rows_{name}") for name in COUNT_NAMES},
            "error": item.error or None,
            "warnings": item.warnings,
            "started_at": item.started_at,
            "finished_at": item.finished_at,
            "duration_ms": item.duration_ms,
        }
        for item in items.only(*_RESULT_COLUMNS)[first : first + page_size]
    ]


_RESULT_COLUMNS = (
    *("task_id", "position", "state", "attempt", "error", "warnings", "started_at", "finished_at", "duration_ms"),
    *(f"rows_{name}" for name in COUNT_NAMES),
    "file__original_name",
)


def _one(tasks: QuerySet[SyncProgressTask], what: str) -> SyncProgressTask:
    task = tasks.first()
    if task is None:
        raise TaskNotFound(what=what)
    return task


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _seconds_since(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0


def _eta(task: SyncProgressTask, row_progress: float) -> float | None:
    """Seconds to go, were the rest as fast as what is done."""
    if task.state in TASK_TERMINAL:
        return 0.0
    share = row_progress / 100
    return round(_seconds_since(task.started_at) * (1 - share) / share, 1) if share and task.started_at else None
