"""What the reading child and its client say to each other.

A frame is a 1-byte tag, a 4-byte length (big-endian) and that many bytes: JSON for control, an Arrow IPC stream for the
rows of a batch. Nothing is ever unpickled: the child may be in the hands of the file it reads.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import IO, Any

from datasync.exceptions import FileError, ReaderCrashed, error_classes
from datasync.ingest.plan import CellProblem, FileFormat, ReadRequest, SheetHead, SheetInfo
from datasync.ingest.read import limits
from datasync.reasons import Reason

HEADER = struct.Struct(">BI")


class Tag(IntEnum):
    """What a frame holds."""

    REQUEST = 1  # JSON: {"do": "head" | "open", …}
    HEAD = 2  # JSON of a SheetHead: the answer to "head"
    INFO = 3  # JSON of a SheetInfo: the first answer to "open"
    PROBLEMS = 4  # JSON: the problems of the batch that follows
    ROWS = 5  # Arrow IPC stream: a batch as in ``raw.RawRows``
    END = 6  # no more batches
    ERROR = 7  # JSON: {"code", "params"}
    READY = 8  # the child has loaded what it needs, or has taken a request and now opens the file


def write_frame(pipe: IO[bytes], tag: Tag, payload: bytes = b"") -> None:
    """Send one frame."""
    pipe.write(HEADER.pack(tag, len(payload)))
    pipe.write(payload)
    pipe.flush()


def to_json(value: Any) -> bytes:
    """Plain values as JSON bytes."""
    return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")


def parse_header(data: bytes) -> tuple[Tag, int]:
    """Tag and length of the frame that follows; ``ValueError`` when it cannot be one."""
    tag, length = HEADER.unpack(data)
    if length > limits.MAX_FRAME_BYTES:
        raise ValueError("a frame beyond every bound")
    return Tag(tag), length


def request_message(request: ReadRequest, **more: Any) -> bytes:
    """A request for the child."""
    return to_json({**dataclasses.asdict(request), "path": str(request.path), **more})


def parse_request(data: bytes) -> tuple[dict[str, Any], ReadRequest]:
    """The request and what it says besides."""
    message = json.loads(data)
    known = {field.name for field in dataclasses.fields(ReadRequest)}
    values = {name: message.pop(name) for name in list(message) if name in known}
    values["path"] = Path(values["path"])
    values["expected_header"] = tuple(values["expected_header"])
    return message, ReadRequest(**values)


def parse_head(data: bytes) -> SheetHead:
    """A ``SheetHead`` from its JSON."""
    value = json.loads(data)
    return SheetHead(
        FileFormat(value["format"]),
        str(value["sheet"]),
        tuple(map(str, value["sheets"])),
        tuple(tuple(map(str, row)) for row in value["rows"]),
        str(value["encoding"]),
        str(value["delimiter"]),
    )


def parse_info(data: bytes) -> SheetInfo:
    """A ``SheetInfo`` from its JSON."""
    value = json.loads(data)
    return SheetInfo(
        FileFormat(value["format"]),
        str(value["sheet"]),
        tuple(map(str, value["header"])),
        str(value["encoding"]),
        str(value["delimiter"]),
    )


def problems_message(problems: Iterable[CellProblem]) -> bytes:
    """The problems of a batch."""
    return to_json([(problem.row, problem.column, problem.reason.value, problem.value) for problem in problems])


def parse_problems(data: bytes) -> tuple[CellProblem, ...]:
    """The problems of a batch from their JSON."""
    return tuple(
        CellProblem(int(row), None if column is None else int(column), Reason(reason), str(value))
        for row, column, reason, value in json.loads(data)
    )


def error_message(error: FileError) -> bytes:
    """An expected error, by its code."""
    return to_json({"code": error.code, "params": error.params})


def parse_error(data: bytes) -> FileError:
    """The error to raise; a code that is no file's is the child's own failure."""
    value = json.loads(data)
    found = error_classes().get(str(value["code"]))
    if found is None or not issubclass(found, FileError):
        return ReaderCrashed(found=str(value["code"]))
    return found(**{str(name): text for name, text in value["params"].items()})
