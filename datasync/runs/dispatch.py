"""After a submit: as many turns as the task may use at once."""

from __future__ import annotations

from django.conf import settings

from datasync.models import SyncProgressTask
from datasync.runs.publish import give_turns


def dispatch(task: SyncProgressTask) -> bool:
    """Give turns for the task; the first has the id that the client was told. False: the broker did not take them."""
    turns = max(1, min(settings.BATCH_WINDOW, task.total_files))
    heard = give_turns(turns=turns, first_id=task.celery_task_id, priority=task.priority)
    if heard == task.fallback:
        task.fallback = not heard
        SyncProgressTask.objects.filter(pk=task.pk).update(fallback=not heard)
    return heard
