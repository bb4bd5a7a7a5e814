"""What a sync costs: a credit for each row that it wrote, new or changed, charged once when the task has ended.

A task says that it has ended at most once, and a process may be lost in between: the clock charges what was missed,
lately every few minutes, and however long ago once a day.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from datasync.exceptions import SyncError
from datasync.runs.synced import Synced, ended_tasks, failed_tasks, synced
from ratelimits.credits.choices import EntryKind
from ratelimits.credits.models import CreditAccount, CreditEntry
from ratelimits.credits.services import consume, refund

logger = logging.getLogger(__name__)

LATELY = timedelta(days=2)
_AT_ONCE = 1_000


def charge_task(task_id: str) -> CreditEntry | None:
    """Charge the owner of a task that has ended, once; of one that failed give back what was taken for it.

    None where nothing is due: the task is not known, has not ended, wrote no rows or belongs to nobody, or its owner
    had no account when it ended.
    """
    found = synced(_charged(ended_tasks().filter(task_id=task_id)), most=1)
    return _settle(found[0]) if found else None


def charge_missed(*, within: timedelta | None = LATELY) -> int:
    """Do the same with all tasks that ended and were missed, at the most so long ago; how many could be charged.

    The oldest come first. Where one cannot be charged those behind it are all the same.
    """
    tasks = _charged(ended_tasks(within=within))
    taken = CreditEntry.objects.filter(task=OuterRef("task_id"), kind=EntryKind.CONSUME, amount__lt=0)
    unpaid = tasks.filter(~_entered("task:"), rows_synced__gt=0)
    not_given_back = failed_tasks(tasks).filter(~_entered("refund:"), Exists(taken))
    return sum(_settled(one) for one in chain(_each(unpaid), _each(not_given_back)))


def _each(tasks: Any) -> Iterator[Synced]:
    """What the tasks came to, read some at a time."""
    last = 0
    while lot := synced(tasks.filter(pk__gt=last), most=_AT_ONCE):
        yield from lot
        last = lot[-1].pk


def _settled(one: Synced) -> bool:
    try:
        return _settle(one) is not None
    except (DatabaseError, SyncError) as error:
        logger.warning("task %s could not be charged, which is tried again: %s", one.task_id, error)
        return False


def _settle(one: Synced) -> CreditEntry | None:
    if one.failed:
        return refund(one.task_id)
    if not one.rows:
        return None
    return consume(one.owner, amount=one.rows, key=f"task:{one.task_id}", task=one.task_id)


def _charged(tasks: Any) -> Any:
    """Those whose owner had an account when they ended."""
    return tasks.filter(
        Exists(CreditAccount.objects.filter(user=OuterRef("owner"), opened_at__lte=OuterRef("finished_at")))
    )


def _entered(prefix: str) -> Exists:
    return Exists(CreditEntry.objects.filter(key=Concat(Value(prefix), OuterRef("task_id"))))
