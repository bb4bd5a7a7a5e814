"""How complete a file's rows are, and what they add up to: counted while it is loaded, so that nobody reads them again.

Measured are all rows that the file brings and that can be trusted, whether they are new, changed, or only confirm what
is known: the file's own period, whoever wrote a row last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from datasync.fields import CORE_ALTERNATIVES, CORE_FIELDS, FIELDS, Domain
from datasync.ingest.plan import Plan

CORE_SUMS: dict[Domain, tuple[str, ...]] = {
    Domain.ORDERS: ("order_amount_cny", "quantity"),
    Domain.PRODUCTS: ("units_sold", "sales_amount", "sales_amount_cny"),
    Domain.ANALYTICS: ("visitors", "order_count", "sales_amount"),
    Domain.SERVICES: ("order_count", "sales_amount"),
    Domain.INVENTORY: ("stock_total", "stock_available"),
    Domain.FINANCE: ("amount",),
}
"""What is added up to be compared with the shop's previous period."""
_ALWAYS_KNOWN = frozenset({"platform", "domain"})
_COLUMNS = {"shop": "shop_id"}  # where a core field's column in prepared rows has another name
_ORDER = "order_id"


@dataclass(slots=True)
class Measure:
    """Counts over rows of one shop. A field is counted over rows, an amount of whole orders over orders.

    Sums are kept to the fourth decimal, so that adding up many files leaves no noise in the digits.
    """

    rows: int = 0
    orders: int = 0
    present: dict[str, int] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)
    period_start: date | None = None
    period_end: date | None = None

    def add(self, other: Measure) -> None:
        """Add another batch's or file's rows of the same shop."""
        self.rows += other.rows
        self.orders += other.orders
        for name, number in other.present.items():
            self.present[name] = self.present.get(name, 0) + number
        for name, amount in other.sums.items():
            self.sums[name] = round(self.sums.get(name, 0.0) + amount, 4)
        self.period_start = min(filter(None, (self.period_start, other.period_start)), default=None)
        self.period_end = max(filter(None, (self.period_end, other.period_end)), default=None)

    def completeness(self, domain: Domain) -> dict[str, float]:
        """The share of rows, or of orders, that hold a value, by core field; empty when there is no row."""
        if not self.rows:
            return {}
        shares = {}
        for name in CORE_FIELDS.get(domain, ()):
            whole = self.orders if _is_order_level(domain, name) else self.rows
            shares[name] = round(min(1.0, self.present.get(name, 0) / whole), 4) if whole else 0.0
        return shares

    def as_dict(self) -> dict[str, Any]:
        """The measure as JSON holds it."""
        return {
            "rows": self.rows,
            "orders": self.orders,
            "present": self.present,
            "sums": self.sums,
            "period_start": self.period_start and self.period_start.isoformat(),
            "period_end": self.period_end and self.period_end.isoformat(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Measure:
        """The measure that ``as_dict`` wrote."""
        days = {name: date.fromisoformat(stored[name]) for name in ("period_start", "period_end") if stored[name]}
        return cls(
            rows=stored["rows"],
            orders=stored["orders"],
            present=dict(stored["present"]),
            sums=dict(stored["sums"]),
            **days,
        )


def as_document(measures: Mapping[int | None, Measure]) -> dict[str, Any]:
    """A file's measures as JSON; the keys are the shops' primary keys as text, "" where the shop is not known."""
    return {str(shop_id or ""): measured.as_dict() for shop_id, measured in measures.items()}


def from_document(document: Mapping[str, Any]) -> dict[int | None, Measure]:
    """The measures, by shop, that ``as_document`` wrote."""
    return {int(key) if key else None: Measure.from_dict(stored) for key, stored in document.items()}


class Meter:
    """Measures the batches of one file, in order. ``measures`` holds what was counted so far, by shop.

    The lines of an order stand together in an export, but may lie in two batches: the last order is remembered. An
    order whose lines stand apart, in different batches, is counted in each; a row that its file repeats, each time.
    """

    def __init__(self, plan: Plan) -> None:
        self.measures: dict[int | None, Measure] = {}
        self._domain = plan.scope.domain
        self._core = CORE_FIELDS.get(self._domain, ())
        self._last_order: dict[tuple[int | None, str], str] = {}  # by shop and by the field it was counted for

    def add(self, rows: pl.DataFrame) -> None:
        """Count the prepared rows of the next batch."""
        if rows.is_empty():
            return
        if rows["shop_id"].n_unique() == 1:
            self._add(rows["shop_id"][0], rows)
            return
        for (shop_id,), part in rows.select(self._needed(rows)).partition_by("shop_id", as_dict=True).items():
            self._add(shop_id, part)

    def _add(self, shop_id: int | None, rows: pl.DataFrame) -> None:
        # Days are ISO texts, so the first in the alphabet is the earliest.
        batch = Measure(
            rows=len(rows),
            sums={name: _sum(self._values(rows, name)) for name in CORE_SUMS[self._domain]},
            period_start=date.fromisoformat(str(rows["period_start"].min())),
            period_end=date.fromisoformat(str(rows["period_end"].max())),
        )
        orders = rows[_ORDER] if self._domain is Domain.ORDERS and _ORDER in rows.columns else None
        if orders is not None:
            batch.orders = self._new_orders(shop_id, _ORDER, orders.drop_nulls())
        for name in self._core:
            values = self._values(rows, name)
            if name in _ALWAYS_KNOWN:
                batch.present[name] = len(rows)
            elif values is None:
                batch.present[name] = 0
            elif orders is not None and _is_order_level(self._domain, name):
                holding = orders.filter(values.is_not_null() & orders.is_not_null())
                batch.present[name] = self._new_orders(shop_id, name, holding)
            else:
                batch.present[name] = len(values) - values.null_count()
        self.measures.setdefault(shop_id, Measure()).add(batch)

    def _new_orders(self, shop_id: int | None, name: str, orders: pl.Series) -> int:
        """How many orders, of those that hold the field, no earlier batch has counted."""
        if orders.is_empty():
            return 0
        last = self._last_order.get((shop_id, name))
        self._last_order[shop_id, name] = orders[-1]
        return orders.n_unique() - int(last is not None and bool((orders == last).any()))

    def _values(self, rows: pl.DataFrame, name: str) -> pl.Series | None:
        """The column of a core field, blanks filled from what marketplaces call by another name; None: no column."""
        columns = [rows[column] for column in self._columns(name) if column in rows.columns]
        if not columns:
            return None
        values = columns[0]
        for other in columns[1:]:
            values = values.zip_with(values.is_not_null(), other)
        return values

    def _columns(self, name: str) -> tuple[str, ...]:
        return (_COLUMNS.get(name, name), *CORE_ALTERNATIVES.get(self._domain, {}).get(name, ()))

    def _needed(self, rows: pl.DataFrame) -> list[str]:
        names = {column for name in (*self._core, *CORE_SUMS[self._domain]) for column in self._columns(name)}
        names |= {"shop_id", "period_start", "period_end", _ORDER}
        return [column for column in rows.columns if column in names]


def _is_order_level(domain: Domain, name: str) -> bool:
    return name in FIELDS[domain] and FIELDS[domain][name].order_level


def _sum(values: pl.Series | None) -> float:
    """The sum of a column of integers or of amounts, which are text."""
    return 0.0 if values is None else float(values.cast(pl.Float64, strict=False).sum())
