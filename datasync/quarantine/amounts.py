"""Amounts of whole orders: released lines must not bring them a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl

from datasync.fields import Domain
from datasync.ingest.plan import Plan
from datasync.models import OrderLine

_Order = tuple[int | None, str]  # shop, order id


def carried_elsewhere(rows: pl.DataFrame, plan: Plan) -> dict[int, frozenset[str]]:
    """For rows whose order has amounts on another line: their position in ``rows``, and which amounts those are.

    The other line is a stored one, of whatever file, or one above in ``rows``. An order has each amount once.
    """
    names = [str(column.field) for column in plan.columns if column.field and column.order_level]
    if plan.scope.domain is not Domain.ORDERS or not names or "order_id" not in rows.columns:
        return {}
    stored = _stored(rows, plan, names)
    brought: dict[_Order, set[str]] = defaultdict(set)
    found: dict[int, frozenset[str]] = {}
    for at, row in enumerate(rows.select("record_key", "shop_id", "order_id", *names).iter_rows(named=True)):
        order = (row["shop_id"], row["order_id"])
        others = {
            name for key, amounts in stored.get(order, {}).items() if key != row["record_key"] for name in amounts
        }
        elsewhere = others | brought[order]
        if elsewhere:
            found[at] = frozenset(elsewhere)
        if not (elsewhere and plan.totals_on_every_line):
            brought[order] |= {name for name in names if row[name] is not None and name not in elsewhere}
    return found


def without(rows: pl.DataFrame, elsewhere: Mapping[int, frozenset[str]]) -> pl.DataFrame:
    """``rows`` without the amounts that stand on other lines."""
    blanked: dict[str, list[int]] = defaultdict(list)
    for at, names in elsewhere.items():
        for name in names:
            blanked[name].append(at)
    return rows.with_columns(rows[name].scatter(sorted(ats), None).alias(name) for name, ats in blanked.items())


def _stored(rows: pl.DataFrame, plan: Plan, names: list[str]) -> Mapping[_Order, Mapping[str, set[str]]]:
    """Order → key of a stored line → which amounts it has."""
    scope = plan.scope
    lines = OrderLine.objects.filter(
        order_id__in=rows["order_id"].drop_nulls().unique().to_list(),
        platform_id=scope.platform,
        sub_domain=scope.sub_domain,
        granularity=scope.granularity,
    )
    found: dict[_Order, dict[str, set[str]]] = defaultdict(dict)
    read: Any = lines.values_list("record_key", "shop_id", "order_id", *names)
    for key, shop_id, order_id, *amounts in read:
        held = {name for name, amount in zip(names, amounts, strict=True) if amount is not None}
        if held:
            found[shop_id, order_id][key.hex] = held
    return found
