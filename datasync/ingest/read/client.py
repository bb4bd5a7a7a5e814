"""The client of the reading child: keeps it warm from file to file, asks it, replaces it when it dies."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from datasync.exceptions import ReaderCrashed
from datasync.ingest.plan import Batch, CellProblem, ReadRequest, SheetHead, SheetInfo
from datasync.ingest.read import protocol
from datasync.ingest.read.child_process import ChildProcess
from datasync.ingest.read.protocol import Tag

DEFAULT_MEMORY_BYTES = 2 * 1024**3
DEFAULT_SECONDS = 600.0


class Reader:
    """Reads files in a child process. One sheet at a time; opening another, or leaving early, ends the one before.

    Belongs to one thread. ``seconds`` bounds how long the *child* is waited for over one file; the consumer's own work
    does not count.
    """

    def __init__(self, *, memory_limit_bytes: int = DEFAULT_MEMORY_BYTES, seconds: float = DEFAULT_SECONDS) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._seconds = seconds
        self._child: ChildProcess | None = None
        self._open: OpenSheet | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, when there is one."""
        return self._child.pid if self._child else None

    def warm_up(self) -> None:
        """Start the child now instead of with the first file."""
        self._ready_child()

    def head(
        self, path: Path, *, rows: int = 40, sheet: str | None = None, expected_header: tuple[str, ...] = ()
    ) -> SheetHead:
        """The first ``rows`` rows of a sheet."""
        request = ReadRequest(Path(path), sheet=sheet, expected_header=expected_header)
        child = self._asked(protocol.request_message(request, do="head", rows=rows))
        tag, payload = child.answer()
        if tag is not Tag.HEAD:
            raise child.failed("an answer out of turn")
        return child.parsed(protocol.parse_head, payload)

    def open(self, request: ReadRequest) -> OpenSheet:
        """Begin to read a sheet; its header is known when this returns."""
        child = self._asked(protocol.request_message(request, do="open"))
        tag, payload = child.answer()
        if tag is not Tag.INFO:
            raise child.failed("an answer out of turn")
        self._open = OpenSheet(child, child.parsed(protocol.parse_info, payload))
        return self._open

    def interrupt(self) -> None:
        """Let go who waits for the child to read, with a ``ReaderCrashed``. Any thread may call this."""
        child = self._child
        if child is not None and not child.idle:
            child.end()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._open = None

    def _asked(self, message: bytes) -> ChildProcess:
        """A child that has taken the request. One that died while it was idle is replaced: no file is to blame."""
        child = self._ready_child()
        try:
            child.ask(message, self._seconds)
        except ReaderCrashed:
            child = self._ready_child()
            child.ask(message, self._seconds)
        return child

    def _ready_child(self) -> ChildProcess:
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._child is None or not self._child.idle:
            self.close()
            self._child = ChildProcess(self._memory_limit_bytes)
        return self._child


class OpenSheet:
    """A sheet being read: iterate over its batches once. Closing before the end costs the child, not the client."""

    def __init__(self, child: ChildProcess, info: SheetInfo) -> None:
        self.info = info
        self._child = child
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Batch]:
        from datasync.ingest.read.frames import read_rows  # noqa: PLC0415 - loads Polars, never before a fork

        problems: tuple[CellProblem, ...] = ()
        while not self._ended:
            tag, payload = self._child.answer()
            if tag is Tag.ROWS:
                frame, numbers = self._child.parsed(read_rows, payload)
                yield Batch(frame, problems, numbers)
                problems = ()
            elif tag is Tag.PROBLEMS:
                problems = self._child.parsed(protocol.parse_problems, payload)
            elif tag is Tag.END:
                self._ended = True
            else:
                raise self._child.failed("an answer out of turn")

    def cancel(self) -> None:
        """Stop reading from another thread: one that waits for the child is let go, with a ``ReaderCrashed``."""
        if not self._ended:
            self._child.end()

    def close(self) -> None:
        """Stop reading. A new child is quicker than waiting for one that is in the middle of a large file."""
        if not self._ended:
            self._ended = True
            if not self._child.idle:
                self._child.kill()


_shared = threading.local()


@dataclass(slots=True)
class _Limits:
    memory: int = DEFAULT_MEMORY_BYTES
    seconds: float = DEFAULT_SECONDS


_limits = _Limits()


def limit_readers(*, memory_limit_bytes: int, seconds: float) -> None:
    """What ``reader()`` allows the children of this process from now on."""
    _limits.memory, _limits.seconds = memory_limit_bytes, seconds


def reader() -> Reader:
    """The calling thread's own reader in this process, warm from one file to the next.

    A fork gets its own, and so does each thread: the kernel ends a child with the thread that started it.
    """
    if getattr(_shared, "pid", None) != os.getpid():
        _shared.inherited = getattr(_shared, "reader", None)  # kept, for its child is the parent's to end
        _shared.reader, _shared.pid = Reader(memory_limit_bytes=_limits.memory, seconds=_limits.seconds), os.getpid()
    found: Reader = _shared.reader
    return found
