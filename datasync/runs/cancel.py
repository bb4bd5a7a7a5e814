"""Cancelling a task: what waits is stopped at once, what is in hand within seconds, what is done stays and is said.

The database is all that is told: workers see it at their next heartbeat, and no file can end as synced after a cancel
that it did not outrun. On SQLite, which lets one transaction write at a time, a cancel waits for a load to end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from datasync.choices import ITEM_ACTIVE, TASK_TERMINAL, ItemState, TaskState
from datasync.exceptions import TaskFinished
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import finish
from datasync.runs.close import close_if_done
from datasync.runs.patience import hold_briefly
from datasync.runs.remap.unfinished import is_unfinished

MOST_LISTED = 1_000
"""How many files of each kind an answer names; it counts all."""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Files:
    """How many files, and the first of them in the order of the task."""

    files: int
    file_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancelled task as it stands, with its files: stopped ones, of which nothing is written; finished ones, which
    stay as they are; and those in hand, which stop within seconds unless they are done before.
    """

    task: SyncProgressTask
    stopped: Files
    finished: Files
    stopping: Files


def cancel_task(task: SyncProgressTask) -> Cancellation:
    """Cancel the task; done again, it says how far that is. Raises ``TaskFinished`` where nothing is left to stop.

    A task with files in hand closes when the last of them has stopped, any other at once; but a remap that has moved
    rows out of the way is left to the sweeper, as a person cannot wait for the loads of its domain.
    """
    with transaction.atomic():
        hold_briefly()
        held = SyncProgressTask.objects.select_for_update(no_key=True).get(pk=task.pk)
        over = held.state in TASK_TERMINAL or not held.items.filter(state__in=ITEM_ACTIVE).exists()
        if not over:
            _stop(held)
    if not is_unfinished(held):
        close_if_done(held)
    now = SyncProgressTask.objects.get(pk=task.pk)
    if over and now.state != TaskState.CANCELLING:
        raise TaskFinished(task_id=now.task_id, state=TaskState(now.state))
    return as_it_stands(now)


def _stop(task: SyncProgressTask) -> None:
    """Ask those who work on the task to stop, and stop what waits. The caller holds the task.

    First the items, then the files, in the order of their ids: whoever else takes several takes them so.
    """
    SyncProgressTask.objects.filter(pk=task.pk).update(
        state=TaskState.CANCELLING, cancel_requested_at=Coalesce("cancel_requested_at", Now()), message=""
    )
    waiting = task.items.filter(state=ItemState.QUEUED)
    held = list(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
    files = CatalogFile.objects.filter(items__in=waiting).order_by("pk")
    list(files.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    for first in range(0, len(held), _AT_ONCE):
        items = SyncTaskFile.objects.filter(pk__in=held[first : first + _AT_ONCE])
        items.update(state=ItemState.CANCELLED, error={}, not_before=None, finished_at=Now())
        finish.hand_back(items)


def as_it_stands(task: SyncProgressTask) -> Cancellation:
    """What has become of the files of a cancelled task up to now."""
    items = task.items.order_by("position")
    return Cancellation(
        task=task,
        stopped=_files(items.filter(state=ItemState.CANCELLED)),
        finished=_files(items.exclude(state__in=(*ITEM_ACTIVE, ItemState.CANCELLED))),
        stopping=_files(items.filter(state__in=ITEM_ACTIVE)),
    )


def _files(items: QuerySet[SyncTaskFile]) -> Files:
    listed: Iterable[int] = items.values_list("file_id", flat=True)[:MOST_LISTED]
    return Files(files=items.count(), file_ids=tuple(listed))
