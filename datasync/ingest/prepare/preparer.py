"""From a batch of text cells to typed rows with their identity, and the rows that cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from datasync.fields import Kind
from datasync.ingest.hashes import digest
from datasync.ingest.plan import Batch, CellProblem, Column, Plan, RejectedRow
from datasync.ingest.prepare import cells, identity, scope, text, totals
from datasync.ingest.prepare.batches import whole_orders
from datasync.ingest.prepare.dates import check_timezone
from datasync.ingest.prepare.lines import OrderLines
from datasync.ingest.prepare.number_cells import in_template_format
from datasync.ingest.prepare.original import original_rows
from datasync.ingest.prepare.typed import Typed, type_columns
from datasync.reasons import Reason

_ROW_PROBLEMS = frozenset({Reason.WRONG_COLUMN_COUNT, Reason.INVALID_CHARACTER, Reason.UNDECODABLE_BYTES,
                           Reason.FIELD_TOO_LONG})  # fmt: skip
"""Problems that make a row untrustworthy whichever of its columns they are in."""
PREPARE_VERSION = 1
"""Part of every row's content. To be raised when the same cells would be typed otherwise than before: the next sync of
a file then rewrites its rows, where equal content would leave them as they were."""
_FROM_FILE = ("period_start", "period_end", "currency")
_DATE_KINDS = (Kind.DATE, Kind.DATETIME, Kind.HOUR)
_Mark = tuple[int, str, Reason, str]  # position among the rows, header, reason, offending text


@dataclass(slots=True)
class Prepared:
    """A batch ready to be loaded.

    ``rows`` has ``record_key`` and ``content_hash`` (32 hexadecimal digits), ``shop_id``, ``currency``,
    ``period_start``, ``period_end``, ``sheet_row``, ``raw`` and one column for each bound field; dates, times (UTC) and
    amounts are text. ``read`` = rows + rejected + totals. ``last`` says that it ends the sheet.
    """

    rows: pl.DataFrame
    rejected: list[RejectedRow]
    read: int
    totals: int
    last: bool = False


class Preparer:
    """Prepares the batches of one file, in order: equal lines may lie in two batches, and very long orders.

    Raises ``InvalidTimezone`` when the local times of the file cannot be understood.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._columns = [f"c{column.position}" for column in plan.columns]
        self._bound = [column for column in plan.columns if column.field]
        self._lines = OrderLines(plan)
        self._keys = identity.RecordKeys(plan)
        self._order = next(
            (column for column in self._bound if self._lines.active and column.field == "order_id"), None
        )
        self._read_by_period = [str(column.field) for column in self._bound
                                if column.kind in _DATE_KINDS and "auto" in column.format]  # fmt: skip
        self._salt = "\x1f".join((str(PREPARE_VERSION), plan.fingerprint, plan.scope.timezone))
        self._first = True
        check_timezone(plan.scope.timezone)

    def parts(self, sheet: Iterable[Batch]) -> Iterator[Prepared]:
        """All batches of a sheet, prepared; the lines of an order stay together."""
        order = f"c{self._order.position}" if self._order else None
        for batch, last in whole_orders(sheet, order):
            yield self.prepare(batch, last=last)

    def prepare(self, batch: Batch, *, last: bool = False) -> Prepared:
        """Clean, leave totals out, fill down, type, identify and judge the rows of ``batch``."""
        original = cells.strip(batch.frame, self._columns)
        values = cells.without_nulls(original, self._columns)
        values = in_template_format(values, batch.numbers, self._bound)
        aside = totals.not_data(values, self.plan, first=self._first, last=last)
        self._first = False
        if aside.any():
            original, values = original.filter(~aside), values.filter(~aside)
        fields = values.select(pl.col(f"c{column.position}").alias(str(column.field)) for column in self._bound)
        fields = self._lines.fill(fields, self._broken(fields, original["row"], batch.problems))
        shops = scope.shops_of(fields, self.plan)
        typed = type_columns(fields, self._bound, self.plan, shops.zones)
        rows = self._rows(original, fields, typed, shops)
        marks = self._judge(rows, fields, typed, shops, batch.problems)
        rejected = self._rejected(marks, original)
        if rejected:
            refused = pl.Series(sorted({mark[0] for mark in marks}), dtype=pl.UInt32)
            rows = rows.with_row_index("_at").filter(~pl.col("_at").is_in(refused.implode())).drop("_at")
        rows = self._lines.first_lines(rows)
        rows = rows.with_columns(digest(pl.col("content")).alias("content_hash")).drop("content")
        return Prepared(rows, rejected, len(batch.frame), int(aside.sum()), last)

    def _broken(
        self, fields: pl.DataFrame, sheet_rows: pl.Series, problems: tuple[CellProblem, ...]
    ) -> pl.Series | None:
        """Lines whose own order id cannot be trusted: nothing may be filled down from them."""
        if self._order is None:
            return None
        errors = cells.Errors()
        text.identifiers(fields["order_id"], errors)
        broken = [mask for mask, _ in errors.masks]
        odd = [problem.row for problem in problems if problem.column in (None, self._order.position)]
        if odd:
            broken.append(sheet_rows.is_in(odd))
        if not any(mask.any() for mask in broken):
            return None
        return pl.select(pl.any_horizontal(broken)).to_series()

    def _rows(self, original: pl.DataFrame, fields: pl.DataFrame, typed: Typed, shops: scope.RowShops) -> pl.DataFrame:
        rows = pl.DataFrame([series.alias(name) for name, series in typed.columns.items()])
        rows = rows.with_columns(
            original["row"].alias("sheet_row"), original_rows(original, self._columns), shops.shop_id
        )
        rows = scope.add_currency(scope.add_period(rows, typed, self.plan), self.plan, shops)
        rows = self._keys.add(rows)
        return rows.with_columns(self._content(fields, shops).alias("content"))

    def _content(self, fields: pl.DataFrame, shops: scope.RowShops) -> pl.Expr:
        """All that a row's values follow from: its cells, what is filled down into it, and what its file and its shop
        say of it. A product of a month-to-date export has new content when only the last day that it covers is new.
        """
        said: list[pl.Expr | pl.Series] = [pl.lit(self._salt), pl.col("raw"), *_texts(_FROM_FILE)]
        said += _texts(self._read_by_period)
        said += [fields[name].fill_null("") for name in sorted(self._lines.shared) if self._lines.active]
        if shops.timezone is not None:
            said.append(shops.timezone)
        return _joined(said)

    def _judge(
        self,
        rows: pl.DataFrame,
        fields: pl.DataFrame,
        typed: Typed,
        shops: scope.RowShops,
        problems: tuple[CellProblem, ...],
    ) -> list[_Mark]:
        marks = self._reader_marks(rows["sheet_row"], problems)
        for column, errors in typed.errors:
            for mask, reason in errors.masks:
                marks += _marked(mask, column.header, reason, fields[str(column.field)])
        explained = {mark[:2] for mark in marks}
        for column in self._bound:
            if column.required:
                blank = _marked(fields[str(column.field)].is_null(), column.header, Reason.REQUIRED_MISSING, None)
                marks += [mark for mark in blank if mark[:2] not in explained]
        refused = {mark[0] for mark in marks}
        keyless = _marked(identity.key_missing(rows, self.plan), "", Reason.KEY_MISSING, None)
        marks += [mark for mark in keyless if mark[0] not in refused]
        if self.plan.scope.shop_id is None and "shop_label" in rows.columns:
            marks += _marked(rows["shop_id"].is_null(), "", Reason.UNKNOWN_SHOP, rows["shop_label"])
        if shops.mismatched is not None:
            marks += _marked(shops.mismatched, "", Reason.SHOP_MISMATCH, fields["shop_label"])
        return marks

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


def _texts(names: Iterable[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String).fill_null("") for name in names]


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
