"""Single flight within a process: of the threads that want the same, one computes and the others wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable


class _Flight:
    """One computation under way. ``text`` None at its end: it failed, and says nothing to who waited."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.text: str | None = None


class Flights:
    """The computations under way, by what they compute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}

    def share(self, what: Hashable, compute: Callable[[], str], *, until: float) -> str:
        """What ``compute`` gives, here or in the thread that is at it already.

        Of those who waited for one that failed, one computes next. Who waited ``until`` then, a moment of
        ``time.monotonic``, computes by itself.
        """
        while True:
            with self._lock:
                flight = self._flights.get(what)
                if flight is None:
                    mine = self._flights[what] = _Flight()
                    break
            if not flight.ended.wait(max(0.0, until - time.monotonic())):
                return compute()
            if flight.text is not None:
                return flight.text
        try:
            mine.text = compute()
            return mine.text
        finally:
            with self._lock:
                del self._flights[what]
            mine.ended.set()


flights = Flights()
