"""A text file as UTF-8, in pieces that end with a line; bytes that cannot be decoded are marked and remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from datasync.exceptions import TooLarge, UndecodableText
from datasync.ingest.read import limits

UNDECODABLE = "\ufdd0"  # a noncharacter: no text holds it
MAX_UNDECODABLE = 10_000


@dataclass(slots=True)
class TextFile:
    """``undecodable`` holds the byte offsets of the marks given out and not yet claimed, in file order."""

    file: IO[bytes]
    encoding: str
    mark_bytes: int = 0
    block_bytes: int = limits.TEXT_BLOCK_BYTES
    undecodable: deque[int] = field(default_factory=deque)
    total_undecodable: int = 0

    def pieces(self) -> Iterator[tuple[bytes, int]]:
        """(UTF-8 bytes, offset in the file). A file that is UTF-8 is passed on as it is, not yet validated."""
        for raw, offset in self._raw_pieces():
            yield (raw, offset) if self.encoding == "utf-8" else (self.decode(raw, offset).encode(), offset)

    def decode(self, raw: bytes, offset: int) -> str:
        """Text of ``raw``, with ``UNDECODABLE`` in place of each byte sequence that is none."""
        view, at, parts = memoryview(raw), 0, []
        while True:
            try:
                parts.append(str(view[at:], self.encoding))
                return "".join(parts)
            except UnicodeDecodeError as error:
                parts.append(str(view[at : at + error.start], self.encoding))
                parts.append(UNDECODABLE)
                self._remember(offset + at + error.start)
                at += error.end

    def _remember(self, offset: int) -> None:
        self.undecodable.append(offset)
        self.total_undecodable += 1
        if self.total_undecodable > MAX_UNDECODABLE:
            raise UndecodableText(found=f"over {MAX_UNDECODABLE:,} sequences are no {self.encoding.upper()}")

    def _raw_pieces(self) -> Iterator[tuple[bytes, int]]:
        self.file.seek(self.mark_bytes)
        offset, pending = self.mark_bytes, b""
        while block := self.file.read(self.block_bytes):
            pending += block
            cut = self._last_line_end(pending)
            if cut:
                yield pending[:cut], offset
                offset += cut
                pending = pending[cut:]
            elif len(pending) > 4 * limits.MAX_RECORD_CHARACTERS:
                raise TooLarge(found="a line of millions of characters", limit=f"{limits.MAX_RECORD_CHARACTERS:,}")
        if pending:
            yield pending, offset

    def _last_line_end(self, data: bytes) -> int:
        """Length up to the last line end; a carriage return at the very end may be half of one."""
        if not self.encoding.startswith("utf-16"):
            return (data.rfind(b"\n") + 1) or (data.rfind(b"\r", 0, len(data) - 1) + 1)
        newline = "\n".encode(self.encoding)
        at = data.rfind(newline)
        while at >= 0 and at % 2:
            at = data.rfind(newline, 0, at + 1)
        return at + 2 if at >= 0 else 0
