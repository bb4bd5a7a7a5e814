"""When something that failed is tried again: a policy is a value that returns a decision."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from datasync.exceptions import SyncError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Transient errors are tried again ``delays[n]`` seconds after attempt ``n + 1``; then, and all others, never."""

    delays: tuple[float, ...] = (1.0, 2.0, 4.0)

    def seconds_until_next(self, error: Exception, *, attempt: int) -> float | None:
        """How long to wait after ``attempt`` (counted from 1) failed with ``error``; None: give up."""
        if not is_transient(error) or attempt > len(self.delays):
            return None
        return self.delays[attempt - 1]


def is_transient(error: Exception) -> bool:
    """Whether the cause lies outside the file and can go away by itself."""
    if isinstance(error, SyncError):
        return not error.permanent
    return isinstance(error, OperationalError | InterfaceError)


POLICY = RetryPolicy()
