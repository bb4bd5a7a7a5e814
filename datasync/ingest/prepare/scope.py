"""What a row has from its file's description: shop, currency and period, each unless the row says it itself."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from datasync.fields import Domain
from datasync.ingest.plan import Plan, Scope
from datasync.ingest.prepare.typed import Typed

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


def add_shop(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """``rows`` with ``shop_id``: the shop that the row's label names, else the file's; null where neither is known."""
    scope = plan.scope
    if "shop_label" not in rows.columns or not scope.shops:
        shop = pl.Series("shop_id", [scope.shop_id], dtype=pl.Int64).new_from_index(0, len(rows))
        return rows.with_columns(shop)
    labels = list(scope.shops)
    named = rows["shop_label"].replace_strict(labels, [scope.shops[label] for label in labels], default=None,
                                              return_dtype=pl.Int64)  # fmt: skip
    return rows.with_columns(
        named.fill_null(scope.shop_id).alias("shop_id") if scope.shop_id else named.alias("shop_id")
    )


def add_currency(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """``rows`` with ``currency``: the header's, else the row's own column's, else the shop's; blank when unknown."""
    said = pl.lit(plan.file_currency or plan.scope.currency)
    if not plan.file_currency and "currency" in rows.columns:
        said = pl.col("currency").fill_null(plan.scope.currency)
    return rows.with_columns(said.alias("currency"))
