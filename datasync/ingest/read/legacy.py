"""Workbooks that are read whole, by calamine: xls, xlsb, ods. They are small by nature: xls ends at 65,536 rows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from itertools import islice
from typing import IO

import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from datasync.exceptions import CorruptFile, EmptyFile, EncryptedFile, NoSheet, TooLarge, UnsafeFile
from datasync.ingest.plan import CellProblem, FileFormat
from datasync.ingest.read import limits
from datasync.ingest.read.cell_texts import EXACT_DIGITS_LIMIT
from datasync.ingest.read.raw import RawRows, RawSheet, raw_rows
from datasync.reasons import Reason

ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DATA!", "#GETTING_DATA"})
MAX_CELLS = 40_000_000

Value = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def read_legacy(file: IO[bytes], form: FileFormat, *, sheet: str | None, batch_rows: int) -> RawSheet:
    """Open the named sheet, or the first visible one that holds a cell."""
    if file.seek(0, 2) > limits.MAX_LEGACY_BYTES:
        raise TooLarge(found="a workbook of this old format", limit=f"{limits.MAX_LEGACY_BYTES:,} bytes")
    file.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(file)
        return _chosen(book, form, sheet, batch_rows)
    except python_calamine.PasswordError as error:
        raise EncryptedFile from error
    except (python_calamine.CalamineError, OSError) as error:
        if "password" in str(error).lower():
            raise EncryptedFile from error
        raise CorruptFile(found=str(error)) from error


def _chosen(book: CalamineWorkbook, form: FileFormat, sheet: str | None, batch_rows: int) -> RawSheet:
    names = tuple(book.sheet_names)
    readable = [meta for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    if sheet is not None:
        if sheet not in {meta.name for meta in readable}:
            raise NoSheet(wanted=sheet, found=", ".join(names))
        return RawSheet(form, sheet, names, _rows(book.get_sheet_by_name(sheet), batch_rows))
    if not readable:
        raise NoSheet(wanted="a sheet with cells", found=f"only charts or dialogs ({', '.join(names)})")
    for meta in readable:
        if meta.visible == SheetVisibleEnum.Visible:
            opened = book.get_sheet_by_name(meta.name)
            if opened.height:
                return RawSheet(form, meta.name, names, _rows(opened, batch_rows))
    raise EmptyFile(found="no visible sheet holds a cell")


def _rows(sheet: CalamineSheet, batch_rows: int) -> Iterator[RawRows]:
    if sheet.total_width > limits.MAX_COLUMNS:
        raise TooLarge(found=f"{sheet.total_width:,} columns", limit=f"{limits.MAX_COLUMNS:,}")
    if sheet.height * sheet.width > MAX_CELLS:
        raise UnsafeFile(found="a sheet of tens of millions of cells, nearly all empty")
    rows = iter(enumerate(sheet.iter_rows(), start=1))  # counted from the sheet's first row, empty ones included
    while part := list(islice(rows, batch_rows)):
        problems: list[CellProblem] = []
        texts = [
            [_text(value, number, column, problems) for column, value in enumerate(values)] for number, values in part
        ]
        yield raw_rows([number for number, _ in part], texts, problems, _number_cells([values for _, values in part]))


def _number_cells(rows: list[list[Value]]) -> dict[int, list[bool]]:
    """Where numbers are, by column. How they are shown is not known: calamine passes on date formats only."""
    kinds = ([type(value) in (int, float) for value in column] for column in zip(*rows, strict=True))
    return {position: marks for position, marks in enumerate(kinds) if any(marks)}


def _text(value: Value, row: int, column: int, problems: list[CellProblem]) -> str | None:
    if isinstance(value, str):
        if value in ERRORS:
            problems.append(CellProblem(row, column, Reason.CELL_ERROR, value))
            return None
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        if abs(value) >= EXACT_DIGITS_LIMIT:
            problems.append(CellProblem(row, column, Reason.PRECISION_LOST, repr(value)))
        return number_text(value)
    return moment_text(value)


def number_text(value: float) -> str:
    """A number in its shortest form, whole ones without ``.0``."""
    if math.isfinite(value) and value == int(value) and abs(value) < EXACT_DIGITS_LIMIT * 1000:
        return str(int(value))
    return repr(value)


def moment_text(value: dt.date | dt.time | dt.timedelta) -> str:
    """A day, moment, time or duration to the nearest second."""
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, dt.datetime):
        return (value + dt.timedelta(milliseconds=500)).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S")
    return value.isoformat()
