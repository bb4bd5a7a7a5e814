"""Celery's own row for the id that a client was given, so that any Celery client reads the truth.

Messages store no results: the item rows are the truth, and a result for each message would cost more than the work.
"""

from __future__ import annotations

from typing import Any, cast

from celery import current_app, states
from celery.exceptions import TaskRevokedError
from django.db.models.functions import Now
from django_celery_results.backends.database import DatabaseBackend
from django_celery_results.models import TaskResult

from datasync.choices import TaskState
from datasync.models import SyncProgressTask
from datasync.runs.publish import TURN_TASK
from datasync.runs.worker import worker_name


class SyncFailed(Exception):
    """The result of a task of which nothing could be synced: a sentence and the summary."""


def store_started(task: SyncProgressTask) -> None:
    """Say that the first file of the task is in hand."""
    _store(task, states.STARTED, {"task_id": task.task_id, "worker": worker_name()})


def store_closed(task: SyncProgressTask, outcome: dict[str, Any]) -> None:
    """Say how the task ended: as an exception where all failed or it was cancelled.

    Its sentence is in the language of programs.
    """
    if task.state == TaskState.CANCELLED:
        _store(task, states.REVOKED, TaskRevokedError(outcome["message"], outcome))
    elif task.state == TaskState.FAILED:
        _store(task, states.FAILURE, SyncFailed(outcome["message"], outcome))
    else:
        _store(task, states.SUCCESS, outcome)


def celery_state(task: SyncProgressTask) -> str:
    """The task's state in Celery's words."""
    return _CELERY_STATES[TaskState(task.state)]


_CELERY_STATES = {
    TaskState.PENDING: states.PENDING,
    TaskState.QUEUED: states.PENDING,
    TaskState.PROCESSING: states.STARTED,
    TaskState.CANCELLING: states.STARTED,
    TaskState.COMPLETED: states.SUCCESS,
    TaskState.PARTIAL: states.SUCCESS,
    TaskState.FAILED: states.FAILURE,
    TaskState.CANCELLED: states.REVOKED,
}


def _store(task: SyncProgressTask, state: str, result: Any) -> None:
    """As Celery's backend does, in one statement instead of two."""
    backend = _backend()
    content_type, content_encoding, encoded = backend.encode_content(backend.encode_result(result, state))
    values = {
        "status": state,
        "result": encoded,
        "content_type": content_type,
        "content_encoding": content_encoding,
        "meta": _encoded({"children": []}),
        "task_name": TURN_TASK,
        "task_args": _encoded("()"),
        "task_kwargs": _encoded("{}"),
        "worker": worker_name()[:_LONGEST_WORKER],
    }
    if state == states.STARTED:  # a process that stood still before this must not take back that the task has ended
        started = TaskResult(task_id=task.celery_task_id, **values, date_started=Now())
        TaskResult.objects.bulk_create([started], ignore_conflicts=True)
        return
    TaskResult.objects.bulk_create(
        [TaskResult(task_id=task.celery_task_id, **values)],
        update_conflicts=True,
        unique_fields=("task_id",),
        update_fields=(*values, "date_done"),
    )


def _encoded(value: Any) -> str:
    """How Celery's backend keeps a value."""
    return str(_backend().encode_content(value)[2])


def _backend() -> DatabaseBackend:
    return cast("DatabaseBackend", current_app.backend)


_LONGEST_WORKER = 100
