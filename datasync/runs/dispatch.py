"""Calling workers: by messages, or where the broker does not take them, in this process."""

from __future__ import annotations

import threading

from django.conf import settings

from datasync.models import SyncProgressTask
from datasync.runs.local import pool
from datasync.runs.publish import USUAL_PRIORITY, give_turns


def dispatch(task: SyncProgressTask) -> bool:
    """Call as many workers as the task may use at once; the first message has the id that the client was told.

    False, which the task keeps as ``fallback``: without the broker.
    """
    turns = max(1, min(settings.BATCH_WINDOW, task.total_files))
    heard = call_workers(turns=turns, first_id=task.celery_task_id, priority=task.priority)
    if heard == task.fallback:
        task.fallback = not heard
        SyncProgressTask.objects.filter(pk=task.pk).update(fallback=not heard)
    return heard


def call_workers(*, turns: int = 1, first_id: str | None = None, priority: int = USUAL_PRIORITY) -> bool:
    """Give so many turns; False where the broker did not take them, or is not to be asked."""
    heard = settings.EXECUTION == "celery" and give_turns(turns=turns, first_id=first_id, priority=priority)
    if not heard:
        for _ in range(turns):
            pool.wake()
    return heard


def give_turn_later(seconds: float) -> None:
    """Call a worker when a file that was put back is due; if this process ends before, the sweeper does."""
    timer = threading.Timer(seconds, call_workers)
    timer.daemon = True
    timer.start()
