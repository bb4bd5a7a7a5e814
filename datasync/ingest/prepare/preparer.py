"""From a batch of text cells to typed rows with their identity, and the rows that cannot be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from datasync.fields import Kind
from datasync.ingest.plan import Batch, CellProblem, Column, Plan, RejectedRow
from datasync.ingest.prepare import cells, identity, scope, totals
from datasync.ingest.prepare.lines import OrderLines
from datasync.ingest.prepare.original import original_rows
from datasync.ingest.prepare.typed import Typed, type_columns
from datasync.reasons import Reason

_ROW_PROBLEMS = frozenset({Reason.WRONG_COLUMN_COUNT, Reason.INVALID_CHARACTER, Reason.UNDECODABLE_BYTES,
                           Reason.FIELD_TOO_LONG})  # fmt: skip
"""Problems that make a row untrustworthy whichever of its columns they are in."""
_Mark = tuple[int, str, Reason, str]  # position among the rows, header, reason, offending text


@dataclass(slots=True)
class Prepared:
    """A batch ready to be loaded.

    ``rows`` has ``record_key`` and ``content_hash`` (32 hexadecimal digits), ``shop_id``, ``currency``,
    ``period_start``, ``period_end``, ``sheet_row``, ``raw`` and one column for each bound field; dates, times (UTC) and
    amounts are text. ``read`` = rows + rejected + totals.
    """

    rows: pl.DataFrame
    rejected: list[RejectedRow]
    read: int
    totals: int


class Preparer:
    """Prepares the batches of one file, in order: lines of an order and equal lines may lie in two batches."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._columns = [f"c{column.position}" for column in plan.columns]
        self._bound = [column for column in plan.columns if column.field]
        self._lines = OrderLines(plan)
        self._keys = identity.RecordKeys(plan)
        self._salt = "\x1f".join((plan.fingerprint, plan.scope.timezone, plan.scope.currency))
        self._first = True

    def prepare(self, batch: Batch) -> Prepared:
        """Clean, leave totals out, fill down, type, identify and judge the rows of ``batch``."""
        original = cells.strip(batch.frame, self._columns)
        values = cells.without_nulls(original, self._columns)
        aside = totals.not_data(values, self.plan, first=self._first)
        self._first = False
        if aside.any():
            original, values = original.filter(~aside), values.filter(~aside)
        fields = values.select(pl.col(f"c{column.position}").alias(str(column.field)) for column in self._bound)
        fields = self._lines.fill(fields)
        typed = type_columns(fields, self._bound, self.plan)
        rows = self._rows(original, fields, typed)
        marks = self._judge(rows, fields, typed, batch.problems)
        rejected = self._rejected(marks, original)
        if rejected:
            refused = pl.Series(sorted({mark[0] for mark in marks}), dtype=pl.UInt32)
            rows = rows.with_row_index("_at").filter(~pl.col("_at").is_in(refused.implode())).drop("_at")
        return Prepared(rows, rejected, len(batch.frame), int(aside.sum()))

    def _rows(self, original: pl.DataFrame, fields: pl.DataFrame, typed: Typed) -> pl.DataFrame:
        rows = pl.DataFrame([series.alias(name) for name, series in typed.columns.items()])
        rows = rows.with_columns(original["row"].alias("sheet_row"), original_rows(original, self._columns))
        rows = scope.add_currency(scope.add_shop(scope.add_period(rows, typed, self.plan), self.plan), self.plan)
        rows = self._keys.add(rows)
        said: list[pl.Expr | pl.Series] = [pl.lit(self._salt), pl.col("raw")]
        said += [fields[name].fill_null("") for name in sorted(self._lines.shared) if self._lines.active]
        return rows.with_columns(identity.digest(_joined(said)).alias("content_hash"))

    def _judge(
        self, rows: pl.DataFrame, fields: pl.DataFrame, typed: Typed, problems: tuple[CellProblem, ...]
    ) -> list[_Mark]:
        marks: list[_Mark] = []
        for column, errors in typed.errors:
            for mask, reason in errors.masks:
                marks += _marked(mask, column.header, reason, fields[str(column.field)])
        for column in self._bound:
            if column.required:
                blank = fields[str(column.field)].is_null()
                marks += _marked(blank, column.header, Reason.REQUIRED_MISSING, None)
        explained = {mark[0] for mark in marks}
        keyless = _marked(identity.key_missing(rows, self.plan), "", Reason.KEY_MISSING, None)
        marks += [mark for mark in keyless if mark[0] not in explained]
        if self.plan.scope.shop_id is None and "shop_label" in rows.columns:
            marks += _marked(rows["shop_id"].is_null(), "", Reason.UNKNOWN_SHOP, rows["shop_label"])
        return marks + self._reader_marks(rows["sheet_row"], problems)

    def _reader_marks(self, sheet_rows: pl.Series, problems: tuple[CellProblem, ...]) -> list[_Mark]:
        if not problems:
            return []
        position = {row: at for at, row in enumerate(sheet_rows.to_list())}
        by_position = {column.position: column for column in self.plan.columns}
        marks: list[_Mark] = []
        for problem in problems:
            column = by_position.get(problem.column) if problem.column is not None else None
            if problem.row in position and _matters(problem, column):
                header = column.header if column else ""
                marks.append((position[problem.row], header, problem.reason, problem.value))
        return marks

    def _rejected(self, marks: list[_Mark], original: pl.DataFrame) -> list[RejectedRow]:
        if not marks:
            return []
        reasons: dict[int, dict[tuple[str, str], str]] = {}
        for at, header, reason, value in marks:
            known = reasons.setdefault(at, {})
            known.setdefault((header, str(reason)), value[:500])
        chosen = sorted(reasons)
        kept = original[chosen]
        cells_of = kept.select(self._columns).rows()
        return [
            RejectedRow(row, tuple((*why, value) for why, value in reasons[at].items()), values)
            for at, row, values in zip(chosen, kept["row"].to_list(), cells_of, strict=True)
        ]


def _joined(parts: list[pl.Expr | pl.Series]) -> pl.Expr:
    return pl.concat_str([pl.lit(part) if isinstance(part, pl.Series) else part for part in parts], separator="\x1f")


def _marked(mask: pl.Series, header: str, reason: Reason, texts: pl.Series | None) -> list[_Mark]:
    if not mask.any():
        return []
    positions = mask.arg_true()
    values = texts.gather(positions).fill_null("").to_list() if texts is not None else [""] * len(positions)
    return [(at, header, reason, value) for at, value in zip(positions.to_list(), values, strict=True)]


def _matters(problem: CellProblem, column: Column | None) -> bool:
    """Whether the problem makes the row untrustworthy: an odd cell in a column that nobody uses does not."""
    if problem.reason in _ROW_PROBLEMS or problem.column is None:
        return True
    if column is None or column.field is None:
        return False
    return problem.reason is not Reason.PRECISION_LOST or column.kind is Kind.IDENTIFIER
