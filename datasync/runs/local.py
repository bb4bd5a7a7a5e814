"""Work without the broker: a few threads of the web process take turns as workers do.

Only a process that stays may do so (``pool.open_for``): what a command begins would be lost with it for the time of a
lease. The threads end when nothing is left to do, or when the broker takes turns again. What they do not come to stays
queued, and what dies with the process the sweeper gives to others.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connections

from datasync.runs.worker import STOP_SECONDS, must_stop

Turn = Callable[[], bool]


class LocalPool:
    """At most ``LOCAL_WORKERS`` threads of this process, which take turns until one says that it was the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn: Turn | None = None
        self._called = False
        self.running = 0

    def open_for(self, turn: Turn) -> None:
        """Let this process take turns."""
        self._turn = turn

    def close(self) -> None:
        """Begin no more threads."""
        self._turn = None

    def wake(self) -> None:
        """See that a thread looks for work after this, where this process takes turns."""
        turn = self._turn
        if turn is None:
            return
        with self._lock:
            if self.running >= settings.LOCAL_WORKERS:
                self._called = True
                return
            self.running += 1
        threading.Thread(target=self._run, args=(turn,), name="local worker", daemon=True).start()

    def _run(self, turn: Turn) -> None:
        try:
            while turn():
                pass
        finally:
            connections.close_all()
            with self._lock:
                self.running -= 1
                called, self._called = self._called, False
            if called:  # while no other thread could be begun, and perhaps after this one had looked
                self.wake()


pool = LocalPool()


@atexit.register
def wait_for_threads() -> None:
    """Let the threads put back first what they have in hand; until then a file is nobody's for the time of a lease.

    A thread is done when it has ended: the file is out of its hand a moment before that is written.
    """
    until = time.monotonic() + STOP_SECONDS
    while pool.running and must_stop() and time.monotonic() < until:
        time.sleep(0.05)
