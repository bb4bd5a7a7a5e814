"""Leaving a file early, while the thread that reads ahead waits for a child that says nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from datasync.exceptions import ReaderCrashed
from datasync.ingest.plan import ReadRequest, Sheet
from datasync.ingest.prepare import Prepared
from datasync.ingest.read import Reader
from datasync.ingest.streams import ahead

LINES = 300_000


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Several blocks of text, so that the child is far from done after the first batch."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + f"1,{'z' * 60}\n" * LINES)
    return path


def parts(sheet: Sheet) -> Iterator[Prepared]:
    for batch in sheet:
        yield Prepared(pl.DataFrame(), [], batch.frame.height, 0)


class SoftLimit(Exception):
    """As a worker's time limit: raised wherever the main thread is."""


def _raise(*_: object) -> None:
    raise SoftLimit


@pytest.fixture
def soft_limit() -> Iterator[None]:
    """Raises half a second from now, if the test does not take longer than that to wait."""
    before = signal.signal(signal.SIGALRM, _raise)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("soft_limit")
def test_leaving_does_not_wait_for_a_frozen_child(large: Path) -> None:
    with Reader(seconds=30) as reader, reader.open(ReadRequest(large)) as sheet:
        frozen = reader.pid
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)  # a batch is larger than the pipe, so none can have got through
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        started = time.monotonic()
        with pytest.raises(SoftLimit), closing(ahead(parts(sheet), stop=sheet.cancel)) as stream:
            next(stream)
        assert time.monotonic() - started < 5
        assert "prepare" not in {thread.name for thread in threading.enumerate()}
        with reader.open(ReadRequest(large, max_rows=3)) as again:
            assert sum(batch.frame.height for batch in again) == 3
        assert reader.pid != frozen


def test_a_cancelled_sheet_never_looks_complete(large: Path) -> None:
    with Reader() as reader, reader.open(ReadRequest(large, batch_rows=1_000)) as sheet:
        batches = iter(sheet)
        next(batches)
        sheet.cancel()
        with pytest.raises(ReaderCrashed, match="on purpose"):
            list(batches)


def test_a_whole_file_passes_and_keeps_its_child(large: Path) -> None:
    with Reader() as reader, reader.open(ReadRequest(large)) as sheet:
        first = reader.pid
        with closing(ahead(parts(sheet), stop=sheet.cancel)) as stream:
            assert sum(part.read for part in stream) == LINES
        sheet.close()
        reader.head(large)
        assert reader.pid == first


def test_an_error_of_the_reader_reaches_the_consumer(large: Path) -> None:
    with Reader() as reader, reader.open(ReadRequest(large, batch_rows=1_000)) as sheet:
        assert reader.pid is not None
        with closing(ahead(parts(sheet), stop=sheet.cancel)) as stream:
            next(stream)
            os.kill(reader.pid, signal.SIGKILL)
            with pytest.raises(ReaderCrashed, match="signal 9"):
                list(stream)
