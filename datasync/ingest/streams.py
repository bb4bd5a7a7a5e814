"""Two ways to pass batches on: prepared ahead by a thread, or put aside until all are there."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl

from datasync.ingest.prepare import Prepared

_KEPT_IN_MEMORY = 5


def ahead(parts: Iterator[Prepared], *, stop: Callable[[], None], depth: int = 1) -> Generator[Prepared, None, None]:
    """The same parts, prepared up to ``depth`` ahead in a thread while the consumer waits for the database.

    A consumer that leaves early has ``stop`` called, which must free the thread from whatever it waits for.
    """
    passing: queue.Queue[Prepared | BaseException | None] = queue.Queue(maxsize=depth)
    left = threading.Event()

    def offer(thing: Prepared | BaseException | None) -> bool:
        while not left.is_set():
            with suppress(queue.Full):
                passing.put(thing, timeout=0.1)
                return True
        return False

    def work() -> None:
        try:
            for part in parts:
                if not offer(part):
                    return
            offer(None)
        except BaseException as error:
            offer(error)

    thread = threading.Thread(target=work, name="prepare", daemon=True)
    thread.start()
    try:
        while (thing := passing.get()) is not None:
            if isinstance(thing, BaseException):
                raise thing
            yield thing
    finally:
        left.set()
        if thread.is_alive():
            stop()
        thread.join()


def collected(parts: Iterator[Prepared]) -> Generator[Prepared, None, None]:
    """The same parts, the first of them only when the last is there; beyond a few they wait in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        waiting: list[Prepared] = []
        for number, part in enumerate(parts):
            if number >= _KEPT_IN_MEMORY:
                part.rows.write_ipc(Path(folder) / str(number))
                part.rows = part.rows.clear()
            waiting.append(part)
        for number, part in enumerate(waiting):
            if number >= _KEPT_IN_MEMORY:
                part.rows = pl.read_ipc(Path(folder) / str(number))
            yield part
            part.rows = part.rows.clear()
