"""After a failure nobody of the process asks the cache for some seconds; a frozen one costs one time-out, not each."""

from __future__ import annotations

import logging
import threading
import time

from erp.metrics import CACHE_FAILURES

logger = logging.getLogger(__name__)
OPEN_SECONDS = 5.0
WARNED_EVERY_SECONDS = 60.0


class CacheAway(Exception):
    """The cache does not answer, or did not a moment ago."""


class Breaker:
    """Open after a failure, for a while; then one caller may try, and the others wait for what comes of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_from = 0.0
        self._silent_until = 0.0

    def enter(self) -> None:
        """Raise ``CacheAway`` while it is open; else be the one who tries, where it was."""
        if not self._closed_from:
            return
        with self._lock:
            now = time.monotonic()
            if now < self._closed_from:
                raise CacheAway
            if self._closed_from:
                self._closed_from = now + OPEN_SECONDS

    def failed(self, error: Exception) -> None:
        """Open it, and say so once a minute."""
        CACHE_FAILURES.inc()
        with self._lock:
            now = time.monotonic()
            self._closed_from = now + OPEN_SECONDS
            silent = now < self._silent_until
            if not silent:
                self._silent_until = now + WARNED_EVERY_SECONDS
        if not silent:
            logger.warning("The cache does not answer; what is asked for is computed meanwhile: %s", error)

    def close(self) -> None:
        """The cache answers."""
        if self._closed_from:
            with self._lock:
                self._closed_from = 0.0
