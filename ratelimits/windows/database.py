"""An SQLite file that several processes use at once, and that anybody may remove or replace under them."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOOK_SECONDS = 0.01
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
"""The part of SQLite's error codes that says what went wrong; the rest says where."""


class Damaged(Exception):
    """What is in the file is not what was written there."""


class Database:
    """The connection to whatever file is at ``path`` now, with ``tables``; for one thread at a time.

    SQLite finds a file's log and index by their names, so that of two processes one of which opens while the other
    removes each might get the other's. Therefore only one at a time opens, closes or removes, and whoever waits longer
    than ``seconds`` for that, or for the file itself, gets an error.
    """

    def __init__(self, path: Path, *, tables: str, seconds: float) -> None:
        self._path, self._tables, self._seconds = path, tables, seconds
        self._opened: sqlite3.Connection | None = None
        self._identity: tuple[int, int, int] | None = None

    def connection(self) -> sqlite3.Connection:
        """A connection to the file at the path, which is made where there is none.

        One to a file that is no longer there, or that came over a fork, is given up. Raises ``sqlite3.Error``,
        ``OSError``.
        """
        if self._opened is not None and self._is_at_path():
            return self._opened
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._turn():
            self._close()
            opened = self._opened = self._open()
        return opened

    def discard(self) -> None:
        """Remove the file, unless another has taken its place already. Raises ``OSError``."""
        with self._turn():
            self._close()
            if self._is_at_path():
                for suffix in ("-wal", "-shm", ""):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def reconnect(self) -> None:
        """Open anew when a connection is wanted next."""
        self._identity = None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._seconds, isolation_level=None, check_same_thread=False)
        try:
            self._identity = self._identify()
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.executescript(self._tables)
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _is_at_path(self) -> bool:
        """Whether the file that this process opened last is still the one at the path."""
        try:
            return self._identify() == self._identity
        except FileNotFoundError:
            return False

    def _identify(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return os.getpid(), found.st_dev, found.st_ino

    @contextmanager
    def _turn(self) -> Iterator[None]:
        until = time.monotonic() + self._seconds
        with Path(f"{self._path}.lock").open("w") as turn:
            while not _lock(turn):
                if time.monotonic() >= until:
                    raise TimeoutError(f"{turn.name} is held by another process")
                time.sleep(_LOOK_SECONDS)
            yield


def is_damage(error: Exception) -> bool:
    """Whether the file has to be made anew before anything can be right again."""
    code = getattr(error, "sqlite_errorcode", 0)  # errors of Python's own have none
    return isinstance(error, Damaged) or code & _PRIMARY in _DAMAGED


def _lock(turn: IO[str]) -> bool:
    """Whether it is ours until the file is closed."""
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
