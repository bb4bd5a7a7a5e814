"""When something that failed is tried again: a policy is a value that returns a decision.

Nothing else decides it. The pause becomes the item's ``not_before``, reckoned by the database's clock; the broker knows
nothing of it.
"""

from __future__ import annotations

import errno
import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection

from datasync.disk import FULL
from datasync.exceptions import DiskFull, StillUnavailable, SyncError, TransientError
from erp.silence import limited

logger = logging.getLogger(__name__)
T = TypeVar("T")
_NUMBER_IN_TEXT = re.compile(r"\(os error (\d+)\)")
"""Polars tells the number of the system's error in its text only."""
_LONGEST_CHAIN = 10
_FULL_DATABASE = frozenset({"53100", "SQLITE_FULL"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of work that failed: tried ``again_in`` so many seconds, or given up. ``told`` is written down."""

    again_in: float | None
    told: Exception


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Transient errors are tried again ``delays[n]`` seconds after attempt ``n + 1``; then, and all others, never.

    A pause of ``d`` lasts from ``d`` to ``d * (1 + jitter)``: never shorter, as it is the least that is promised, and
    what failed at one moment, such as all loads of a database that restarts, does not come back at one moment.

    ``codes`` are beginnings of what databases call their transient errors (SQLSTATE, or SQLite's names). An error of
    the connection carries none. ``numbers`` are those of the system.
    """

    delays: tuple[float, ...] = (1.0, 2.0, 4.0)
    jitter: float = 0.25
    connection: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
    codes: tuple[str, ...] = (
        "08",  # the connection
        "25006",  # a standby, or a server that has just become one
        "25P03", "25P04",  # the server ended a transaction that took too long
        "40",  # serialization failure, deadlock
        "53",  # out of disk, memory, connections, or over a configured limit
        "55P03",  # a lock was not to be had in time
        "57",  # the operators intervened: shut down, not up yet, statement cancelled or timed out
        "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL",
    )  # fmt: skip
    numbers: frozenset[int] = FULL | {
        errno.EMFILE, errno.ENFILE,  # too many open files
        errno.EAGAIN, errno.ENOMEM,  # no process or memory to be had
        errno.ESTALE, errno.ETIMEDOUT,  # shared storage
    }  # fmt: skip

    def decide(self, error: Exception, *, attempt: int, draw: Callable[[], float] = random.random) -> Decision:
        """What becomes of work whose ``attempt`` (counted from 1) failed. ``draw`` gives a number from 0 to below 1."""
        if not self.is_transient(error):
            return Decision(None, error)
        told: TransientError | None = DiskFull() if self.is_disk_full(error) else None
        if attempt > len(self.delays):
            return Decision(None, told or StillUnavailable(attempts=attempt))
        told = told or (error if isinstance(error, TransientError) else TransientError())
        return Decision(self.delays[attempt - 1] * (1 + self.jitter * draw()), told)

    def is_transient(self, error: BaseException) -> bool:
        """Whether the cause lies outside the file and can go away by itself."""
        if isinstance(error, SyncError):
            return not error.permanent
        code, number = _code(error), _number(error)
        if code is not None:
            return code.startswith(self.codes)
        if number is not None:
            return number in self.numbers
        return isinstance(error, self.connection)

    def is_disk_full(self, error: BaseException) -> bool:
        """Whether a disk, or a quota of one, is used up: ours or the database's."""
        if isinstance(error, DiskFull):
            return True
        if isinstance(error, SyncError) and error.permanent:
            return False
        return _code(error) in _FULL_DATABASE or _number(error) in FULL


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: Django wraps what the driver raises."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _code(error: BaseException) -> str | None:
    for one in islice(_chain(error), _LONGEST_CHAIN):
        code = getattr(one, "sqlstate", None) or getattr(one, "sqlite_errorname", None)
        if code is not None:
            return str(code)
    return None


def _number(error: BaseException) -> int | None:
    for one in islice(_chain(error), _LONGEST_CHAIN):
        if isinstance(one, OSError):
            found = _NUMBER_IN_TEXT.search(str(one))
            number = int(found[1]) if found else None
            return one.errno or number
    return None


POLICY = RetryPolicy()


_PAUSE_SECONDS = 0.5
_PATIENCE_SECONDS = 300.0


def insist(record: Callable[[], T]) -> T:
    """Do what records the end of an attempt; as long as the database is away, again and again on a new connection.

    An end that is not recorded passes for a worker that died: two restarts of the database would fail an innocent file.
    Whoever cannot record can do nothing else either, so it goes on when the lease is over: ``record`` says then that
    another worker holds the file. After five minutes, and for errors that do not pass, it raises.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with limited(settings.LEASE_SECONDS):
                return record()
        except Error as error:
            if not POLICY.is_transient(error) or time.monotonic() >= until:
                raise
            logger.warning("The end of an attempt cannot be recorded yet: %s", error)
            connection.close()  # Django would go on with the one that is lost
            time.sleep(_PAUSE_SECONDS)
