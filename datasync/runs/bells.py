"""Who rings for a task, and when: after its submit, and again when somebody asks for files that nobody works on."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE, ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.publish import publish
from datasync.runs.words import NOT_RUNG

MOST_RUNG_AGAIN = 10


def ring(task: SyncProgressTask) -> bool:
    """Publish as many messages as the window allows. Without a broker the task stays queued, and says so."""
    messages = max(1, min(settings.BATCH_WINDOW, task.total_files))
    heard = publish(task, messages=messages, first_id=task.celery_task_id)
    message = "" if heard else NOT_RUNG
    if message != task.message:
        task.message = message
        SyncProgressTask.objects.filter(pk=task.pk, state=TaskState.QUEUED).update(message=message)
    return heard


def ring_again(*, file_ids: Collection[int]) -> None:
    """Ring for the tasks of busy files that no living worker has in hand: their message may be lost.

    Claims make a bell too many harmless.
    """
    waiting = SyncTaskFile.objects.filter(file__in=file_ids, task=OuterRef("pk"), state__in=ITEM_ACTIVE)
    in_hand = SyncTaskFile.objects.filter(task=OuterRef("pk"), state=ItemState.PROCESSING, lease_until__gte=Now())
    _ring_all(SyncProgressTask.objects.filter(Exists(waiting), ~Exists(in_hand), state__in=TASK_ACTIVE))


def ring_unheard() -> None:
    """Ring for tasks whose bell the broker did not take."""
    _ring_all(SyncProgressTask.objects.filter(state=TaskState.QUEUED, message=NOT_RUNG))


def _ring_all(tasks: QuerySet[SyncProgressTask]) -> None:
    """Oldest first, and only as long as the broker takes them: each refusal costs up to a second."""
    for task in tasks.order_by("pk")[:MOST_RUNG_AGAIN]:
        if not ring(task):
            return
