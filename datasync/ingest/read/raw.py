"""What every format's reader yields: rows of text cells from the top of the sheet, header and preamble included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from datasync.ingest.plan import CellProblem, FileFormat


@dataclass(slots=True)
class RawRows:
    """Some rows as they stand in the file.

    ``frame`` has ``row`` (UInt32, 1-based) and ``c0 … cN`` (String); the width may differ from one to the next. A
    column with number cells has beside it ``n…`` (Boolean), which says where they are. Rows that the file does not hold
    are simply not there.
    """

    frame: pl.DataFrame
    problems: list[CellProblem] = field(default_factory=list)

    @property
    def cells(self) -> pl.DataFrame:
        """The rows without what is said of their numbers."""
        return self.frame.select("row", *column_names(self.width))

    @property
    def width(self) -> int:
        """Number of cell columns."""
        return sum(1 for name in self.frame.columns if name.startswith("c"))


@dataclass(slots=True)
class RawSheet:
    """A sheet being read; ``rows`` is consumed once."""

    format: FileFormat
    name: str
    names: tuple[str, ...]
    rows: Iterator[RawRows]
    encoding: str = ""
    delimiter: str = ""


def column_names(width: int) -> list[str]:
    """Names of the first ``width`` cell columns."""
    return [f"c{position}" for position in range(width)]


def number_columns(width: int) -> list[str]:
    """Names of the columns that say which cells of the first ``width`` columns are numbers."""
    return [f"n{position}" for position in range(width)]


def raw_rows(
    numbers: Sequence[int],
    rows: Sequence[Sequence[str | None]],
    problems: list[CellProblem],
    number_cells: Mapping[int, Sequence[bool]] | None = None,
) -> RawRows:
    """Rows of Python texts as a frame; short rows are padded with null. ``number_cells``: by column, one a row."""
    width = max((len(row) for row in rows), default=0)
    columns: dict[str, pl.Series] = {"row": pl.Series("row", numbers, dtype=pl.UInt32)}
    for position, name in enumerate(column_names(width)):
        cells = [(row[position] or None) if position < len(row) else None for row in rows]
        columns[name] = pl.Series(name, cells, dtype=pl.String)
    for position, marks in (number_cells or {}).items():
        columns[f"n{position}"] = pl.Series(marks, dtype=pl.Boolean)
    return RawRows(pl.DataFrame(columns), problems)
