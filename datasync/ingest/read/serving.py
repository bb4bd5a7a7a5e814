"""The child's side of the conversation. A thread reads ahead of the pipe, so that reading overlaps the consumer."""

from __future__ import annotations

import dataclasses
import io
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import IO, Any

import polars as pl

from datasync.exceptions import FileError, ReaderCrashed
from datasync.ingest.plan import ReadRequest
from datasync.ingest.read import limits, protocol
from datasync.ingest.read.dispatch import read_head, read_sheet
from datasync.ingest.read.protocol import Tag, write_frame
from datasync.ingest.read.raw import RawRows

Frame = tuple[Tag, bytes]


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer one request after the other until the client closes its end."""
    write_frame(answers, Tag.READY)
    while header := requests.read(protocol.HEADER.size):
        length = protocol.parse_header(header)[1]
        message, request = protocol.parse_request(requests.read(length))
        write_frame(answers, Tag.READY)
        for tag, payload in _ahead(_safely(_answers(message, request))):
            write_frame(answers, tag, payload)


def _answers(message: dict[str, Any], request: ReadRequest) -> Iterator[Frame]:
    if message["do"] == "head":
        yield Tag.HEAD, protocol.to_json(dataclasses.asdict(read_head(request, int(message["rows"]))))
        return
    with read_sheet(request) as (info, batches):
        yield Tag.INFO, protocol.to_json(dataclasses.asdict(info))
        for batch in batches:
            yield from _batch_frames(batch)
    yield Tag.END, b""


def _batch_frames(batch: RawRows) -> Iterator[Frame]:
    if batch.problems:
        yield Tag.PROBLEMS, protocol.problems_message(batch.problems)
    buffer = io.BytesIO()
    # The older layout copies the texts of this batch only; the newer one would send every buffer they are cut from
    batch.frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    yield Tag.ROWS, buffer.getvalue()


def _safely(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Errors become the last frame. A panic in a reading library is a crash like any other, but a survivable one."""
    try:
        yield from frames
    except FileError as error:
        yield Tag.ERROR, protocol.error_message(error)
    except MemoryError:
        yield Tag.ERROR, protocol.error_message(ReaderCrashed(found="out of memory"))
    except (Exception, pl.exceptions.PanicException) as error:
        _leave_trace(error)
        yield Tag.ERROR, protocol.error_message(ReaderCrashed(found=type(error).__name__))


def _leave_trace(error: BaseException) -> None:
    """Where it happened, on standard error for the client to log; without the message, which may quote a cell."""
    places = "".join(traceback.format_tb(error.__traceback__))
    print(f"{places}{type(error).__name__}", file=sys.stderr, flush=True)


def _ahead(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, produced by a thread that may be a few ahead."""
    buffer: queue.Queue[Frame | None] = queue.Queue(limits.READ_AHEAD_BATCHES)

    def produce() -> None:
        for frame in frames:
            buffer.put(frame)
        buffer.put(None)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    while (frame := buffer.get()) is not None:
        yield frame
    thread.join()
