"""An SQLite file that several processes use at once, and that anybody may remove or replace under them."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_SECONDS = 0.001
"""Between two looks whether the file is free. SQLite's own pauses grow to a hundred times as much, and whoever is in
such a pause is passed by all who come meanwhile."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
"""The part of SQLite's error codes that says what went wrong; the rest says where."""


class Damaged(Exception):
    """What is in the file is not what was written there."""


class Database:
    """Transactions in whatever file is at ``path`` now, with ``tables``; for one thread at a time.

    A process that is killed within one leaves SQLite's journal, by which the next one undoes it.
    """

    def __init__(self, path: Path, *, tables: str) -> None:
        self._path, self._tables = path, tables
        self._opened: sqlite3.Connection | None = None
        self._identity: tuple[int, int, int] | None = None

    @contextmanager
    def transaction(self, *, until: float) -> Iterator[sqlite3.Connection]:
        """Have the file alone from the first statement to the last; ``until``, by the steady clock, wait for that.

        Raises ``sqlite3.Error``, ``OSError``.
        """
        connection = self._begun(until=until)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    def connection(self) -> sqlite3.Connection:
        """A connection to the file at the path, which is made where there is none.

        One to a file that is no longer there, or that came over a fork, is given up. Raises ``sqlite3.Error``,
        ``OSError``.
        """
        if self._opened is None or not self._is_at_path():
            self._close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = self._open()
        return self._opened

    def discard(self) -> None:
        """Remove the file, unless another has taken its place already. Raises ``OSError``."""
        self._close()
        if self._is_at_path():
            self._path.unlink(missing_ok=True)

    def reconnect(self) -> None:
        """Open anew when a connection is wanted next."""
        self._identity = None

    def _begun(self, *, until: float) -> sqlite3.Connection:
        while True:
            try:
                connection = self.connection()
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= until:
                    raise
            else:
                return connection
            time.sleep(_LOOK_SECONDS)

    def _open(self) -> sqlite3.Connection:
        # Identified before it is opened: a file that is made or replaced in between is opened once more, never mistaken
        # for the one at the path.
        self._identity = self._identify()
        connection = sqlite3.connect(self._path, timeout=0.0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=PERSIST")
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
        return self._identity is not None and self._identify() == self._identity

    def _identify(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return os.getpid(), found.st_dev, found.st_ino


def is_busy(error: Exception) -> bool:
    """Whether somebody else has the file."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_damage(error: Exception) -> bool:
    """Whether the file has to be made anew before anything can be right again."""
    return isinstance(error, Damaged) or _code(error) in _DAMAGED


def _code(error: Exception) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # errors of Python's own have none
    return code & _PRIMARY
