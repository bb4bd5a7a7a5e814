"""A database that takes what is sent and never answers: whoever waits for it too long has the connection cut.

TCP notices a machine that is gone (``erp/connections.py``), but not a server that is frozen, nor a proxy that lost its
other side. The server's own time-outs do not reach the client then, and a driver waits for ever.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

logger = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5


class Limit:
    """The patience with one thread's connection; it can be renewed while there are signs of life."""

    def __init__(self, database: Any, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def renew(self) -> None:
        """Be patient for as long again from now on."""
        self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """Whether nothing was heard for too long."""
        return time.monotonic() > self._until

    def cut(self) -> None:
        """Let who waits wake up to an error. The connection stays its own to close."""
        driver = self._database.connection
        if driver is None or driver.closed:
            return
        logger.warning("The database was silent for %.0f s; the connection is cut", self._seconds)
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


class _Watchman:
    """The thread of this process that cuts."""

    def __init__(self) -> None:
        self._limits: set[Limit] = set()
        threading.Thread(target=self._run, name="silence", daemon=True).start()

    def add(self, limit: Limit) -> None:
        self._limits.add(limit)

    def discard(self, limit: Limit) -> None:
        self._limits.discard(limit)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            for limit in tuple(self._limits):
                if limit.is_over():
                    _cut(limit)
                    limit.renew()  # what the thread does about it gets its time too


def _cut(limit: Limit) -> None:
    try:
        limit.cut()
    except Exception as error:  # it was closed meanwhile, which is as good
        logger.info("A silent connection could not be cut: %s", error)


class _Process:
    """The watchman of this process, once there is something to watch; threads do not survive a fork."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._watchman: _Watchman | None = None

    def watchman(self) -> _Watchman:
        with self._lock:
            self._watchman = self._watchman or _Watchman()
            return self._watchman


_process = _Process()


@contextmanager
def limited(seconds: float, *, using: str = "default") -> Iterator[Limit]:
    """Cut this thread's database connection when the block takes longer, unless the limit is renewed meanwhile.

    For PostgreSQL; the embedded database has no line that could fall silent.
    """
    database = connections[using]
    limit = Limit(database, seconds)
    if database.vendor != "postgresql":
        yield limit
        return
    watchman = _process.watchman()
    watchman.add(limit)
    try:
        yield limit
    finally:
        watchman.discard(limit)
