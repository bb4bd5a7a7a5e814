"""The lines of one order: what blank cells below the first line mean, and to which line an amount belongs."""

from __future__ import annotations

import polars as pl

from datasync.fields import FIELDS, Domain
from datasync.ingest.plan import Plan

_ORDER = "order_id"


class OrderLines:
    """Fills down what all lines of an order share, and keeps order-level amounts on the first line.

    Cells merged over the lines of an order arrive blank below the first. The order, its date, shop, status and buyer
    are filled down; an order-level amount is not, or an order's profit would be multiplied by its lines. Lines of an
    order may lie in two batches, so the last line is remembered.
    """

    def __init__(self, plan: Plan) -> None:
        fields = {column.field for column in plan.columns if column.field}
        known = FIELDS[plan.scope.domain]
        self.active = plan.scope.domain is Domain.ORDERS and _ORDER in fields
        self.shared = [name for name in fields if name is not None and name != _ORDER and known[name].fill_down]
        self.amounts = [name for name in fields if name is not None and known[name].order_level]
        self.first_line_only = plan.totals_on_every_line
        self._last: dict[str, str | None] = {}
        self._seen: set[str] = set()

    def fill(self, fields: pl.DataFrame) -> pl.DataFrame:
        """``fields`` (text, named by standard field) with the cells of each order filled."""
        if not self.active or fields.is_empty():
            return fields
        names = [_ORDER, *self.shared]
        before = {name: self._last.get(name) for name in names}
        if any(fields[name].null_count() for name in names):
            fields = self._filled(fields, before)
        last = fields.row(-1, named=True)
        self._last = {name: last[name] for name in names}
        return self._first_lines(fields) if self.first_line_only and self.amounts else fields

    def _filled(self, fields: pl.DataFrame, before: dict[str, str | None]) -> pl.DataFrame:
        orders = fields[_ORDER]
        filled = orders.fill_null(strategy="forward").fill_null(before[_ORDER] or None) if before[_ORDER] else (
            orders.fill_null(strategy="forward")
        )  # fmt: skip
        columns: list[pl.Series] = [filled.alias(_ORDER)]
        for name in self.shared:
            cells = fields[name]
            if not cells.null_count():
                continue
            source = filled.zip_with(cells.is_not_null(), pl.Series([None] * len(cells), dtype=pl.String))
            above = cells.fill_null(strategy="forward")
            owner = source.fill_null(strategy="forward")
            if before[name] is not None:
                above, owner = above.fill_null(before[name]), owner.fill_null(before[_ORDER] or "")
            same = (owner == filled).fill_null(value=False)
            columns.append(above.zip_with(same, cells).alias(name))
        return fields.with_columns(columns)

    def _first_lines(self, fields: pl.DataFrame) -> pl.DataFrame:
        orders = fields[_ORDER]
        first = orders.is_first_distinct() & ~orders.is_in(list(self._seen)).fill_null(value=False)
        self._seen.update(text for text in orders.unique().to_list() if text is not None)
        return fields.with_columns(pl.when(first).then(pl.col(self.amounts)).otherwise(None).name.keep())
