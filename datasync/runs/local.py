"""Work without the broker: a few threads of the web process take turns as workers do.

Only a process that stays may do so (``pool.open``): what a command begins would be lost with it for the time of a
lease. The threads end when nothing is left to do, or when the broker takes turns again. What they do not come to stays
queued, and what dies with the process the sweeper gives to others.
"""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import Error, connections

from datasync.runs.pick import pick_task
from datasync.runs.publish import give_turns
from datasync.runs.turns import work_on

logger = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0


class LocalPool:
    """At most ``LOCAL_WORKERS`` threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.running = 0
        self.open = False

    def wake(self) -> bool:
        """See that a thread looks for work; False where this process takes no turns."""
        if not self.open:
            return False
        with self._lock:
            if self.running < settings.LOCAL_WORKERS:
                self.running += 1
                threading.Thread(target=self._run, name="local worker", daemon=True).start()
        return True

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            connections.close_all()
            with self._lock:
                self.running -= 1

    def _turn(self) -> bool:
        """Work for a slice; False when there is nothing to do here any more."""
        try:
            task = pick_task()
            if task is None:
                return False
            work_on(task, until=time.monotonic() + settings.SLICE_SECONDS)
        except Error as error:
            logger.warning("A local turn failed: %s", error)
            connections.close_all()
            time.sleep(_PAUSE_SECONDS)
        except Exception:  # the boundary of a turn: a defect with one task must not silence the others
            logger.exception("A local turn failed")
            time.sleep(_PAUSE_SECONDS)
        return settings.EXECUTION == "local" or not give_turns()


pool = LocalPool()
