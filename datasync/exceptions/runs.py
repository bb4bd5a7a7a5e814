"""What can go wrong while a task syncs files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datasync.exceptions.base import NotFound, SyncError, TransientError


class TaskNotFound(NotFound):
    """There is no such task: %(what)s."""

    code = "TASK_NOT_FOUND"


class InvalidTimezone(SyncError):
    """The shop's time zone %(timezone)s is not known, so its local times cannot be understood."""

    code = "SHOP_TIMEZONE_INVALID"
    recovery = "Give the shop an IANA time zone such as Asia/Singapore, then sync again."


class QuarantineRefused(SyncError):
    """%(count)s rows cannot be trusted, and the sync was asked to refuse such a file."""

    code = "ROWS_REJECTED"
    recovery = "Sync with allow_quarantine=true, or correct the file."


class Cancelled(SyncError):
    """The task was cancelled while the file was being worked on."""

    code = "CANCELLED"
    recovery = "Nothing to do: no row of the file was loaded. Retry the task if it is wanted after all."


class NotStarted(SyncError):
    """No worker came to the file before the task's deadline."""

    code = "NOT_STARTED"
    recovery = "Retry the task: it takes the files that were not started."


class TaskFinished(SyncError):
    """Task %(task_id)s has ended already (%(state)s); there is nothing to cancel."""

    code = "TASK_FINISHED"
    recovery = "Nothing to do: look at the task to see what came of it."


class TaskRunning(SyncError):
    """Task %(task_id)s is not finished yet."""

    code = "TASK_RUNNING"
    recovery = "Wait until it has ended, or cancel it first."


class NothingToRetry(SyncError):
    """Of task %(task_id)s there is no such file to retry; stopped or not started were %(unfinished)s."""

    code = "NOTHING_TO_RETRY"
    recovery = "Files that were stopped or not started are retried with only_failed=false; others are synced as usual."


class IdempotencyConflict(SyncError):
    """The Idempotency-Key was sent before with another request, which made task %(task_id)s."""

    code = "IDEMPOTENCY_CONFLICT"
    recovery = "Send a new key with each new request, and the same key only to repeat one."


class IdempotencyKeySpent(IdempotencyConflict):
    """The Idempotency-Key was sent before, with a request whose task is not shown any more."""

    recovery = "Send the request again with a new key."


class FencedOut(SyncError):
    """Another worker took this file over; what this one did was rolled back."""

    code = "FENCED_OUT"
    recovery = "Nothing to do: the other worker finishes the file."


class QuotaExceeded(SyncError):
    """The task goes beyond the quota at this moment."""

    # Whoever tells it whole completes it: by then the transaction is over in which it was raised, and no lock is held.

    code = "QUOTA_EXCEEDED"
    recovery = "Submit less, or later; staff can raise the quota."

    def __init__(self, *, wait: float, look_up: Callable[[], Mapping[str, Any]] = dict, **params: Any) -> None:
        self.wait = wait  # seconds after which trying again may help
        self._look_up = look_up
        super().__init__(**params)

    def complete(self) -> None:
        """Find out what is told besides the reason, a better ``wait`` among it: it takes some statements, once."""
        told, self._look_up = dict(self._look_up()), dict
        self.wait = told.pop("wait", self.wait)
        self.params |= told


class TooManyActiveTasks(QuotaExceeded):
    """%(active)s tasks are active already; the limit is %(limit)s a person."""

    recovery = "Wait until one of them ends, or cancel one; staff can raise the limit."


class TooManyRowsToday(QuotaExceeded):
    """With this task %(rows)s rows would be read today; the limit is %(limit)s a person."""

    recovery = "Submit the files tomorrow, or fewer of them; staff can raise the limit."


class TaskBeyondQuota(SyncError):
    """The task is more than the quota ever allows."""

    code = "TASK_BEYOND_QUOTA"
    recovery = "Submit less at a time; staff can raise the quota."


class NoTasksAllowed(TaskBeyondQuota):
    """The quota allows no tasks: %(name)s is 0."""

    recovery = "Ask staff to raise the limit."


class TooManyFilesInTask(TaskBeyondQuota):
    """The task has %(files)s files; the limit is %(limit)s."""

    recovery = "Submit the files in several tasks; staff can raise the limit."


class TooManyRowsInTask(TaskBeyondQuota):
    """The files of this task have %(rows)s rows; the limit is %(limit)s a day and person."""

    recovery = "Submit fewer of the files; staff can raise the limit."


class CreditsExhausted(SyncError):
    """The credits are used up: the balance is %(balance)s."""

    code = "CREDITS_EXHAUSTED"
    recovery = "Ask staff for credits; what is being synced already goes on."


class StreamsBusy(TransientError):
    """As many people as there are places for follow their tasks live at this moment."""

    code = "STREAMS_BUSY"
    recovery = "Ask for the progress of the task every few seconds instead; the stream may have a place later."
    wait = 10.0
