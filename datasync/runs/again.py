"""Retrying a task that has ended: one new task over what was not synced, however often it is asked for."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from datasync.access import Sight
from datasync.choices import TASK_TERMINAL, FileState, ItemState, TaskKind
from datasync.exceptions import NothingToRetry, NotStarted, QuotaExceeded, TaskRunning
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.admission import hold_owner
from datasync.runs.deadline import require_deadline, seconds_given
from datasync.runs.remap.services import start_remap
from datasync.runs.services import Submission, submit_again

_FAILED = Q(state=ItemState.FAILED)
_UNFINISHED = Q(state=ItemState.CANCELLED) | Q(state=ItemState.SKIPPED, error__code=NotStarted.code)
"""Files that were stopped, or that no worker came to in time."""
_LEFT_OUT = "busy_file_ids"
"""The option under which a retry keeps the files that it did not get, to say the same whenever it is asked for."""
_WAIT_SECONDS = 60.0
"""When to try again, for whom nothing is told of what the quota is used up by."""


def retry_task(
    task: SyncProgressTask, *, sight: Sight, only_failed: bool = True, deadline_seconds: int | None = None
) -> Submission:
    """The one retry of the task: made now over its failed files, or the one that was made before, whatever over.

    Without ``only_failed`` files that were stopped or not started are taken too; files that were in other tasks when
    it was made are named. It belongs to whom the task belongs to, and has as long as it had unless
    ``deadline_seconds`` says otherwise. Whoever is limited to shops retries files of these, and is not told what the
    quota of somebody else is used up by. Raises ``TaskRunning``, ``NothingToRetry``, ``FileBusy`` where all the files
    are in other tasks by now, and of a remap what ``start_remap`` raises.
    """
    require_deadline(deadline_seconds)
    with transaction.atomic():
        hold_owner(task.owner)
        held = SyncProgressTask.objects.select_for_update(no_key=True).get(pk=task.pk)
        if (made := SyncProgressTask.objects.filter(parent=held).first()) is not None:
            return Submission(task=made, busy_file_ids=tuple(made.options.get(_LEFT_OUT, ())), repeated=True)
        if held.state not in TASK_TERMINAL:
            raise TaskRunning(task_id=held.task_id)
        file_ids = list(_files(held, only_failed=only_failed, sight=sight))
        try:
            retried = _submitted(held, file_ids, sight=sight, deadline_seconds=deadline_seconds) if file_ids else None
        except QuotaExceeded:
            if sight.limited and sight.person_id != held.owner_id:
                raise QuotaExceeded(wait=_WAIT_SECONDS) from None
            raise
        if retried is None:
            _failed, unfinished = retryable(held, sight=sight)
            raise NothingToRetry(task_id=held.task_id, unfinished=unfinished)
        if retried.busy_file_ids:
            retried.task.options |= {_LEFT_OUT: list(retried.busy_file_ids)}
            SyncProgressTask.objects.filter(pk=retried.task.pk).update(options=retried.task.options)
        return retried


def retryable(task: SyncProgressTask, *, sight: Sight) -> tuple[int, int]:
    """How many files of the task failed, and how many were stopped or not started."""
    failed, whole = (_files(task, only_failed=only_failed, sight=sight).count() for only_failed in (True, False))
    return failed, whole - failed


def _submitted(
    parent: SyncProgressTask, file_ids: list[int], *, sight: Sight, deadline_seconds: int | None
) -> Submission | None:
    if parent.kind != TaskKind.REMAP:
        return submit_again(parent, file_ids=file_ids, sight=sight, deadline_seconds=deadline_seconds)
    started = start_remap(
        parent.options["template_id"],
        owner=parent.owner,
        sight=sight,
        priority=parent.priority,
        deadline_seconds=seconds_given(parent) if deadline_seconds is None else deadline_seconds,
        file_ids=frozenset(file_ids),
        parent=parent,
    )
    return Submission(task=started.task, busy_file_ids=started.busy_file_ids) if started else None


def _files(task: SyncProgressTask, *, only_failed: bool, sight: Sight) -> QuerySet[SyncTaskFile, int]:
    """Ids of the files to retry, in the order of the task. Deleted ones are gone, but for a remap of their rows."""
    items = task.items.filter(_FAILED if only_failed else _FAILED | _UNFINISHED, sight.files_to_load("file__"))
    if task.kind != TaskKind.REMAP:
        items = items.exclude(file__state=FileState.DELETED)
    return items.order_by("position").values_list("file_id", flat=True)
