"""CSV and its kin: fast where the text is regular, careful where it is not, decided piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import polars as pl

from datasync.exceptions import EmptyFile, TooLarge
from datasync.ingest.plan import CellProblem, FileFormat
from datasync.ingest.read import csv_fast, limits
from datasync.ingest.read.csv_dialect import detect_delimiter
from datasync.ingest.read.csv_records import Record, Records
from datasync.ingest.read.raw import RawRows, RawSheet, raw_rows
from datasync.ingest.read.text_encoding import SAMPLE_BYTES, detect_encoding
from datasync.ingest.read.text_lines import UNDECODABLE, TextFile
from datasync.reasons import Reason

HEAD_BYTES = 256 * 1024
CAREFUL_ROWS = 10_000
REPLACEMENT = "\ufffd"


def read_delimited(file: IO[bytes], *, name: str, expected_header: Sequence[str], header_end: int | None) -> RawSheet:
    """Open a text file. The record before row ``header_end`` (0-based) gives the width that all later ones must have.

    ``header_end`` None: only the beginning is wanted, and no width is asked for.
    """
    sample = _sample(file)
    if not sample:
        raise EmptyFile(found="zero bytes")
    encoding, mark = detect_encoding(sample, expected_header)
    block = HEAD_BYTES if header_end is None else limits.TEXT_BLOCK_BYTES
    text = TextFile(file, encoding, mark, block_bytes=block)
    file.seek(0)
    start = file.read(HEAD_BYTES)[mark:]
    delimiter = detect_delimiter(start.decode(encoding, "ignore"), expected_header)
    rows = _Rows(text, delimiter).all(header_end)
    return RawSheet(FileFormat.CSV, name, (name,), rows, encoding=encoding, delimiter=delimiter)


def _sample(file: IO[bytes]) -> bytes:
    """The beginning of the file and, when that is plain ASCII, its first stretch that is not."""
    file.seek(0)
    beginning = block = file.read(SAMPLE_BYTES)
    while block.isascii() and (block := file.read(SAMPLE_BYTES)):
        if not block.isascii():
            return beginning[: SAMPLE_BYTES // 4] + b"\n" + block[block.find(b"\n") + 1 :]
    return beginning


class _Rows:
    """The state of reading one file: where it is, how wide it is, and what could not be decoded."""

    def __init__(self, text: TextFile, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._row = 1
        self._width: int | None = None

    def all(self, header_end: int | None) -> Iterator[RawRows]:
        """Everything from the first record on."""
        pieces = self._text.pieces()
        if header_end is None:
            yield from self._careful(self._decoded(pieces))
            return
        first, offset = next(pieces, (b"", 0))
        header, used = self._header(first, offset, header_end)
        yield header
        if self._row > header_end:
            yield from self._body(first[used:], offset + used, pieces)

    def _header(self, data: bytes, offset: int, header_end: int) -> tuple[RawRows, int]:
        """The records above row ``header_end``, all of which must lie in the first piece, and their length in bytes."""
        found: list[Record] = []
        lines = data.splitlines(keepends=True)
        taken = _Counted(self._decoded((line, offset) for line in lines))
        records = Records(taken, self._delimiter, first_row=1)
        for record in records:
            found.append(record)
            if record.row == header_end:
                self._width = len(record.cells) or None
                break
        self._row += len(found)
        used = lines[: taken.count - records.lines_ahead]
        return self._table(found, ragged=True), sum(len(line) for line in used)

    def _body(self, data: bytes, offset: int, pieces: Iterator[tuple[bytes, int]]) -> Iterator[RawRows]:
        more = True
        while more or data:
            cut = csv_fast.last_record_end(data) if more else len(data)
            piece = data[:cut]
            if cut and csv_fast.quotes_are_regular(piece, self._delimiter):
                yield self._piece(piece, offset)
                data, offset = data[cut:], offset + cut
            elif cut or len(data) > 2 * limits.TEXT_BLOCK_BYTES:
                yield from self._careful(self._decoded(_chain((data, offset), pieces)))
                return
            following = next(pieces, None)
            more = following is not None
            data += following[0] if following else b""

    def _piece(self, piece: bytes, offset: int) -> RawRows:
        frame = None
        if self._width and not self._text.undecodable:
            frame = csv_fast.parse(piece, self._delimiter, width=self._width, first_row=self._row)
        if frame is not None:
            self._row += frame.height
            return RawRows(frame)
        whole = list(self._careful(self._decoded([(piece, offset)])))
        frames = pl.concat([part.frame for part in whole], how="diagonal") if whole else raw_rows([], [], []).frame
        return RawRows(frames, [problem for part in whole for problem in part.problems])

    @property
    def _is_utf8(self) -> bool:
        return self._text.encoding == "utf-8"

    def _decoded(self, pieces: Iterable[tuple[bytes, int]]) -> Iterator[str]:
        for data, offset in pieces:
            yield self._text.decode(data, offset) if self._is_utf8 else data.decode()

    def _careful(self, texts: Iterator[str]) -> Iterator[RawRows]:
        found: list[Record] = []
        for record in Records(texts, self._delimiter, first_row=self._row, width=self._width):
            found.append(record)
            self._row = record.row + 1
            if len(found) >= CAREFUL_ROWS:
                yield self._table(found)
                found = []
        yield self._table(found)

    def _table(self, found: list[Record], *, ragged: bool = False) -> RawRows:
        problems: list[CellProblem] = []
        for row, cells, irregular in found:
            if len(cells) > limits.MAX_COLUMNS:
                raise TooLarge(found=f"{len(cells):,} columns", limit=f"{limits.MAX_COLUMNS:,}")
            self._claim_undecodable(row, cells, problems)
            if irregular:
                problems.append(CellProblem(row, None, Reason.WRONG_COLUMN_COUNT, cells[0]))
            elif self._width and cells and not ragged:
                self._check_width(row, cells, self._width, problems)
        kept = [record for record in found if record.cells]
        return raw_rows([record.row for record in kept], [record.cells for record in kept], problems)

    def _check_width(self, row: int, cells: list[str], width: int, problems: list[CellProblem]) -> None:
        """Too few cells, or more than the header has with something in them; the surplus is kept in the problem."""
        surplus = cells[width:]
        del cells[width:]
        if len(cells) < width:
            problems.append(CellProblem(row, None, Reason.WRONG_COLUMN_COUNT, f"{len(cells)} of {width}"))
        elif any(surplus):
            problems.append(CellProblem(row, None, Reason.WRONG_COLUMN_COUNT, self._delimiter.join(surplus)))

    def _claim_undecodable(self, row: int, cells: list[str], problems: list[CellProblem]) -> None:
        if not self._text.undecodable:
            return
        for column, cell in enumerate(cells):
            for _ in range(cell.count(UNDECODABLE)):
                offset = self._text.undecodable.popleft() if self._text.undecodable else 0
                problems.append(CellProblem(row, column, Reason.UNDECODABLE_BYTES, f"byte {offset}"))
            cells[column] = cell.replace(UNDECODABLE, REPLACEMENT)


class _Counted:
    """Counts the lines that were taken from an iterator."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        return line


def _chain(first: tuple[bytes, int], pieces: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    yield first
    yield from pieces
