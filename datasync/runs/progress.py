"""How far a task is: a glance that tells whether anything changed, and the whole answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.utils import timezone, translation

from datasync.access import Sight
from datasync.choices import ITEM_SUCCEEDED, ITEM_TERMINAL, TASK_TERMINAL, ItemState
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.quality.gate import quality_in_sight
from datasync.runs.asking import of_all_items
from datasync.runs.situation import NO_FILES, Queue, Situation, situation_counts
from datasync.runs.waiting import item_waiting, task_waiting
from datasync.runs.words import summary
from erp.compiled import compiled

MOST_CURRENT = 10
POLLED_PAGE = 50
"""The files that an answer shows of which nobody said how many."""
_MOST_TELLING = MOST_CURRENT + 100


@dataclass(frozen=True, slots=True)
class Glance:
    """What one statement says of a task, none where it is finished; ``waiting`` costs two more where it waits."""

    task: SyncProgressTask
    situation: Situation
    waiting: dict[str, Any]

    def version(self, *parts: object) -> str:
        """Changes with whatever an answer shows but its speed and the time left; ``parts`` belong to the answer too."""
        task, counts = self.task, {name: value for name, value in self.situation.counts.items() if name != "now"}
        told = (task.pk, task.state, task.started_at, task.finished_at, counts, self.waiting)
        document = json.dumps((*told, translation.get_language(), *parts), default=str, sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()[:32]


def glance(task: SyncProgressTask) -> Glance:
    """Look at the task as it is now, in the active language."""
    counts = NO_FILES
    if task.state not in TASK_TERMINAL:
        (counts,) = _all_counts(task.pk, lease_seconds=settings.LEASE_SECONDS)
    situation = Situation(task=task, counts=counts, queue=Queue.of_now())
    return Glance(task=task, situation=situation, waiting=task_waiting(situation).document)


@compiled
def _all_counts(task_pk: int, *, lease_seconds: int) -> QuerySet[SyncTaskFile, dict[str, Any]]:  # noqa: ARG001 - among the counts
    attempts = {"attempts": Sum("attempt", default=0)}
    return of_all_items(task_pk, live_counts() | _advance() | situation_counts() | attempts)


def progress(
    task: SyncProgressTask, *, sight: Sight, page: int = 1, page_size: int = POLLED_PAGE, seen: Glance | None = None
) -> dict[str, Any]:
    """How far a task in sight is, with a page of its files' results; a page size of 0 leaves those out.

    Three statements while files are in hand or have failed, else two; two more, once a second for all who ask, while it
    waits for a worker; one when it is done. ``seen`` saves the first.
    """
    seen = seen or glance(task)
    state = _finished(task) if task.state in TASK_TERMINAL else _running(task, seen.situation.counts)
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
        "quality_check": quality_in_sight(task.quality, sight=sight),
        "waiting": seen.waiting,
        "results": _results(seen.situation, page=page, page_size=page_size) if page_size else [],
        "created_at": task.created_at,
        "deadline_at": task.deadline_at,
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


def _running(task: SyncProgressTask, now: Mapping[str, Any]) -> _State:
    """What the items say at this moment."""
    current: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for item in _telling(task.pk) if now["in_work"] or now["failed"] else ():
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
        rows_per_second=rows_per_second(task, now["read"]),
        current=current,
        errors=errors,
    )


@compiled
def _telling(task_pk: int) -> QuerySet[SyncTaskFile, dict[str, Any]]:
    """The files in hand, then those that failed; as many as an answer may name."""
    items = SyncTaskFile.objects.filter(task=task_pk, state__in=(ItemState.PROCESSING, ItemState.FAILED))
    columns = ("state", "file_id", "file__original_name", "rows_read", "rows_expected", "error")
    told: QuerySet[SyncTaskFile, dict[str, Any]] = items.order_by("-state", "position").values(*columns)
    return told[:_MOST_TELLING]


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


def live_counts() -> dict[str, Any]:
    """How items add up: files by how they ended, rows by where they went."""
    return {
        "succeeded": Count("pk", filter=Q(state__in=ITEM_SUCCEEDED)),
        "failed": Count("pk", filter=Q(state=ItemState.FAILED)),
        "skipped": Count("pk", filter=Q(state__in=(ItemState.SKIPPED, ItemState.CANCELLED))),
        **{name: Sum(f"rows_{name}", default=0) for name in COUNT_NAMES},
    }


def rows_per_second(task: SyncProgressTask, rows: int) -> float | None:
    seconds = _seconds_since(task.started_at)
    return round(rows / seconds, 1) if seconds and rows else None


def _row_progress(now: Mapping[str, Any]) -> float:
    """Rows read of the rows to expect: what is known of a file's last sync, else what the task's other files had."""
    to_come = now["expected"] + now["without_expectation"] * (now["usual"] or 0)
    if not to_come:
        return _percent(now["processed"], now["total"])
    whole = max(now["rows_done"] + to_come, now["read"])
    return min(_percent(now["read"], whole), 99.9)


def _results(situation: Situation, *, page: int, page_size: int) -> list[dict[str, Any]]:
    if (page, page_size) == (1, POLLED_PAGE):
        items = _first_results(situation.task.pk)
    else:
        first = (page - 1) * page_size
        items = list(result_rows(situation.task).order_by("position")[first : first + page_size])
    return [result_document(item, situation) for item in items]


@compiled
def _first_results(task_pk: int) -> QuerySet[SyncTaskFile]:
    return _results_of(task_pk).order_by("position")[:POLLED_PAGE]


def result_rows(task: SyncProgressTask) -> QuerySet[SyncTaskFile]:
    """The files of a task, with what their results tell."""
    return _results_of(task.pk)


def _results_of(task_pk: int) -> QuerySet[SyncTaskFile]:
    return SyncTaskFile.objects.filter(task=task_pk).select_related("file").only(*_RESULT_COLUMNS)


def result_document(item: SyncTaskFile, situation: Situation) -> dict[str, Any]:
    """What came of one file, or what it waits for."""
    return {
        "file_id": item.file_id,
        "file": item.file.original_name,
        "status": item.state,
        "attempt": item.attempt,
        "rows": {name: getattr(item, f"rows_{name}") for name in COUNT_NAMES},
        "error": item.error or None,
        "warnings": item.warnings,
        "waiting": item_waiting(item, situation).document,
        "started_at": item.started_at,
        "finished_at": item.finished_at,
        "duration_ms": item.duration_ms,
    }


_RESULT_COLUMNS = (
    *("task_id", "position", "state", "attempt", "error", "warnings", "started_at", "finished_at", "duration_ms"),
    *("crashes", "lease_until", "not_before", "queued_at"),
    *(f"rows_{name}" for name in COUNT_NAMES),
    "file__original_name",
)


def seconds_to_go(tasks: Iterable[SyncProgressTask]) -> dict[int, float | None]:
    """By primary key: in how many seconds each task ends, were the rest as fast as what is done; None: not known.

    One statement for all.
    """
    begun = {task.pk: task for task in tasks}
    items = SyncTaskFile.objects.filter(task__in=begun).order_by().values("task")
    counted: Any = items.annotate(**_advance())
    known = {now["task"]: _eta(begun[now["task"]], _row_progress(now)) for now in counted}
    return {pk: known.get(pk) for pk in begun}


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
