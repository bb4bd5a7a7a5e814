"""Logs in an SQLite file of their own, for installations without Redis: exact over the processes of one machine."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ratelimits.windows.base import Claim, StoreAway, StoreBusy, Taken, Window
from ratelimits.windows.database import Damaged, Database, is_busy, is_damage
from ratelimits.windows.log import Moments, moments, settle, within

WAIT_SECONDS = 1.0
"""For other processes. One keeps the file for as long as all its threads want the interpreter at the same moment."""
_HUNG_SECONDS = 5.0
"""A disk that is silent for longer hangs: whoever asks it may never come back."""
_SWEPT_EVERY = 60.0
_TABLES = """
CREATE TABLE IF NOT EXISTS log (key TEXT PRIMARY KEY, ends REAL NOT NULL, moments BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS log_ends ON log (ends);
"""


class FileWindow(Window):
    """One row a key. Nothing waits for the disk: what a power cut takes is a minute's counts.

    The threads of a process share a connection and queue for it; for the file waits whoever is first among them. A file
    that is damaged is made anew, and all processes go on in the new one.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, *, seconds: float = WAIT_SECONDS) -> None:
        self._path, self._clock, self._seconds = path, clock, seconds
        self._database = Database(path, tables=_TABLES)
        self._lock = threading.Lock()
        self._failures = 0
        self._swept_at = 0.0

    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """Read and write in one transaction that locks the file from its beginning.

        Whoever has queued for as long as the file is waited for looks once whether it is free now.
        """
        until = time.monotonic() + self._seconds
        with self._turn():
            try:
                with self._database.transaction(until=until) as connection:
                    return self._ask(connection, claims, count=count)
            except (sqlite3.Error, OSError, Damaged) as error:
                if is_busy(error):
                    raise StoreBusy(f"{self._path}: {error}") from error
                self._failures += 1
                raise StoreAway(f"{self._path}: {self._recover(error)}") from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread at a time. When the file fails one, it has failed all who queue: none of them waits once more."""
        failures = self._failures
        if not self._lock.acquire(timeout=_HUNG_SECONDS):
            raise StoreAway(f"{self._path}: no answer within {_HUNG_SECONDS:.0f} s")
        try:
            if self._failures != failures:
                raise StoreAway(f"{self._path}: failed whoever asked before")
            yield
        finally:
            self._lock.release()

    def _recover(self, error: Exception) -> str:
        """Let the next one begin anew; what went wrong."""
        if not is_damage(error):
            self._database.reconnect()
            return str(error)
        try:
            self._database.discard()
        except OSError as another:
            return f"damaged, and cannot be made anew: {another}"
        return f"was damaged and is made anew: {error}"

    def _ask(self, connection: sqlite3.Connection, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        now = self._clock()
        self._sweep(connection, now)
        logs = [within(_log(connection, claim.key), now=now, seconds=claim.seconds) for claim in claims]
        answers = settle(logs, claims, now=now, count=count)
        if count and all(answer.allowed for answer in answers):
            connection.executemany(
                "INSERT INTO log (key, ends, moments) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET ends = excluded.ends, moments = excluded.moments",
                [(claim.key, now + claim.seconds, log.tobytes()) for claim, log in zip(claims, logs, strict=True)],
            )
        return answers

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        """Forget keys that nobody uses any more."""
        if abs(now - self._swept_at) >= _SWEPT_EVERY:
            self._swept_at = now
            connection.execute("DELETE FROM log WHERE ends <= ?", (now,))


def _log(connection: sqlite3.Connection, key: str) -> Moments:
    row = connection.execute("SELECT moments FROM log WHERE key = ?", (key,)).fetchone()
    try:
        return moments(row[0] if row else b"")
    except (TypeError, ValueError) as error:
        raise Damaged(f"the log of {key}: {error}") from error
