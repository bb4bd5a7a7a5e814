"""The client of the reading child: starts it, keeps it warm, limits its time, replaces it when it dies."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar, cast

from datasync.exceptions import ReaderCrashed, ReaderTimeout
from datasync.ingest.plan import Batch, CellProblem, ReadRequest, SheetHead, SheetInfo
from datasync.ingest.read import protocol
from datasync.ingest.read.protocol import Tag
from datasync.ingest.read.sandbox import OUT_OF_MEMORY

DEFAULT_MEMORY_BYTES = 2 * 1024**3
DEFAULT_SECONDS = 600.0
CHILD_THREADS = "2"
START_SECONDS = 60.0
T = TypeVar("T")
PACKAGE_ROOT = Path(__file__).resolve().parents[3]


class Reader:
    """Reads files in a child process. One sheet at a time; opening another, or leaving early, ends the one before.

    Belongs to one thread. ``seconds`` bounds how long the *child* is waited for over one file; the consumer's own work
    does not count.
    """

    def __init__(self, *, memory_limit_bytes: int = DEFAULT_MEMORY_BYTES, seconds: float = DEFAULT_SECONDS) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._seconds = seconds
        self._child: _Child | None = None
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

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._open = None

    def _asked(self, message: bytes) -> _Child:
        """A child that has taken the request. One that died while it was idle is replaced: no file is to blame."""
        child = self._ready_child()
        try:
            child.ask(message, self._seconds)
        except ReaderCrashed:
            child = self._ready_child()
            child.ask(message, self._seconds)
        return child

    def _ready_child(self) -> _Child:
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._child is None or not self._child.idle:
            self.close()
            self._child = _Child(self._memory_limit_bytes)
        return self._child


class OpenSheet:
    """A sheet being read: iterate over its batches once. Closing before the end costs the child, not the client."""

    def __init__(self, child: _Child, info: SheetInfo) -> None:
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
                yield Batch(self._child.parsed(read_rows, payload), problems)
                problems = ()
            elif tag is Tag.PROBLEMS:
                problems = self._child.parsed(protocol.parse_problems, payload)
            elif tag is Tag.END:
                self._ended = True
            else:
                raise self._child.failed("an answer out of turn")

    def close(self) -> None:
        """Stop reading. A new child is quicker than waiting for one that is in the middle of a large file."""
        if not self._ended:
            self._ended = True
            if not self._child.idle:
                self._child.kill()


class _Child:
    """One child process and the pipes to it. ``idle``: alive and not in the middle of an answer."""

    def __init__(self, memory_limit_bytes: int) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "datasync.ingest.read.child",
                f"--memory-limit-bytes={memory_limit_bytes}",
                f"--parent={os.getpid()}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PACKAGE_ROOT,
            env={"PYTHONUTF8": "1", "TZ": "UTC", "POLARS_MAX_THREADS": CHILD_THREADS, "MALLOC_ARENA_MAX": "2"},
            bufsize=0,
        )
        self._finalizer = weakref.finalize(self, _end, self._process, os.getpid())
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        self._limit = self._left = START_SECONDS
        self._busy = True
        self._accepted()
        self._busy = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def idle(self) -> bool:
        return not self._busy and self._process.poll() is None

    def ask(self, message: bytes, seconds: float) -> None:
        """Send a request, which may take ``seconds`` of waiting, and see it accepted."""
        self._limit = self._left = seconds
        self._busy = True
        try:
            protocol.write_frame(self._requests, Tag.REQUEST, message)
        except OSError as error:
            raise self._died() from error
        self._accepted()

    def answer(self) -> tuple[Tag, bytes]:
        """The next frame; raises what the child reports, and what became of the child."""
        tag, payload = self._frame()
        if tag is Tag.ERROR:
            self._busy = False
            raise self.parsed(protocol.parse_error, payload)
        if tag in (Tag.HEAD, Tag.END):
            self._busy = False
        return tag, payload

    def _accepted(self) -> None:
        if self._frame()[0] is not Tag.READY:
            raise self.failed("an answer out of turn")

    def parsed(self, parse: Callable[[bytes], T], payload: bytes) -> T:
        """``parse(payload)``; whatever it cannot be is the doing of a child out of control."""
        try:
            return parse(payload)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.failed("an answer that cannot be understood") from error

    def failed(self, found: str) -> ReaderCrashed:
        """The error for a child that is no longer to be trusted; it is ended."""
        self.kill()
        return ReaderCrashed(found=found)

    def _frame(self) -> tuple[Tag, bytes]:
        tag, length = self.parsed(protocol.parse_header, self._read(protocol.HEADER.size))
        return tag, self._read(length)

    def _read(self, length: int) -> bytes:
        """Exactly ``length`` bytes within the time that is left."""
        data = bytearray(length)
        view, at = memoryview(data), 0
        while at < length:
            started = time.monotonic()
            if not self._selector.select(max(0.0, self._left)):
                self.kill()
                raise ReaderTimeout(limit=f"{self._limit:g}")
            self._left -= time.monotonic() - started
            count = os.readv(self._answers.fileno(), [view[at:]])
            if not count:
                raise self._died()
            at += count
        return bytes(data)

    def _died(self) -> ReaderCrashed:
        """Why the child is gone: a signal, as when the kernel or an allocator gives up, or an exit."""
        self.kill()
        code = self._process.returncode
        if code == OUT_OF_MEMORY:
            return ReaderCrashed(found=f"it took more than {self._memory_limit_bytes // 1024**2:,} MiB of memory")
        return ReaderCrashed(found=f"signal {-code}" if code < 0 else f"exit {code}")

    def kill(self) -> None:
        """End the process at once and leave nothing behind."""
        self._selector.close()
        self._finalizer()


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Kill a child, unless this is a fork of the process that owns it."""
    if os.getpid() != owner:
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


_shared = threading.local()


def reader() -> Reader:
    """The calling thread's own reader in this process, warm from one file to the next.

    A fork gets its own, and so does each thread: the kernel ends a child with the thread that started it.
    """
    if getattr(_shared, "pid", None) != os.getpid():
        _shared.inherited = getattr(_shared, "reader", None)  # kept, for its child is the parent's to end
        _shared.reader, _shared.pid = Reader(), os.getpid()
    found: Reader = _shared.reader
    return found
