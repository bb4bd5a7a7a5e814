"""How long a task has: files that no worker has begun by its deadline are left out, and can be retried.

The time runs from the submit, by the database's clock; what is in hand when it is over is finished.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.db.models.expressions import CombinedExpression

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


def after_submit(task: SyncProgressTask, seconds: int) -> CombinedExpression:
    """So many seconds after the task was made: for an UPDATE of its row, and on the task at once."""
    given = timedelta(seconds=seconds)
    task.deadline_at = task.created_at + given
    return F("created_at") + given


def seconds_given(task: SyncProgressTask) -> int | None:
    """How long the task was given, as long as may be given again; None: it has no deadline."""
    if task.deadline_at is None:
        return None
    return min(max(round((task.deadline_at - task.created_at).total_seconds()), LEAST_SECONDS), MOST_SECONDS)
