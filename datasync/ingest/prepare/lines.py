"""The lines of one order: what blank cells below the first line mean, and to which line an amount belongs."""

from __future__ import annotations

import polars as pl

from datasync.fields import FIELDS, Domain
from datasync.ingest.hashes import Memory, digests
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.context import Said

_ORDER = "order_id"
_UNKNOWN = "\x00"
"""Stands for the id of an order whose own cell cannot be trusted. No cell holds it."""
_MAY_DIFFER = frozenset({"order_status", "after_sale_status", "shipped_at"})
"""Shared fields that a line may have for itself: parcels leave apart, and one item of several is sent back."""


class OrderLines:
    """Fills down what all lines of an order share, and keeps order-level amounts on the first line.

    Cells merged over the lines of an order arrive blank below the first. The order, its date, shop, status and buyer
    are filled down; an order-level amount is not, or an order's profit would be multiplied by its lines. A long order
    may lie in two batches, so the last line is remembered.

    Nothing is filled down from a line whose order cannot be trusted, and no order into a line that names another date
    or buyer: a line that is assigned to the wrong order is worse than one that is refused.
    """

    def __init__(self, plan: Plan) -> None:
        fields = {column.field for column in plan.columns if column.field}
        known = FIELDS[plan.scope.domain]
        self.active = plan.scope.domain is Domain.ORDERS and _ORDER in fields
        self.shared = [name for name in fields if name is not None and name != _ORDER and known[name].fill_down]
        self.amounts = [name for name in fields if name is not None and known[name].order_level]
        self.first_line_only = self.active and plan.totals_on_every_line and bool(self.amounts)
        self._last: dict[str, str | None] = {}
        self._known = Memory()

    def fill(self, fields: pl.DataFrame, broken: pl.Series | None = None) -> pl.DataFrame:
        """``fields`` (text, named by standard field) with the cells of each order filled.

        ``broken`` marks the lines whose own order id cannot be trusted: they and what hangs on them stay without one.
        """
        if not self.active or fields.is_empty():
            return fields
        names = [_ORDER, *self.shared]
        before = {name: self._last.get(name) for name in names}
        blank = broken is not None or any(fields[name].null_count() for name in names)
        filled = self._filled(fields, before, broken) if blank else fields
        last = filled.row(-1, named=True)
        self._last = {name: last[name] for name in names}
        if not blank:
            return fields
        trusted = filled[_ORDER] != _UNKNOWN
        return filled.with_columns(filled[_ORDER].zip_with(trusted.fill_null(value=False), fields[_ORDER]))

    def _filled(self, fields: pl.DataFrame, before: dict[str, str | None], broken: pl.Series | None) -> pl.DataFrame:
        orders = fields[_ORDER]
        if broken is not None:
            orders = orders.zip_with(~broken, pl.Series([_UNKNOWN]).new_from_index(0, len(orders)))
        filled = _down(orders, before[_ORDER])
        others = self._of_another(fields, orders, filled, before)
        if others is not None:
            filled = _down(
                orders.zip_with(~others, pl.Series([_UNKNOWN]).new_from_index(0, len(orders))), before[_ORDER]
            )
        columns: list[pl.Series] = [filled.alias(_ORDER)]
        known = filled != _UNKNOWN
        for name in self.shared:
            cells = fields[name]
            if not cells.null_count():
                continue
            above, owner = _above(cells, filled, before[name], before[_ORDER])
            same = ((owner == filled) & known).fill_null(value=False)
            columns.append(above.zip_with(same, cells).alias(name))
        return fields.with_columns(columns)

    def _of_another(
        self, fields: pl.DataFrame, orders: pl.Series, filled: pl.Series, before: dict[str, str | None]
    ) -> pl.Series | None:
        """Lines without an order id that say something else of their order than the lines above do."""
        names = [name for name in self.shared if name not in _MAY_DIFFER]
        blank = orders.is_null()
        if not names or not blank.any():
            return None
        saying = fields.filter(blank).select(pl.col(names).is_not_null().any()).row(0)
        others = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(orders))
        for name in [name for name, says in zip(names, saying, strict=True) if says]:
            cells = fields[name]
            above, owner = _above(cells, filled, before[name], before[_ORDER])
            above, owner = above.shift(1, fill_value=before[name]), owner.shift(1, fill_value=before[_ORDER])
            others |= (blank & (owner == filled) & (cells != above)).fill_null(value=False)
        return others if others.any() else None

    def later_lines(self, rows: pl.DataFrame, accepted: pl.Series, said: Said) -> pl.Series | None:
        """Which of ``rows`` are not the first accepted line of their order; None where amounts stay where they are.

        ``said`` tells of lines that are known to be later ones, and of those that are known to carry their order's
        amounts, so that no other line may. A refused line is a later one when an accepted line of its order stands
        above it.
        """
        if not self.first_line_only or rows.is_empty():
            return None
        orders = rows.select(pl.concat_str(pl.col("shop_id").cast(pl.String).fill_null(""), pl.col(_ORDER),
                                           separator="\x1f")).to_series().fill_null("")  # fmt: skip
        stated, carriers = said.later, said.carriers
        candidates = accepted if stated is None else accepted & ~stated
        first = candidates & orders.zip_with(candidates, pl.Series([None], dtype=pl.String)).is_first_distinct()
        hashes = digests(orders)
        known = self._known.recall(hashes).is_not_null()
        first &= ~known
        if carriers is not None:
            first = self._led(rows, orders, first, carriers & accepted)
        begun = hashes.filter(first)
        self._known.add(begun, pl.Series([1], dtype=pl.UInt8).new_from_index(0, len(begun)))
        if accepted.all():
            return ~first
        lines = pl.DataFrame({"order": orders, "first": first, "later": ~first if stated is None else ~first | stated})
        above = pl.col("first").cast(pl.UInt32).cum_sum().over("order") > 0
        below = lines.select(above | pl.lit(known) | (pl.lit(stated) if stated is not None else False)).to_series()
        return lines["later"].zip_with(accepted, below)

    def _led(self, rows: pl.DataFrame, orders: pl.Series, first: pl.Series, carriers: pl.Series) -> pl.Series:
        """``first`` with the carriers, and without lines that would bring the amounts of such an order again."""
        bringing = rows.select(pl.any_horizontal(pl.col(self.amounts).is_not_null())).to_series()
        again = orders.is_in(orders.filter(carriers).unique().to_list()) & bringing
        return (first & ~again) | carriers

    def amounts_moved(self, rows: pl.DataFrame, later: pl.Series) -> pl.DataFrame:
        """``rows`` without order-level amounts on ``later`` lines, whose content says so."""
        return rows.with_columns(
            pl.when(~later).then(pl.col(self.amounts)).otherwise(None).name.keep(),
            pl.when(~later).then(pl.col("content")).otherwise(pl.col("content") + "\x1f"),
        )


def _down(cells: pl.Series, before: str | None) -> pl.Series:
    filled = cells.fill_null(strategy="forward")
    return filled.fill_null(before) if before is not None else filled


def _above(
    cells: pl.Series, orders: pl.Series, before: str | None, order_before: str | None
) -> tuple[pl.Series, pl.Series]:
    """For each line the last filled cell at or above it, and the order of the line that has this cell."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(cells))
    owner = orders.zip_with(cells.is_not_null(), nothing)
    return _down(cells, before), _down(owner, order_before if before is not None else None)
