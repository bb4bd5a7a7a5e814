"""Single flight within a process: of the threads that want the same, one computes and the others wait for it."""

from __future__ import annotations

import threading
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

    def share(self, what: Hashable, compute: Callable[[], str], *, seconds: float) -> tuple[str, bool]:
        """What ``compute`` gives, and whether this thread computed it.

        Who waited for ``seconds``, or for one that failed, computes by itself.
        """
        with self._lock:
            flight = self._flights.get(what)
            leads = flight is None
            if flight is None:
                flight = self._flights[what] = _Flight()
        if not leads:
            flight.ended.wait(seconds)
            return (flight.text, False) if flight.text is not None else (compute(), True)
        try:
            flight.text = compute()
            return flight.text, True
        finally:
            with self._lock:
                del self._flights[what]
            flight.ended.set()


flights = Flights()
