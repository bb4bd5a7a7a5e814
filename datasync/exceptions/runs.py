"""What can go wrong while a task syncs files."""

from __future__ import annotations

from datasync.exceptions.base import NotFound, SyncError


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


class FencedOut(SyncError):
    """Another worker took this file over; what this one did was rolled back."""

    code = "FENCED_OUT"
    recovery = "Nothing to do: the other worker finishes the file."
