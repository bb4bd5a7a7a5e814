"""The window that the installation uses: Redis or a file, and the process's own memory while that is away.

After a failure nobody of the process asks the store for some seconds: it costs the requests of one moment its time-out,
not each. A store that was merely busy is asked on: only whoever met it so is counted by the process alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache

from django.conf import settings

from erp.connections import is_redis_server
from ratelimits.metrics import DEGRADED
from ratelimits.windows.base import Claim, StoreAway, StoreBusy, Taken, Window
from ratelimits.windows.file import FileWindow
from ratelimits.windows.process import ProcessWindow
from ratelimits.windows.redis import RedisWindow

logger = logging.getLogger(__name__)
AVOIDED_SECONDS = 5.0
STUCK_SECONDS = 3.0
"""A store that has only been busy for so long is as good as away."""
_FORGOTTEN_SECONDS = 60.0
"""A failure after so long without any begins anew."""
_WARNED_EVERY = 60.0


class SharedWindow(Window):
    """Always answers, by ``store`` where that does; else by the process's own memory, at the same rates."""

    def __init__(self, store: Window, *, avoided: float = AVOIDED_SECONDS) -> None:
        self._store, self._own = store, ProcessWindow()
        self._avoided = avoided
        self._lock = threading.Lock()
        self._asked_again_at = 0.0
        self._failing_since = self._failed_at = 0.0
        self._warned_at = -_WARNED_EVERY

    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """Ask the store, unless it was away a moment ago."""
        if self._may_ask():
            try:
                answers = self._store.ask(claims, count=count)
            except StoreAway as error:
                self._note_failure(error)
            else:
                self._asked_again_at = self._failing_since = 0.0
                return answers
        DEGRADED.inc()
        return self._own.ask(claims, count=count)

    def _may_ask(self) -> bool:
        """Whether the store is thought to be there; after a pause one caller finds out, and the others go without."""
        if not self._asked_again_at:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._asked_again_at:
                return False
            self._asked_again_at = now + self._avoided
            return True

    def _note_failure(self, error: StoreAway) -> None:
        with self._lock:
            now = time.monotonic()
            if not self._failing_since or now - self._failed_at > _FORGOTTEN_SECONDS:
                self._failing_since = now  # what failed long before is another matter
            self._failed_at = now
            if not isinstance(error, StoreBusy) or now - self._failing_since >= STUCK_SECONDS:
                self._asked_again_at = now + self._avoided
            if now - self._warned_at < _WARNED_EVERY:
                return
            self._warned_at = now
        logger.warning("Rate limits are counted by this process alone until its store answers again: %s", error)


@cache
def shared_window() -> SharedWindow:
    """The installation's, one for each process."""
    if is_redis_server(settings.REDIS_URL):
        return SharedWindow(RedisWindow(settings.REDIS_URL))
    return SharedWindow(FileWindow(settings.VAR_DIR / "ratelimits.sqlite3"))
