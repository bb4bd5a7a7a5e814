"""Workbooks of Office Open XML: xlsx and xlsm. Macros, links and pictures are never looked at."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from datasync.exceptions import EmptyFile, NoSheet
from datasync.ingest.plan import FileFormat
from datasync.ingest.read import limits
from datasync.ingest.read.cell_texts import cell_texts
from datasync.ingest.read.grid import arrange
from datasync.ingest.read.package import Package
from datasync.ingest.read.raw import RawRows, RawSheet
from datasync.ingest.read.shared_strings import read_shared_strings
from datasync.ingest.read.sheet_stream import sheet_tokens
from datasync.ingest.read.workbook import SheetPart, Workbook, read_workbook


def read_xlsx(package: Package, *, sheet: str | None, batch_rows: int) -> RawSheet:
    """Open the named sheet, or the first visible one that holds a cell.

    Hidden sheets are read only by name; hidden rows and columns are read like all others.
    """
    book = read_workbook(package)
    names = tuple(part.name for part in book.sheets)
    strings = read_shared_strings(package, book.strings_part)
    for part in _candidates(book, sheet):
        rows = _rows(package, book, part, strings, batch_rows)
        first = next(rows, None)
        if first is not None:
            return RawSheet(FileFormat.XLSX, part.name, names, _with_first(first, rows))
        if sheet is not None:
            return RawSheet(FileFormat.XLSX, part.name, names, iter(()))
    raise EmptyFile(found="no visible sheet holds a cell")


def _candidates(book: Workbook, sheet: str | None) -> list[SheetPart]:
    names = ", ".join(part.name for part in book.sheets)
    readable = [part for part in book.sheets if part.has_cells]
    if sheet is not None:
        named = [part for part in readable if part.name == sheet]
        if not named:
            raise NoSheet(wanted=sheet, found=names)
        return named
    if not readable:
        raise NoSheet(wanted="a sheet with cells", found=f"only charts or dialogs ({names})")
    return [part for part in readable if part.visible]


def _rows(package: Package, book: Workbook, part: SheetPart, strings: pl.Series, batch_rows: int) -> Iterator[RawRows]:
    blocks = package.blocks(part.part, limit=limits.MAX_SHEET_BYTES)
    for tokens, references in sheet_tokens(blocks, book.number_kinds, batch_rows=batch_rows):
        cells, problems = cell_texts(tokens.cells, strings, date_1904=book.date_1904, references=references)
        yield from arrange(tokens.numbers, cells, problems, batch_rows=batch_rows)


def _with_first(first: RawRows, rest: Iterator[RawRows]) -> Iterator[RawRows]:
    yield first
    yield from rest
