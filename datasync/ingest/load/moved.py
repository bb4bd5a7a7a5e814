"""Amounts of whole orders that a newer export shows on another line than an older one did.

A blank amount does not erase a known one: the newer export may simply not know it. But an order has each amount once,
so where the file has it on another line of the order, the line that is blank now must give it up.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

GIVEN_UP = "NaN"
"""Stands for such a blank in an update: no amount is ever this, and a staging table's ``numeric`` column takes it."""
_ORDER = ["shop_id", "order_id"]


def give_up(rows: pl.DataFrame, amounts: Iterable[str]) -> pl.DataFrame:
    """``rows`` with ``GIVEN_UP`` in each blank amount that another line of the same order in ``rows`` has."""
    names = [name for name in amounts if 0 < rows[name].null_count() < len(rows)]
    if not names or rows["order_id"].n_unique() == len(rows):
        return rows
    moved_away = [pl.col(name).is_null() & (pl.col(name).count().over(_ORDER) > 0) for name in names]
    return rows.with_columns(
        pl.when(moved).then(pl.lit(GIVEN_UP)).otherwise(pl.col(name)).alias(name)
        for name, moved in zip(names, moved_away, strict=True)
    )
