"""Changes that the cache did not hear of because it was away; told it when it is back.

Whoever reads from the cache tells it of them first. A thread does where nobody reads, because other processes may
reach the cache before, and would take the old for the new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from erp.caching.breaker import OPEN_SECONDS, CacheAway

logger = logging.getLogger(__name__)
Tell = Callable[[Iterable[str]], None]
"""Makes tags outdated, or raises ``CacheAway``."""


class Owed:
    """Tags that are still to be made outdated. Each stays until that was done since it was added last."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._tags: dict[str, object] = {}
        self._teller: threading.Thread | None = None

    def add(self, tags: Iterable[str]) -> None:
        """Owe these from now on."""
        with self._lock:
            self._tags |= {tag: object() for tag in tags}
            if self._teller is None or not self._teller.is_alive():
                self._teller = threading.Thread(target=self._run, name="cache-teller", daemon=True)
                self._teller.start()

    def settle(self) -> None:
        """Tell the cache now, where there is something to tell. Raises ``CacheAway``."""
        if not self._tags:
            return
        with self._lock:
            owed = dict(self._tags)
        self._tell(owed)
        with self._lock:
            self._tags = {tag: since for tag, since in self._tags.items() if owed.get(tag) is not since}

    def _run(self) -> None:
        """Try until nothing is owed."""
        while True:
            time.sleep(OPEN_SECONDS)
            try:
                self.settle()
            except CacheAway:
                continue
            with self._lock:
                if not self._tags:
                    self._teller = None
                    return
