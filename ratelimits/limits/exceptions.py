"""What can go wrong in this room."""

from __future__ import annotations

from math import ceil

from datasync.exceptions import SyncError


class RateLimited(SyncError):
    """Too many requests: the limit is %(limit)s a minute."""

    code = "RATE_LIMITED"
    recovery = "Wait as long as Retry-After says."

    def __init__(self, *, scope: str, tier: str, limit: int, key: str, retry_after: float) -> None:
        self.wait = retry_after
        super().__init__(scope=scope, tier=tier, limit=limit, key=key, retry_after=ceil(retry_after * 10) / 10)
