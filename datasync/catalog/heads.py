"""The beginnings of files, each sheet read once; in a scan, the reading child is ahead of who examines them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from datasync.catalog.profile import PROFILED_ROWS
from datasync.ingest.plan import SheetHead
from datasync.mapping.choose import HeadOf

_ROWS = PROFILED_ROWS + 40
_AHEAD = 2

Heads = Iterator[HeadOf | None]
ReadHeads = Callable[[Iterable[Path | None]], Heads]
"""Gives for each path, in their order, what reads its sheets; None for None."""


def read_when_asked(paths: Iterable[Path | None]) -> Heads:
    """Read in the calling thread, with its own warm child, when a beginning is asked for."""
    for path in paths:
        yield _Once(partial(_head, path)) if path else None


@contextmanager
def reading_ahead() -> Iterator[ReadHeads]:
    """Read in a thread with a child of its own, at most two files ahead; the child ends with the context."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="heads")

    def begin(path: Path) -> HeadOf:
        def start(sheet: str | None) -> Callable[[], SheetHead]:
            return executor.submit(_head, path, sheet).result

        first = start(None)
        return _Once(lambda sheet: first() if sheet is None else start(sheet)())

    def read(paths: Iterable[Path | None]) -> Heads:
        begun = (begin(path) if path else None for path in paths)
        waiting = list(islice(begun, _AHEAD))
        while waiting:
            yield waiting.pop(0)
            waiting += islice(begun, 1)

    try:
        yield read
    finally:
        executor.submit(_end_reader)
        executor.shutdown(cancel_futures=False)


class _Once:
    """Reads each sheet once. Calling it raises a ``FileError`` for a bad file, each time."""

    def __init__(self, read: HeadOf) -> None:
        self._read = read
        self._known: dict[str | None, SheetHead] = {}

    def __call__(self, sheet: str | None) -> SheetHead:
        if sheet not in self._known:
            self._known[sheet] = self._read(sheet)
        return self._known[sheet]


def _head(path: Path, sheet: str | None) -> SheetHead:
    from datasync.ingest.read import reader  # noqa: PLC0415 - brings polars along

    return reader().head(path, rows=_ROWS, sheet=sheet)


def _end_reader() -> None:
    from datasync.ingest.read import reader  # noqa: PLC0415

    reader().close()
