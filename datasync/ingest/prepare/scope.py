"""What a row has from its file's description: shop, currency and period, each unless the row says it itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from datasync.fields import Domain
from datasync.ingest.plan import Plan, Scope
from datasync.ingest.prepare.dates import check_timezone
from datasync.ingest.prepare.typed import Typed, Zones

_PERIOD_FIELD = {
    Domain.ORDERS: "ordered_at",
    Domain.PRODUCTS: "metric_date",
    Domain.ANALYTICS: "metric_date",
    Domain.SERVICES: "metric_date",
    Domain.INVENTORY: "snapshot_date",
    Domain.FINANCE: "posted_at",
}


def file_period(scope: Scope) -> tuple[date, date]:
    """First and last day the file covers. Unsaid, it is the running period in which the file was collected."""
    day = scope.collected_at.date()
    if scope.period_start is not None:
        return scope.period_start, scope.period_end or day
    if scope.granularity == "monthly":
        return day.replace(day=1), scope.period_end or day
    if scope.granularity == "weekly":
        return day - timedelta(days=day.weekday()), scope.period_end or day
    return day, scope.period_end or day


def described_period(plan: Plan) -> tuple[date, date] | None:
    """The period that all rows have from the file's description; None where a column dates them."""
    dated = {"period", _PERIOD_FIELD[plan.scope.domain]} & {column.field for column in plan.columns}
    return None if dated else file_period(plan.scope)


def add_period(rows: pl.DataFrame, typed: Typed, plan: Plan) -> pl.DataFrame:
    """``rows`` with ``period_start`` and ``period_end``, and the date its identity needs where no column has it."""
    first, last = file_period(plan.scope)
    day = typed.days.get(_PERIOD_FIELD[plan.scope.domain])
    start, end = typed.days.get("period_start", day), typed.days.get("period_end", day)
    columns = [_or_else(start, first, rows, "period_start"), _or_else(end, last, rows, "period_end")]
    if plan.scope.domain is Domain.ANALYTICS and "metric_date" not in rows.columns:
        columns.append(_or_else(day, first, rows, "metric_date"))
    if plan.scope.domain is Domain.INVENTORY and "snapshot_date" not in rows.columns:
        columns.append(_or_else(None, plan.scope.collected_at.date(), rows, "snapshot_date"))
    return rows.with_columns(columns)


def _or_else(days: pl.Series | None, day: date, rows: pl.DataFrame, name: str) -> pl.Series:
    if days is None:
        return pl.Series(name, [day.isoformat()]).new_from_index(0, len(rows))
    return days.dt.strftime("%Y-%m-%d").fill_null(day.isoformat()).alias(name)


@dataclass(frozen=True, slots=True)
class RowShops:
    """The shop of each row: the file's, or where the file names none the one that the row's label names.

    ``mismatched`` marks labels that name another known shop than the file's; ``currency`` is blank where unknown.
    ``zones`` are the time zones in use, each with a mask of its rows; None means all.
    """

    shop_id: pl.Series
    currency: pl.Series | None
    timezone: pl.Series | None
    zones: Zones
    mismatched: pl.Series | None = None


def shops_of(fields: pl.DataFrame, plan: Plan) -> RowShops:
    """The shops of rows by their labels. Raises ``InvalidTimezone``."""
    scope = plan.scope
    same = pl.Series("shop_id", [scope.shop_id], dtype=pl.Int64).new_from_index(0, len(fields))
    if "shop_label" not in fields.columns or not scope.shops:
        return RowShops(same, None, None, [(scope.timezone, None)])
    labels = fields["shop_label"]
    said = {label: scope.shops[label] for label in labels.unique().to_list() if label in scope.shops}
    named = _replaced(labels, {label: shop.pk for label, shop in said.items()}, pl.Int64)
    if scope.shop_id is not None:
        mismatched = (named != scope.shop_id).fill_null(value=False)
        return RowShops(same, None, None, [(scope.timezone, None)], mismatched if mismatched.any() else None)
    zones = _replaced(labels, {label: shop.timezone or scope.timezone for label, shop in said.items()}, pl.String)
    currency = _replaced(labels, {label: shop.currency or scope.currency for label, shop in said.items()}, pl.String)
    zones, currency = zones.fill_null(scope.timezone), currency.fill_null(scope.currency)
    distinct = zones.unique().to_list() or [scope.timezone]
    for name in distinct:
        check_timezone(name)
    by_zone: Zones = [(name, zones == name) for name in distinct] if len(distinct) > 1 else [(distinct[0], None)]
    return RowShops(named.alias("shop_id"), currency, zones, by_zone)


def _replaced(labels: pl.Series, values: dict[str, Any], dtype: type[pl.DataType]) -> pl.Series:
    if not values:
        return pl.Series(labels.name, [None], dtype=dtype).new_from_index(0, len(labels))
    return labels.replace_strict(list(values), list(values.values()), default=None, return_dtype=dtype)


def add_currency(rows: pl.DataFrame, plan: Plan, shops: RowShops) -> pl.DataFrame:
    """``rows`` with ``currency``: the header's, else the row's own column's, else the shop's; blank when unknown."""
    of_shop = pl.lit(plan.scope.currency if shops.currency is None else shops.currency)
    said = pl.lit(plan.file_currency) if plan.file_currency else of_shop
    if not plan.file_currency and "currency" in rows.columns:
        said = pl.col("currency").fill_null(of_shop)
    return rows.with_columns(said.alias("currency"))
