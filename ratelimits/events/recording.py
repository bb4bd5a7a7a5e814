"""The buffer of this process, and the thread that writes it down.

A refused request costs no statement: it is noted, and once a second a web process writes what it noted. Where the
database takes nothing, what was noted waits, added up and bounded; what still waits at the end of the process is
written then.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time

from django.db import connections

from erp.silence import limited
from ratelimits.events.buffer import Buffer
from ratelimits.events.refusals import Refusal
from ratelimits.events.services import record

logger = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
PATIENCE_SECONDS = 10.0
"""A database that is silent for longer is away."""


class _Process:
    """What this process noted. A forked child begins anew: what its parent noted the parent writes."""

    def __init__(self) -> None:
        self.writes_by_itself = False
        self.begin_anew()
        os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        """Without anything noted, and without the thread, which does not survive a fork."""
        self.buffer = Buffer()
        self.writing = threading.Lock()
        self._starting = threading.Lock()
        self._started = False

    def note(self, refusal: Refusal) -> None:
        """Remember the refusal; the first one starts the thread."""
        self.buffer.note(refusal)
        if self.writes_by_itself and not self._started:
            with self._starting:
                if not self._started:
                    self._started = True
                    threading.Thread(target=_run, name="rate-limit events", daemon=True).start()


_process = _Process()


def note(refusal: Refusal) -> None:
    """Remember a refused request until it is written down."""
    _process.note(refusal)


def flush() -> int:
    """Write down what was noted: how many refusals. What cannot be written waits on, and the error is raised.

    One at a time, so that a process that ends waits for what its thread has in hand.
    """
    with _process.writing:
        noted = _process.buffer.take()
        if not noted:
            return 0
        try:
            with limited(PATIENCE_SECONDS):
                record(noted)
        except BaseException:
            _process.buffer.put_back(noted)
            raise
        return sum(one.times for one in noted)


def start_recording() -> None:
    """For a web process: write once a second what is refused from now on, and at its end what is left."""
    _process.writes_by_itself = True
    atexit.register(_flush)


def _run() -> None:
    pause = EVERY_SECONDS
    while True:
        time.sleep(pause)
        pause = EVERY_SECONDS if _flush() else min(2 * pause, LONGEST_PAUSE_SECONDS)


def _flush() -> bool:
    """Whether everything is written; where not, the next time may go better."""
    try:
        flush()
    except Exception as error:  # the boundary of the thread
        logger.warning("Refused requests could not be written down yet: %s", " ".join(str(error).split()))
        return False
    finally:
        connections.close_all()
    return True
