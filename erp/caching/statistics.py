"""How often the cache helped: counted in the process for Prometheus, and added up over all processes for people."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from enum import StrEnum

from erp.caching import store
from erp.caching.breaker import CacheAway
from erp.metrics import CACHE_REQUESTS

logger = logging.getLogger(__name__)
FLUSHED_EVERY_SECONDS = 1.0
ASKED_AT = "asked_at"
INVALIDATED = "invalidated"


class Outcome(StrEnum):
    """What came of a question."""

    HIT = "hit"  # it was there
    MISS = "miss"  # it was computed, and kept
    SHARED = "shared"  # somebody else was computing it already
    BYPASSED = "bypassed"  # it is not to be kept, such as a search, or not before the commit
    ERROR = "error"  # the cache was away


class Statistics:
    """Numbers by name; those of the last second wait here, so that counting costs no question of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._own: Counter[str] = Counter()
        self._asked: dict[str, int] = {}
        self._flushed_at = 0.0

    def asked(self, kind: str, outcome: Outcome) -> None:
        """Count one question."""
        CACHE_REQUESTS.labels(kind, outcome.value).inc()
        with self._lock:
            self._asked[f"{kind}:{ASKED_AT}"] = int(time.time())
        self.count(kind, outcome.value)
        if time.monotonic() - self._flushed_at > FLUSHED_EVERY_SECONDS:
            self.flush()

    def count(self, name: str, what: str) -> None:
        """Count something else."""
        with self._lock:
            self._own[f"{name}:{what}"] += 1
            self._waiting[f"{name}:{what}"] += 1

    def flush(self) -> None:
        """Add what waits to what all processes share; where the cache is away it waits on."""
        self._flushed_at = time.monotonic()
        if not store.is_shared():
            return
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
            moments, self._asked = self._asked, {}
        if not waiting:
            return
        try:
            store.add_up(waiting, moments=moments)
        except CacheAway:
            with self._lock:
                self._waiting.update(waiting)
                self._asked = {**moments, **self._asked}

    def totals(self) -> dict[str, int]:
        """The numbers of all processes, or of this one alone where it has a cache of its own, or none that answers."""
        self.flush()
        if store.is_shared():
            try:
                return store.added_up()
            except CacheAway:
                logger.info("The numbers are those of this process alone")
        return {**self._own, **self._asked}


statistics = Statistics()
