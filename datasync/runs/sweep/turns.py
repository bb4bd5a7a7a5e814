"""Turns that were lost: the broker forgot them, or nobody could tell it."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs.dispatch import call_workers
from datasync.runs.pick import tasks_in_order
from erp.broker import SYNC_QUEUE
from erp.publishing import BrokerAway, messages_waiting

logger = logging.getLogger(__name__)


def give_missing(*, dry_run: bool = False) -> int:
    """Give turns where files wait and no turn does; how many the broker took.

    While turns wait at the broker, each of them finds these files: giving more would only pile them up. Without the
    broker this process works itself, where it may.
    """
    wanted = _waiting_files()
    if not wanted or _turns_wait():
        return 0
    return wanted if dry_run or call_workers(turns=wanted) else 0


def _turns_wait() -> bool:
    if settings.EXECUTION == "local":
        return False
    try:
        return messages_waiting(SYNC_QUEUE) > 0
    except BrokerAway as error:
        logger.warning("The broker does not say whether turns wait: %s", error)
        return False


def _waiting_files() -> int:
    """How many files wait that a worker would come to now, counted as far as turns are given at once."""
    due = Q(not_before=None) | Q(not_before__lte=Now())
    files = SyncTaskFile.objects.filter(due, state=ItemState.QUEUED, task__in=tasks_in_order())
    return len(files.values_list("pk")[: settings.BATCH_WINDOW])
