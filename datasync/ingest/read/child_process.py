"""One reading child: the process, the pipes to it, and how long it is waited for."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeVar, cast

from datasync.exceptions import ReaderCrashed, ReaderTimeout
from datasync.ingest.read import protocol
from datasync.ingest.read.complaints import Complaints
from datasync.ingest.read.protocol import Tag
from datasync.ingest.read.sandbox import OUT_OF_MEMORY, UNCONFINED

CHILD_THREADS = "2"
START_SECONDS = 60.0
EXIT_SECONDS = 1.0
T = TypeVar("T")
PACKAGE_ROOT = Path(__file__).resolve().parents[3]


class ChildProcess:
    """One child process and the pipes to it. ``idle``: alive and not in the middle of an answer."""

    def __init__(self, memory_limit_bytes: int) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._complaints = Complaints()
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
            stderr=self._complaints.file,
            cwd=PACKAGE_ROOT,
            env={"PYTHONUTF8": "1", "TZ": "UTC", "POLARS_MAX_THREADS": CHILD_THREADS, "MALLOC_ARENA_MAX": "2"},
            bufsize=0,
        )
        self._finalizer = weakref.finalize(self, _end, self._process, self._complaints, os.getpid())
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        self._limit = self._left = START_SECONDS
        self._cancelled = False
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
            error = self.parsed(protocol.parse_error, payload)
            if isinstance(error, ReaderCrashed):
                self._complaints.log(str(error))
            raise error
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
        """The error for a child that died or is no longer to be trusted; it is ended, and what it said is logged."""
        self._process.kill()
        self._process.wait()
        error = ReaderCrashed(found="ended on purpose" if self._cancelled else found)
        if not self._cancelled and not self._complaints.closed:
            self._complaints.log(str(error))
        self.kill()
        return error

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
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_SECONDS)  # its end of the pipe is closed a moment before its status is known
        self._process.kill()
        code = self._process.wait()
        if code == OUT_OF_MEMORY:
            return self.failed(f"it took more than {self._memory_limit_bytes // 1024**2:,} MiB of memory")
        if code == UNCONFINED:
            return self.failed("it could not be confined")
        return self.failed(f"signal {-code}" if code < 0 else f"exit {code}")

    def end(self) -> None:
        """End the process at once; whoever reads its answers finds out, and cleans up. Any thread may call this."""
        self._cancelled = True
        self._process.kill()

    def kill(self) -> None:
        """End the process at once and leave nothing behind."""
        self._selector.close()
        self._finalizer()


def _end(process: subprocess.Popen[bytes], complaints: Complaints, owner: int) -> None:
    """Kill a child, unless this is a fork of the process that owns it."""
    if os.getpid() != owner:
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    complaints.close()
