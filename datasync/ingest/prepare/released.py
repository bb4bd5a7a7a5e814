"""Released rows among the rows of their sheet: typed from what a person made of them, in the place where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from datasync.ingest.decided import ReleasedRow, storable
from datasync.ingest.plan import CellProblem, RejectedRow
from datasync.ingest.prepare import context
from datasync.ingest.prepare.prepared import Lines


def corrected_cells(original: pl.DataFrame, released: Iterable[ReleasedRow], columns: list[str]) -> pl.DataFrame:
    """Released rows as they were loaded: their cells as quarantine keeps them, with the corrections."""
    rows = [
        [
            row.corrected.get(int(name[1:]), storable(cell) if cell is not None else None)
            for name, cell in zip(columns, cells, strict=True)
        ]
        for cells, row in zip(original.select(columns).rows(), released, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_columns(original["row"])


def filled(kept: Lines, around: pl.DataFrame, released: Iterable[ReleasedRow], positions: Mapping[str, int]) -> Lines:
    """``kept`` with what its blank cells get from the lines ``around`` them under a plan that fills more columns.

    A cell that a person has emptied stays empty, and a row that was moved to another order gets nothing.
    """
    given = list(released)
    fields, same_order = kept.fields, None
    for name, position in positions.items():
        if same_order is None:
            same_order = (kept.fields["order_id"] == around["order_id"]).fill_null(value=False)
        open_cells = same_order & pl.Series([position not in row.corrected for row in given], dtype=pl.Boolean)
        texts = fields[name].zip_with(~(open_cells & fields[name].is_null()), around[name])
        fields = fields.with_columns(texts.alias(name))
    fills = context.merged(kept.said.fills, context.filled_in(kept.fields, fields, positions))
    return replace(kept, fields=fields, said=replace(kept.said, fills=fills))


def in_place(lines: Lines, kept: Lines, at: list[int], problems: tuple[CellProblem, ...]) -> Lines:
    """``lines`` with ``kept`` instead of those at ``at``."""
    return Lines(
        original=_scattered(lines.original, kept.original, at),
        fields=_scattered(lines.fields, kept.fields, at),
        said=context.replaced(lines.said, at, kept.said, rows=len(lines.original)),
        problems=problems,
    )


def unsettled(
    problems: tuple[CellProblem, ...], corrected: Mapping[int, Mapping[int, str | None]], bound: Iterable[int]
) -> tuple[CellProblem, ...]:
    """What the reader saw and no person has dealt with. ``corrected``: by row of the sheet, cells by position.

    A problem of one cell is settled when that cell is corrected, one of the whole row when any cell is.
    """
    columns = set(bound)

    def settled(problem: CellProblem) -> bool:
        cells = corrected.get(problem.row)
        if not cells:
            return False
        return problem.column in cells or problem.column is None or problem.column not in columns

    return tuple(problem for problem in problems if not settled(problem))


def with_corrections(rejected: list[RejectedRow], released: Mapping[int, ReleasedRow]) -> list[RejectedRow]:
    """Released rows that this plan refuses keep what a person has corrected."""
    return [replace(row, corrected=released[row.at].corrected) if row.at in released else row for row in rejected]


def _scattered(whole: pl.DataFrame, part: pl.DataFrame, at: list[int]) -> pl.DataFrame:
    return whole.with_columns(whole[name].scatter(at, part[name]) for name in part.columns)
