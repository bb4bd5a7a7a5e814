"""Amounts of whole orders: released lines must not bring them a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import polars as pl

from datasync.ingest.load import Loader
from datasync.quarantine.confirmed import confirmed_among

_Order = tuple[int | None, str]  # shop, order id


def carried_elsewhere(rows: pl.DataFrame, loader: Loader) -> dict[int, frozenset[str]]:
    """For rows whose order has amounts on another line: their position in ``rows``, and which amounts those are.

    The other line is one that this file has brought or confirmed, or one above in ``rows``. Which of two files has an
    amount on the right line is for the loader to judge, which has its lock.
    """
    names = sorted(loader.table.order_level)
    if not names or "order_id" not in rows.columns:
        return {}
    stored = _stored(rows, loader, names)
    brought: dict[_Order, dict[str, str]] = defaultdict(dict)  # amount → key of the line
    found: dict[int, frozenset[str]] = {}
    for at, row in enumerate(rows.select("record_key", "shop_id", "order_id", *names).iter_rows(named=True)):
        order, own = (row["shop_id"], row["order_id"]), row["record_key"]
        elsewhere = stored[at] | {name for name, key in brought[order].items() if key != own}
        if elsewhere:
            found[at] = frozenset(elsewhere)
        if not (elsewhere and loader.plan.totals_on_every_line):
            brought[order] |= {name: own for name in names if row[name] is not None and name not in elsewhere}
    return found


def without(rows: pl.DataFrame, elsewhere: Mapping[int, frozenset[str]]) -> pl.DataFrame:
    """``rows`` without the amounts that stand on other lines."""
    blanked: dict[str, list[int]] = defaultdict(list)
    for at, names in elsewhere.items():
        for name in names:
            blanked[name].append(at)
    return rows.with_columns(rows[name].scatter(sorted(ats), None).alias(name) for name, ats in blanked.items())


def _stored(rows: pl.DataFrame, loader: Loader, names: list[str]) -> Mapping[int, set[str]]:
    """Which amounts other lines of its order have that the file has stored or confirmed, by position of the row."""
    asked = rows.select("record_key", "order_id", pl.lit(value=False).alias("itself")).with_row_index("at")
    lines = loader.carriers(asked.filter(pl.col("order_id").is_not_null()), names)
    confirmed = confirmed_among(lines.filter(~pl.col("own"))["record_key"].to_list(), file_id=loader.plan.file_id)
    shops: list[int | None] = rows["shop_id"].to_list()
    found: dict[int, set[str]] = defaultdict(set)
    for line in lines.iter_rows(named=True):
        if line["shop_id"] == shops[line["at"]] and (line["own"] or line["record_key"] in confirmed):
            found[line["at"]] |= {name for name in names if line[name]}
    return found
