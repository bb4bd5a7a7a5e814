"""How long a task has: files that no worker has begun by its deadline are left out, and can be retried.

The time runs from the submit, by the database's clock; what is in hand when it is over is finished.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from datasync.exceptions import NotInRange
from datasync.models import SyncProgressTask

LEAST_SECONDS = 60
MOST_SECONDS = 6 * 3600


def require_deadline(seconds: object) -> None:
    """Raise ``NotInRange`` for anything but None and a whole number of seconds that a task may have."""
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise NotInRange(name="deadline_seconds", least=LEAST_SECONDS, most=MOST_SECONDS)


def deadline_to_store(seconds: int | None) -> CombinedExpression | None:
    """So many seconds from now, for the INSERT of a task, which is made at the same moment; None: no deadline."""
    return None if seconds is None else Now() + timedelta(seconds=seconds)


def deadline_of(task: SyncProgressTask, seconds: int | None) -> datetime | None:
    """The same moment once the row is there and its ``created_at`` is known."""
    return None if seconds is None else task.created_at + timedelta(seconds=seconds)


def seconds_given(task: SyncProgressTask) -> int | None:
    """How long the task was given, as long as may be given again; None: it has no deadline."""
    if task.deadline_at is None:
        return None
    return min(max(round((task.deadline_at - task.created_at).total_seconds()), LEAST_SECONDS), MOST_SECONDS)
