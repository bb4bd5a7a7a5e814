"""Standing by: while nothing of a task can be claimed yet, one message of it stays about and all others end.

What is waited for: files put back for a moment that has not come, files whose worker died and whose lease still runs,
and a closer that vanished. Waiting is done in short pauses between turns in the queue, so that it blocks no worker.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE, ItemState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.claim import MOST_ATTEMPTS

PAUSE_SECONDS = 0.2
_ROLE_LASTS = timedelta(seconds=30)
"""Who has not had a turn for so long has lost the role, wherever its message is."""
_USUAL_CLOSE = timedelta(seconds=0.5)


def stand_by(task_id: int, *, message_id: str) -> bool:
    """Become, or stay, the one message that waits; False: there is nothing to wait for, or another does."""
    items = SyncTaskFile.objects.filter(task_id=OuterRef("pk"))
    put_back = Exists(items.filter(state=ItemState.QUEUED))
    died = Exists(
        items.filter(state=ItemState.PROCESSING, attempt__lt=MOST_ATTEMPTS, lease_until__lte=OuterRef("watch_until"))
    )
    late = Q(closing_at__lt=Now() - _USUAL_CLOSE) | Q(closing_at__lte=F("watch_until"))
    closer_vanished = Q(late) & ~Exists(items.filter(state__in=ITEM_ACTIVE))
    free = Q(waiter_until=None) | Q(waiter_until__lt=Now()) | Q(waiter=message_id)
    task = SyncProgressTask.objects.filter(pk=task_id, state__in=TASK_ACTIVE)
    return bool(
        task.filter(free, Q(put_back) | Q(died) | closer_vanished).update(
            waiter=message_id, waiter_until=Now() + _ROLE_LASTS
        )
    )


def stand_down(task: SyncProgressTask, *, message_id: str) -> bool:
    """Give the role up when there is work again; True for who had it."""
    if task.waiter != message_id:
        return False
    task.waiter = ""
    return bool(SyncProgressTask.objects.filter(pk=task.pk, waiter=message_id).update(waiter="", waiter_until=None))


def watch_leases(task_id: int) -> None:
    """A message came back, so its worker may have died: leases that are not lengthened from now on are waited for."""
    until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    SyncProgressTask.objects.filter(pk=task_id).update(watch_until=until)
