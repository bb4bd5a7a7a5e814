"""Which rows cannot be trusted, why, and what of them is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from datasync.fields import Kind
from datasync.ingest.hashes import digests
from datasync.ingest.plan import CellProblem, Column, Plan, RejectedRow
from datasync.ingest.prepare import context, identity
from datasync.ingest.prepare.scope import RowShops
from datasync.ingest.prepare.typed import Typed
from datasync.reasons import Reason

_ROW_PROBLEMS = frozenset({Reason.WRONG_COLUMN_COUNT, Reason.INVALID_CHARACTER, Reason.UNDECODABLE_BYTES,
                           Reason.FIELD_TOO_LONG})  # fmt: skip
"""Problems that make a row untrustworthy whichever of its columns they are in."""
READER_REASONS = _ROW_PROBLEMS | {Reason.CELL_ERROR, Reason.FORMULA_WITHOUT_VALUE, Reason.PRECISION_LOST}
"""What may be wrong with a cell without its text showing it: only who reads the file can know."""
_KEEPS_CHARACTERS = 500


@dataclass(slots=True)
class Marks:
    """What is wrong with rows, by their position: the offending text for each header and reason."""

    rows: dict[int, dict[tuple[str, str], str]] = field(default_factory=dict)

    def add(self, mask: pl.Series, header: str, reason: Reason, texts: pl.Series | None) -> None:
        """Mark the rows in ``mask``."""
        if mask.any():
            positions = mask.arg_true()
            values = texts.gather(positions).fill_null("").to_list() if texts is not None else [""] * len(positions)
            for at, value in zip(positions.to_list(), values, strict=True):
                self.mark(at, header, reason, value)

    def mark(self, at: int, header: str, reason: Reason, value: str) -> None:
        """Mark one row. Of two texts for the same header and reason the first stays."""
        self.rows.setdefault(at, {}).setdefault((header, str(reason)), value[:_KEEPS_CHARACTERS])

    def without(self, positions: Collection[int]) -> None:
        """Forget what is wrong with the rows at these positions."""
        for at in positions:
            self.rows.pop(at, None)


def judge(
    rows: pl.DataFrame,
    fields: pl.DataFrame,
    typed: Typed,
    shops: RowShops,
    *,
    plan: Plan,
    problems: tuple[CellProblem, ...],
) -> Marks:
    """Everything that is wrong with typed ``rows``; ``fields`` are their texts, ``problems`` what the reader saw."""
    marks = Marks()
    _mark_problems(marks, rows["sheet_row"], problems, plan)
    for column, errors in typed.errors:
        for mask, reason in errors.masks:
            marks.add(mask, column.header, reason, fields[str(column.field)])
    explained = {at: {header for header, _ in why} for at, why in marks.rows.items()}
    for column in plan.columns:
        if column.required and column.field:
            known = [at for at, headers in explained.items() if column.header in headers]
            marks.add(_except(fields[column.field].is_null(), known), column.header, Reason.REQUIRED_MISSING, None)
    marks.add(_except(identity.key_missing(rows, plan), list(marks.rows)), "", Reason.KEY_MISSING, None)
    if plan.scope.shop_id is None and "shop_label" in rows.columns:
        marks.add(rows["shop_id"].is_null(), "", Reason.UNKNOWN_SHOP, rows["shop_label"])
    if shops.mismatched is not None:
        marks.add(shops.mismatched, "", Reason.SHOP_MISMATCH, fields["shop_label"])
    return marks


def refused(
    marks: Marks,
    original: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    plan: Plan,
    begun: pl.Series,
    later: pl.Series | None,
) -> list[RejectedRow]:
    """The marked rows whole, with their contexts; ``begun`` and ``later`` are what ``context.contexts`` takes."""
    if not marks.rows:
        return []
    chosen = sorted(marks.rows)
    kept = original[chosen]
    columns = [f"c{column.position}" for column in plan.columns]
    beginnings, moved = begun.gather(chosen), [False] * len(chosen) if later is None else later.gather(chosen)
    lines = _lines(marks, rows, chosen, plan)
    return [
        RejectedRow(
            row,
            tuple((*why, value) for why, value in marks.rows[at].items()),
            values,
            context.of_rejected(beginning, later=is_later, line=lines.get(at)),
            at,
        )
        for at, row, values, beginning, is_later in zip(
            chosen, kept["row"].to_list(), kept.select(columns).rows(), beginnings, moved, strict=True
        )
    ]


def _lines(marks: Marks, rows: pl.DataFrame, chosen: list[int], plan: Plan) -> dict[int, tuple[int, str]]:
    """Ordinal and hash of the identity of those marked rows in which nothing that feeds the identity is in doubt."""
    if not plan.ordinal:
        return {}
    feeding = {"", *(column.header for column in plan.columns if column.field and _feeds_identity(column, plan))}
    sure = [at for at in chosen if not any(header in feeding for header, _ in marks.rows[at])]
    of_them = rows[sure]
    numbered = zip(of_them["line_ordinal"].to_list(), digests(of_them[identity.IDENTITY]).to_list(), strict=True)
    return dict(zip(sure, numbered, strict=True))


def _feeds_identity(column: Column, plan: Plan) -> bool:
    """Whether a row's identity is made of this cell, or of the shop or the day that the cell may say."""
    if column.field in plan.identity or column.field == "shop_label":
        return True
    dated = any(name.startswith(("period_", "metric_", "snapshot_")) for name in plan.identity)
    return dated and column.kind in (Kind.DATE, Kind.DATETIME, Kind.PERIOD, Kind.HOUR)


def _mark_problems(marks: Marks, sheet_rows: pl.Series, problems: tuple[CellProblem, ...], plan: Plan) -> None:
    if not problems:
        return
    position = {row: at for at, row in enumerate(sheet_rows.to_list())}
    by_position = {column.position: column for column in plan.columns}
    for problem in problems:
        column = by_position.get(problem.column) if problem.column is not None else None
        if problem.row in position and _matters(problem, column):
            marks.mark(position[problem.row], column.header if column else "", problem.reason, problem.value)


def _matters(problem: CellProblem, column: Column | None) -> bool:
    """Whether the problem makes the row untrustworthy: an odd cell in a column that nobody uses does not."""
    if problem.reason in _ROW_PROBLEMS or problem.column is None:
        return True
    if column is None or column.field is None:
        return False
    return problem.reason is not Reason.PRECISION_LOST or column.kind is Kind.IDENTIFIER


def _except(mask: pl.Series, positions: list[int]) -> pl.Series:
    return mask.scatter(positions, False) if positions and mask.any() else mask
