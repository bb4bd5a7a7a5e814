"""Quarantined rows as a spreadsheet that can be corrected and uploaded again.

The original columns come first, under their original headers; what the product says about a row stands behind them, in
columns whose names begin with ``quarantine:``. Rows with different headers cannot share columns: they become sheets of
a workbook, and are refused for CSV.

A cell that a spreadsheet would take for a formula gets a leading apostrophe (``datasync.spreadsheets``).
"""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import xlsxwriter
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from datasync.exceptions import InvalidRequest
from datasync.models import QuarantinedRow, SyncProgressTask
from datasync.quarantine.values import current
from datasync.spreadsheets import escape

ShowsTask = Callable[[SyncProgressTask], bool]
FORMATS = ("csv", "xlsx")
NOTES = (
    "quarantine: id",
    "quarantine: file",
    "quarantine: row",
    "quarantine: task",
    "quarantine: state",
    "quarantine: reasons",
)

MOST_DOWNLOADED = 100_000
"""Rows that a download has at most: somebody waits for it."""
_SHEET_ROWS = 1_048_575  # besides the header
CELL_CHARACTERS = 32_767


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    rows: int
    sheets: int


def write(
    rows: QuerySet[QuarantinedRow],
    target: Path | BinaryIO,
    *,
    format: str = "xlsx",  # noqa: A002
    shows_task: ShowsTask | None = None,
) -> Exported:
    """Write the rows to a file or a stream of bytes. ``shows_task``: which tasks are named; all where it is not given.

    Raises ``InvalidRequest`` for an unknown format and for CSV of rows with different headers; nothing is written then.
    """
    if format not in FORMATS:
        raise InvalidRequest(detail=_("Exports are made as csv or xlsx."))
    ordered = rows.order_by("header_set_id", "file_id", "sheet_row")
    if format == "csv" and ordered.order_by().values("header_set_id").distinct().count() > 1:
        raise InvalidRequest(
            detail=_("The rows come from files with different headers: choose xlsx, or the rows of one file.")
        )
    groups = itertools.groupby(ordered.iterator(chunk_size=2000), key=lambda row: row.header_set_id)
    tables = (_table(group, shows_task) for _id, group in groups)
    if isinstance(target, Path):
        with target.open("wb") as stream:
            return _WRITERS[format](tables, stream)
    return _WRITERS[format](tables, target)


def spooled(
    rows: QuerySet[QuarantinedRow],
    *,
    format: str = "xlsx",  # noqa: A002
    shows_task: ShowsTask | None = None,
) -> tuple[BinaryIO, str]:
    """The rows as an open file to be downloaded, and a name for it; a large one lies on disk while it is made.

    Raises ``InvalidRequest`` above ``MOST_DOWNLOADED`` rows, and what ``write`` raises.
    """
    count = rows.count()
    if count > MOST_DOWNLOADED:
        raise InvalidRequest(
            detail=_(
                "%(count)s rows match, and a download has at most %(most)s; narrow it, or use “manage.py quarantine "
                "export”, which has no limit."
            )
            % {"count": f"{count:,}", "most": f"{MOST_DOWNLOADED:,}"}
        )
    stream = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the response closes it
    try:
        write(rows, stream, format=format, shows_task=shows_task)
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream, f"quarantine-{timezone.now():%Y%m%d-%H%M%S}.{format}"


def reasons_text(row: QuarantinedRow) -> str:
    """The reasons of a row in one line: ``header: CODE (value); …``."""
    return in_one_line(row.reasons)


def in_one_line(reasons: Iterable[Mapping[str, str]]) -> str:
    """Reasons as ``header: CODE (value); …``."""
    parts = []
    for reason in reasons:
        head = f"{reason['header']}: " if reason["header"] else ""
        tail = f" ({reason['value']})" if reason["value"] else ""
        parts.append(f"{head}{reason['code']}{tail}")
    return "; ".join(parts)


def original_values(row: QuarantinedRow) -> list[str]:
    """The row's cells in header order, a correction in place of what it corrects."""
    return [text or "" for text in current(row)]


def _table(group: Iterable[QuarantinedRow], shows_task: ShowsTask | None) -> Iterator[list[str]]:
    """One header, then the rows that stand under it, every cell escaped."""
    for at, row in enumerate(group):
        if at == 0:
            yield [escape(text) for text in (*row.header_set.headers, *NOTES)]
        shown = row.item is not None and (shows_task is None or shows_task(row.item.task))
        task = row.item.task.task_id if row.item and shown else ""
        notes = (row.pk, row.file.original_name, row.sheet_row, task, row.state, reasons_text(row))
        yield [escape(str(text)) for text in (*original_values(row), *notes)]


def _write_csv(tables: Iterator[Iterator[list[str]]], stream: BinaryIO) -> Exported:
    """UTF-8 with the mark that makes spreadsheets read it as such; an unpaired surrogate is replaced."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text)
    rows = 0
    for lines in tables:
        for line in lines:
            writer.writerow(line)
            rows += 1
    text.flush()
    text.detach()
    return Exported(rows=max(rows - 1, 0), sheets=1 if rows else 0)


def _write_xlsx(tables: Iterator[Iterator[list[str]]], stream: BinaryIO) -> Exported:
    """A sheet for each header, continued on another where a sheet is full; every cell is text."""
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "in_memory": False})
    rows = sheets = 0
    for lines in tables:
        header = next(lines)
        while chunk := list(itertools.islice(lines, 1)):
            sheet = book.add_worksheet()
            sheets += 1
            body = itertools.chain(chunk, itertools.islice(lines, _SHEET_ROWS - 1))
            for number, line in enumerate(itertools.chain([header], body)):
                for column, cell in enumerate(line):
                    sheet.write_string(number, column, fitting(cell))
            rows += number
    if not sheets:
        book.add_worksheet().write_string(0, 0, NOTES[0])
    book.close()
    return Exported(rows=rows, sheets=sheets)


def fitting(cell: str) -> str:
    """The cell as a workbook can hold it: cut with a word about it where it is too long, no unpaired surrogates."""
    text = cell.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= CELL_CHARACTERS:
        return text
    note = _(" … (cut: %(length)s characters; CSV keeps them all)") % {"length": len(text)}
    return text[: CELL_CHARACTERS - len(note)] + note


_WRITERS = {"csv": _write_csv, "xlsx": _write_xlsx}
