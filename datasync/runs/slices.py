"""A slice: one message works through files of its task for about a second, then queues again behind the others.

So small files cost no message each, a large batch starves nobody, and a lost worker loses one file's effort. A message
keeps its id while it is passed on.
"""

from __future__ import annotations

import logging
import time
import uuid

from django.conf import settings
from django.db import close_old_connections
from django.db.models.functions import Now

from datasync.choices import TASK_ACTIVE, ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.claim import claim_next
from datasync.runs.close import close_if_done
from datasync.runs.execute import execute
from datasync.runs.publish import publish
from datasync.runs.results import store_started
from datasync.runs.standby import PAUSE_SECONDS, stand_by, stand_down, watch_leases

logger = logging.getLogger(__name__)
MOST_SECONDS = 300.0
"""No message takes another file after so long, so that the last one still has most of the soft time limit."""
_MIDDLE_PRIORITY = 5


class BellNotPassedOn(Exception):
    """The broker did not take the message back: it has to deliver the same one again."""


def run_slice(task_id: int, *, message_id: str | None = None, redelivered: bool = False) -> None:
    """Work on the task with this primary key for a slice; pass the bell on, or close the task as the last one out.

    Whatever fails costs the slice and a pause; the bell goes back, so nothing is forgotten. Raises
    ``BellNotPassedOn`` where the broker does not take it.
    """
    message_id = message_id or str(uuid.uuid4())
    task = None
    try:
        close_old_connections()
        task = SyncProgressTask.objects.filter(pk=task_id, state__in=TASK_ACTIVE).first()
        if task is None:
            return
        if redelivered:
            watch_leases(task.pk)
        _work(task, message_id)
    except BellNotPassedOn:
        raise
    except Exception:  # the boundary of a message: without it one defect would silence the task for good
        logger.exception("The slice of task %s ends early", task.task_id if task else task_id)
        time.sleep(settings.SLICE_SECONDS)
        if task is None or not publish(task, first_id=message_id):
            raise BellNotPassedOn from None


def _work(task: SyncProgressTask, message_id: str) -> None:
    """File after file until the slice is over. Where the broker does not take the bell back, it goes on for a while."""
    began = time.monotonic()
    while True:
        claim = claim_next(task.pk)
        waited = claim is None
        if claim is not None:
            _mark_started(task)
            if stand_down(task, message_id=message_id):
                _call_others(task)
            execute(claim, task)
        elif close_if_done(task) or not stand_by(task.pk, message_id=message_id):
            return
        else:
            time.sleep(PAUSE_SECONDS)
        passed = time.monotonic() - began
        if waited or (passed >= settings.SLICE_SECONDS and _queued(task)):
            # Waiting makes nobody wait: it is never more urgent than usual work.
            priority = min(task.priority, _MIDDLE_PRIORITY) if waited else task.priority
            if publish(task, first_id=message_id, priority=priority):
                return
            if passed >= MOST_SECONDS:
                raise BellNotPassedOn


def _mark_started(task: SyncProgressTask) -> None:
    """The first claim of a task starts it, exactly once among all workers."""
    if task.state == TaskState.PROCESSING:
        return
    waiting = SyncProgressTask.objects.filter(pk=task.pk, state__in=(TaskState.PENDING, TaskState.QUEUED))
    task.state = TaskState.PROCESSING
    if waiting.update(state=TaskState.PROCESSING, started_at=Now(), message=""):
        store_started(task)


def _call_others(task: SyncProgressTask) -> None:
    """The others ended while one stood by; with several files to do they are wanted again."""
    wanted = min(settings.BATCH_WINDOW - 1, _queued(task))
    if wanted:
        publish(task, messages=wanted)


def _queued(task: SyncProgressTask) -> int:
    """How many files of the task wait, counted as far as a window of messages can use."""
    items = SyncTaskFile.objects.filter(task=task, state=ItemState.QUEUED)
    return len(items.values_list("pk")[: settings.BATCH_WINDOW])
