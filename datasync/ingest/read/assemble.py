"""From a sheet's raw rows to what the ingest gets: the header, and batches of data rows below it.

The width is that of the header, without empty headers at its right end that have no data in the first rows below.
Data to the right of it is reported row by row (``WRONG_COLUMN_COUNT``), so that nothing disappears in silence.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from datasync.exceptions import EmptyFile
from datasync.ingest.headers import join_header
from datasync.ingest.plan import CellProblem, ReadRequest, SheetHead, SheetInfo
from datasync.ingest.read import limits
from datasync.ingest.read.raw import RawRows, RawSheet, column_names, number_columns
from datasync.reasons import Reason

NUL, REPLACEMENT = "\0", "\ufffd"


def header_end(request: ReadRequest) -> int:
    """0-based row behind the header."""
    return request.header_row + max(1, request.header_rows)


def sheet_head(sheet: RawSheet, rows: int) -> SheetHead:
    """The first ``rows`` rows, blank ones included, padded to one width."""
    rows = min(rows, limits.MAX_HEAD_ROWS)
    cells: dict[int, list[str]] = {}
    for raw in sheet.rows:
        for number, *texts in raw.cells.filter(pl.col("row") <= rows).iter_rows():
            cells[number] = [text or "" for text in texts]
        if raw.frame.height and int(raw.frame["row"][-1]) >= rows:
            break
    width = max((len(row) for row in cells.values()), default=0)
    last = max(cells, default=0)
    dense = [cells.get(number, []) for number in range(1, last + 1)]
    padded = tuple(tuple(row + [""] * (width - len(row))) for row in dense)
    return SheetHead(sheet.format, sheet.name, sheet.names, padded, sheet.encoding, sheet.delimiter)


def assemble(sheet: RawSheet, request: ReadRequest) -> tuple[SheetInfo, Iterator[RawRows]]:
    """The sheet's header and its batches. ``EmptyFile`` when the sheet ends above its header."""
    end = header_end(request)
    data_from = max(end, request.data_row or 0) + 1
    lines: dict[int, list[str]] = {}
    body: RawRows | None = None
    for raw in sheet.rows:
        inside = raw.cells.filter(pl.col("row").is_between(request.header_row + 1, end))
        for number, *texts in inside.iter_rows():
            lines[number] = [text or "" for text in texts]
        below = _from_row(raw, data_from)
        if below.frame.height:
            body = below
            break
    if not lines:
        raise EmptyFile(found=f"nothing stands in row {request.header_row + 1}, where its header should be")
    header = _trimmed(join_header([lines.get(row + 1, []) for row in range(request.header_row, end)]), body)
    info = SheetInfo(sheet.format, sheet.name, header, sheet.encoding, sheet.delimiter)
    return info, _batches(body, sheet.rows, data_from, len(header), request)


def _trimmed(header: list[str], body: RawRows | None) -> tuple[str, ...]:
    used = len(header)
    while used and not header[used - 1].strip():
        used -= 1
    if body is not None:
        for position in range(body.width - 1, used - 1, -1):
            if body.frame[f"c{position}"].null_count() < body.frame.height:
                used = position + 1
                break
    return tuple([*header, *[""] * (used - len(header))][:used])


def _from_row(raw: RawRows, first: int) -> RawRows:
    if not raw.frame.height or int(raw.frame["row"][0]) >= first:
        return raw
    problems = [problem for problem in raw.problems if problem.row >= first]
    return RawRows(raw.frame.filter(pl.col("row") >= first), problems)


def _batches(
    body: RawRows | None, rest: Iterator[RawRows], data_from: int, width: int, request: ReadRequest
) -> Iterator[RawRows]:
    left = request.max_rows
    for raw in _chain(body, rest):
        whole = _finished(_from_row(raw, data_from), width)
        for start in range(0, whole.frame.height, request.batch_rows):
            part = whole.frame.slice(start, request.batch_rows)
            if left is not None:
                part = part.head(left)
                left -= part.height
            problems = whole.problems
            if part.height < whole.frame.height:
                first, last = int(part["row"][0]), int(part["row"][-1])
                problems = [problem for problem in problems if first <= problem.row <= last]
            yield RawRows(part, problems)
            if left == 0:
                return


def _chain(body: RawRows | None, rest: Iterator[RawRows]) -> Iterator[RawRows]:
    if body is not None:
        yield body
        yield from rest


def _finished(raw: RawRows, width: int) -> RawRows:
    """Rows cut to the header's width, their texts checked; blank ones left out unless something is wrong with them."""
    problems = raw.problems + _surplus(raw, width)
    shown = min(width, raw.width)
    frame = raw.frame.select("row", *column_names(shown))
    if raw.width < width:
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in column_names(width)[raw.width :])
    frame, found = _checked(frame)
    problems += found
    filled = pl.any_horizontal(pl.col(column_names(width)).is_not_null()) if width else pl.lit(value=False)
    if problems:
        rows = pl.Series(list({problem.row for problem in problems}), dtype=pl.UInt32)
        filled |= pl.col("row").is_in(rows.implode())
    marks = raw.frame.select(name for name in number_columns(shown) if name in raw.frame.columns)
    return RawRows(frame.hstack(marks).filter(filled), sorted(problems, key=_place))


def _place(problem: CellProblem) -> tuple[int, int]:
    return problem.row, -1 if problem.column is None else problem.column


def _surplus(raw: RawRows, width: int) -> list[CellProblem]:
    if raw.width <= width:
        return []
    extra = column_names(raw.width)[width:]
    rows = raw.frame.filter(pl.any_horizontal(pl.col(extra).is_not_null()))
    shown = rows.select("row", pl.concat_str(pl.col(extra), separator=" ", ignore_nulls=True).alias("surplus"))
    return [CellProblem(row, None, Reason.WRONG_COLUMN_COUNT, text) for row, text in shown.iter_rows()]


def _checked(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[CellProblem]]:
    """Cells that no table can hold are reported and made harmless: NUL is replaced, an over-long text is cut."""
    texts = pl.exclude("row")
    odd = frame.select(
        texts.str.contains(NUL, literal=True).any().name.prefix("n"),
        texts.str.len_bytes().max().name.prefix("l"),
    )
    if odd.is_empty():
        return frame, []
    facts = odd.row(0, named=True)
    problems: list[CellProblem] = []
    for position, name in enumerate(frame.columns[1:]):
        if facts["n" + name]:
            for row, text in frame.filter(pl.col(name).str.contains(NUL, literal=True)).select("row", name).iter_rows():
                problems.append(
                    CellProblem(row, position, Reason.INVALID_CHARACTER, text.replace(NUL, REPLACEMENT)[:200])
                )
            frame = frame.with_columns(pl.col(name).str.replace_all(NUL, REPLACEMENT, literal=True))
        if (facts["l" + name] or 0) > limits.MAX_FIELD_CHARACTERS:
            length = pl.col(name).str.len_chars()
            over = frame.filter(length > limits.MAX_FIELD_CHARACTERS).select("row", length.alias("length"))
            for row, characters in over.iter_rows():
                problems.append(CellProblem(row, position, Reason.FIELD_TOO_LONG, f"{characters} characters"))
            frame = frame.with_columns(pl.col(name).str.head(limits.MAX_FIELD_CHARACTERS))
    return frame, problems
