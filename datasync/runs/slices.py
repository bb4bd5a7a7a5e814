"""A slice: one message works through files of its task for about a second, then queues again behind the others.

So small files cost no message each, a large batch starves nobody, and a lost worker loses one file's effort.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models.functions import Now

from datasync.choices import TASK_ACTIVE, ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.claim import claim_next
from datasync.runs.close import close_if_done
from datasync.runs.execute import execute
from datasync.runs.publish import publish
from datasync.runs.results import store_started

logger = logging.getLogger(__name__)


def run_slice(task_id: int) -> None:
    """Work on the task with this primary key for a slice; pass the bell on, or close the task as the last one out.

    A database that is busy or away at that moment costs the slice; the bell goes back, so nothing is forgotten.
    """
    close_old_connections()
    task = SyncProgressTask.objects.filter(pk=task_id, state__in=TASK_ACTIVE).first()
    if task is None:
        return
    try:
        _work(task)
    except (OperationalError, InterfaceError) as error:
        logger.warning("The slice of task %s ends early: %s", task.task_id, error)
        time.sleep(settings.SLICE_SECONDS)
        if not publish(task):
            raise


def _work(task: SyncProgressTask) -> None:
    """File after file until the slice is over. Where the broker does not take the bell back, it simply goes on."""
    end = time.monotonic() + settings.SLICE_SECONDS
    while True:
        claim = claim_next(task.pk)
        if claim is None:
            if not _waits_for_a_time(task):
                break
            time.sleep(settings.SLICE_SECONDS)
        else:
            _mark_started(task)
            execute(claim, task)
        if time.monotonic() >= end and _has_queued(task) and publish(task):
            return
    close_if_done(task)


def _mark_started(task: SyncProgressTask) -> None:
    """The first claim of a task starts it, exactly once among all workers."""
    if task.state == TaskState.PROCESSING:
        return
    waiting = SyncProgressTask.objects.filter(pk=task.pk, state__in=(TaskState.PENDING, TaskState.QUEUED))
    task.state = TaskState.PROCESSING
    if waiting.update(state=TaskState.PROCESSING, started_at=Now(), message=""):
        store_started(task)


def _has_queued(task: SyncProgressTask) -> bool:
    return SyncTaskFile.objects.filter(task=task, state=ItemState.QUEUED).exists()


def _waits_for_a_time(task: SyncProgressTask) -> bool:
    """Whether files are put back for a moment that has not come: somebody has to be there when it does."""
    return SyncTaskFile.objects.filter(task=task, state=ItemState.QUEUED, not_before__isnull=False).exists()
