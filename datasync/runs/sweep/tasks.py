"""Tasks that have nothing left to do, but whose last worker vanished before it closed them."""

from __future__ import annotations

import logging

from django.db.models import Exists, OuterRef

from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.close import close_if_done

logger = logging.getLogger(__name__)
_AT_ONCE = 100


def close_finished(*, dry_run: bool = False) -> int:
    """Close them; how many. One that cannot be closed holds up no other."""
    active = SyncTaskFile.objects.filter(task=OuterRef("pk"), state__in=ITEM_ACTIVE)
    finished = SyncProgressTask.objects.filter(~Exists(active), state__in=TASK_ACTIVE).order_by("pk")[:_AT_ONCE]
    if dry_run:
        return len(finished)
    return sum(_close(task) for task in finished)


def _close(task: SyncProgressTask) -> bool:
    try:
        return close_if_done(task)
    except Exception:  # the boundary of one task
        logger.exception("Task %s could not be closed", task.task_id)
        return False
