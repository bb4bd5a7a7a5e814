"""Cells with their places, put into columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from datasync.exceptions import TooLarge, UnsafeFile
from datasync.ingest.plan import CellProblem
from datasync.ingest.read import limits
from datasync.ingest.read.cell_kinds import CellKind
from datasync.ingest.read.raw import RawRows, column_names, number_columns
from datasync.reasons import Reason

MAX_GRID_CELLS = 4_000_000
LAST_ROW = 1_048_576
NUMBERS = (CellKind.NUMBER.value, CellKind.PERCENT.value)


def arrange(numbers: pl.Series, cells: pl.DataFrame, problems: pl.DataFrame, *, batch_rows: int) -> Iterator[RawRows]:
    """Rows of ``cells`` (``i``, ``col``, ``kind``, ``value``) in frames of at most ``batch_rows`` rows.

    Rows without any cell are left out, so neither a gap between row numbers nor a lone far cell takes memory; a
    frame of very many columns has fewer rows.
    """
    if cells.is_empty():
        return
    width = _width(numbers, cells)
    used = cells["i"].unique().sort()
    rank = pl.DataFrame({"i": used, "rank": pl.int_range(len(used), dtype=pl.UInt32, eager=True)})
    dense = len(used) == len(numbers)
    if not dense:
        cells = cells.join(rank, on="i", how="left").with_columns(pl.col("rank").alias("i")).drop("rank")
        problems = problems.join(rank, on="i", how="left").with_columns(pl.col("rank").alias("i")).drop("rank")
        numbers = numbers.gather(used)
    step = min(batch_rows, max(1, MAX_GRID_CELLS // width))
    for start in range(0, len(numbers), step):
        part = numbers.slice(start, step)
        inside = pl.col("i").is_between(start, start + len(part) - 1)
        whole = len(part) == len(numbers)
        frame = _frame(part, cells if whole else cells.filter(inside), start=start, width=width)
        yield RawRows(frame, _cell_problems(numbers, problems if whole else problems.filter(inside)))


def _width(numbers: pl.Series, cells: pl.DataFrame) -> int:
    """Columns up to the last cell; a lone cell far to the right, or a row beyond the last, is no export's doing."""
    highest = numbers.max()
    if isinstance(highest, int) and highest > LAST_ROW:
        raise UnsafeFile(found=f"a row numbered {highest}")
    last = cells["col"].max()
    width = last + 1 if isinstance(last, int) else 0
    if width > limits.MAX_COLUMNS:
        if cells["col"].n_unique() > limits.MAX_COLUMNS:
            raise TooLarge(found=f"{width:,} columns", limit=f"{limits.MAX_COLUMNS:,}")
        raise UnsafeFile(found=f"a cell in column {width:,}, far outside the table")
    return width


def _frame(numbers: pl.Series, cells: pl.DataFrame, *, start: int, width: int) -> pl.DataFrame:
    """One gather over all texts, column after column; each column is then a slice of it."""
    height = len(numbers)
    count = len(cells)
    order = np.full(height * width, count, dtype=np.uint32)
    place = cells["col"].to_numpy().astype(np.int64) * height + (cells["i"].to_numpy().astype(np.int64) - start)
    order[place] = np.arange(count, dtype=np.uint32)
    texts = cells["value"].append(pl.Series([None], dtype=pl.String)).gather(pl.Series(order))
    columns = [texts.slice(position * height, height).alias(name) for position, name in enumerate(column_names(width))]
    return pl.DataFrame([numbers.alias("row"), *columns, *_number_cells(cells["kind"], place, height, width)])


def _number_cells(kinds: pl.Series, place: npt.NDArray[np.int64], height: int, width: int) -> list[pl.Series]:
    """``n…`` for each column that holds numbers."""
    found = np.zeros((width, height), dtype=bool)
    found.reshape(-1)[place[kinds.is_in(NUMBERS).to_numpy()]] = True
    names = number_columns(width)
    return [pl.Series(names[position], found[position]) for position in np.flatnonzero(found.any(axis=1))]


def _cell_problems(numbers: pl.Series, problems: pl.DataFrame) -> list[CellProblem]:
    if problems.is_empty():
        return []
    located = problems.with_columns(numbers.gather(problems["i"]).alias("row")).sort("i", "col")
    return [
        CellProblem(row, column, Reason(reason), value or "")
        for row, column, reason, value in located.select("row", "col", "reason", "value").iter_rows()
    ]
