"""Counting, in the fact tables, how many rows really hold a value.

Measured are the rows that the given files wrote last: exactly what a sync brought, whatever period a file claims. One
aggregate statement for each domain, grouped by file and shop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from datasync.fields import CORE_FIELDS, FIELDS, Domain
from datasync.models import FACT_MODELS

CORE_SUMS: dict[str, tuple[str, ...]] = {
    "orders": ("order_amount_cny", "quantity"),
    "products": ("units_sold", "sales_amount_cny"),
    "analytics": ("visitors", "order_count", "sales_amount"),
    "services": ("order_count", "sales_amount"),
    "inventory": ("stock_total", "stock_available"),
    "finance": ("amount",),
}
"""What is added up to be compared with the shop's previous period."""
_MOMENTS = {"orders": "ordered_at", "analytics": "metric_date", "inventory": "snapshot_date", "finance": "posted_at"}
_ALWAYS_KNOWN = frozenset({"platform", "domain"})
_FILES_A_STATEMENT = 1000


@dataclass(slots=True)
class Measure:
    """Counts over some rows of one shop. A field is counted over rows, an amount of whole orders over orders."""

    rows: int = 0
    orders: int = 0
    present: dict[str, int] = field(default_factory=dict)
    sums: dict[str, Decimal] = field(default_factory=dict)
    period_start: date | None = None
    period_end: date | None = None

    def add(self, other: Measure) -> None:
        """Add another file's rows of the same shop."""
        self.rows += other.rows
        self.orders += other.orders
        for name, number in other.present.items():
            self.present[name] = self.present.get(name, 0) + number
        for name, amount in other.sums.items():
            self.sums[name] = self.sums.get(name, Decimal(0)) + amount
        self.period_start = min(filter(None, (self.period_start, other.period_start)), default=None)
        self.period_end = max(filter(None, (self.period_end, other.period_end)), default=None)

    def completeness(self, domain: str) -> dict[str, float]:
        """The share of rows, or of orders, that hold a value, by core field."""
        if not self.rows:
            return {}
        fields = FIELDS[Domain(domain)]
        shares = {}
        for name in CORE_FIELDS.get(Domain(domain), ()):
            whole = self.orders if name in fields and fields[name].order_level else self.rows
            shares[name] = round(self.present.get(name, 0) / whole, 4) if whole else 0.0
        return shares


def measure(domain: str, file_ids: Sequence[int]) -> dict[tuple[int, int | None], Measure]:
    """The rows last written by these files, by file and shop."""
    found: dict[tuple[int, int | None], Measure] = {}
    for start in range(0, len(file_ids), _FILES_A_STATEMENT):
        part = file_ids[start : start + _FILES_A_STATEMENT]
        rows = FACT_MODELS[domain]._default_manager.filter(file_last_id__in=part)  # noqa: SLF001 - Django's name
        grouped = rows.order_by().values("file_last_id", "shop_id").annotate(**_aggregates(domain))
        for row in grouped:
            found[row["file_last_id"], row["shop_id"]] = _as_measure(domain, row)
    return found


def _aggregates(domain: str) -> dict[str, Any]:
    moment = _MOMENTS.get(domain)
    wanted: dict[str, Any] = {
        "n": Count("*"),
        "period_from": Min("period_start"),
        "period_to": Max("period_end"),
        **({"moment_from": Min(moment), "moment_to": Max(moment)} if moment else {}),
        **({"n_orders": Count("order_id", distinct=True)} if domain == Domain.ORDERS else {}),
    }
    fields = FIELDS[Domain(domain)]
    for name in CORE_FIELDS.get(Domain(domain), ()):
        if name in _ALWAYS_KNOWN:
            continue
        if name in fields and fields[name].order_level:
            holds = Q(**{f"{name}__isnull": False})
            wanted[f"has_{name}"] = Count("order_id", distinct=True, filter=holds)
        else:
            wanted[f"has_{name}"] = Count(name)
    for name in CORE_SUMS[domain]:
        wanted[f"sum_{name}"] = Sum(name)
    return wanted


def _as_measure(domain: str, row: Mapping[str, Any]) -> Measure:
    core = CORE_FIELDS.get(Domain(domain), ())
    return Measure(
        rows=row["n"],
        orders=row.get("n_orders", 0),
        present={name: row["n"] if name in _ALWAYS_KNOWN else row[f"has_{name}"] for name in core},
        sums={name: Decimal(row[f"sum_{name}"] or 0) for name in CORE_SUMS[domain]},
        period_start=_day(row.get("moment_from")) or row["period_from"],
        period_end=_day(row.get("moment_to")) or row["period_to"],
    )


def _day(moment: date | datetime | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment
