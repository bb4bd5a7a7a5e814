"""Logs in an SQLite file of their own, for installations without Redis: exact over the processes of one machine."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ratelimits.windows.base import Claim, StoreAway, Taken, Window
from ratelimits.windows.log import moments, settle, within

_WAIT_SECONDS = 2.0
_SWEPT_EVERY = 60.0
_TABLE = """
CREATE TABLE IF NOT EXISTS log (key TEXT PRIMARY KEY, ends REAL NOT NULL, moments BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS log_ends ON log (ends);
"""


class FileWindow(Window):
    """One row a key. Nothing waits for the disk: what a power cut takes is a minute's counts.

    The threads of a process share a connection and queue for it; for the file SQLite lets go first whoever comes at the
    right moment. A connection that came over a fork is not used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._process = 0
        self._swept_at = 0.0

    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """Read and write in one transaction that locks the file from its beginning."""
        with self._lock:
            try:
                return self._ask(self._connection(), claims, count=count)
            except (sqlite3.OperationalError, OSError) as error:
                self._close()
                raise StoreAway(f"{self._path}: {error}") from error
            except sqlite3.DatabaseError as error:
                self._close()
                self._discard()
                raise StoreAway(f"{self._path} was damaged and is made anew: {error}") from error

    def _ask(self, connection: sqlite3.Connection, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            now = self._clock()
            self._sweep(connection, now)
            logs = []
            for claim in claims:
                row = connection.execute("SELECT moments FROM log WHERE key = ?", (claim.key,)).fetchone()
                logs.append(within(moments(row[0] if row else b""), now=now, seconds=claim.seconds))
            answers = settle(logs, claims, now=now, count=count)
            if count and all(answer.allowed for answer in answers):
                connection.executemany(
                    "INSERT INTO log (key, ends, moments) VALUES (?, ?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET ends = excluded.ends, moments = excluded.moments",
                    [(claim.key, now + claim.seconds, log.tobytes()) for claim, log in zip(claims, logs, strict=True)],
                )
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return answers

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        """Forget keys that nobody uses any more."""
        if abs(now - self._swept_at) >= _SWEPT_EVERY:
            self._swept_at = now
            connection.execute("DELETE FROM log WHERE ends <= ?", (now,))

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None or self._process != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened, self._process = self._open(), os.getpid()
        return self._opened

    def _open(self) -> sqlite3.Connection:
        """A connection to the file, which is made where there is none; only one process at a time may do that."""
        with Path(f"{self._path}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            connection = sqlite3.connect(
                self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=OFF")
                connection.executescript(_TABLE)
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    def _close(self) -> None:
        if self._opened is not None and self._process == os.getpid():
            self._opened.close()
        self._opened = None

    def _discard(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
