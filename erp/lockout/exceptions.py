"""What whoever failed too often is told."""

from __future__ import annotations

from datasync.exceptions import SyncError


class SignInLocked(SyncError):
    """After several failures nobody may sign in with this name from this address for a while."""

    code = "SIGN_IN_LOCKED"
    recovery = "Wait as long as Retry-After says, or ask an administrator to lift the lock."

    def __init__(self, *, wait: float) -> None:
        self.wait = wait
        super().__init__()
