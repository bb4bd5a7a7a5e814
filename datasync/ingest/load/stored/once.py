"""Which of several lines of an order has its amounts, where two contents of a file have each left a first line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from datasync.ingest.load.amounts import MARK, marked
from datasync.ingest.load.seen import Amounts
from datasync.ingest.load.sides import ToOwn

_ORDER = ["shop_id", "order_id"]
_GAVE_UP = pl.col("old_hash").str.starts_with(MARK)


def said_once(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows that were typed again, each of the amounts ``names`` of an order on one of them only.

    A line that has given up an amount leaves it to one that has not, and goes on being marked; of others the first one
    has it. Lines that leave an amount are marked, so that a sync judges them anew.
    """
    if not names or rows.is_empty():
        return rows
    ranked = rows.with_row_index("place").sort(_GAVE_UP, "place")
    says = {name: pl.col(name).is_not_null() for name in names}
    leaves = {name: said & (said.cum_sum().over(_ORDER) > 1) for name, said in says.items()}
    masks = ranked.select(_GAVE_UP.alias("marked"), **leaves)
    hashes = ranked["content_hash"]
    told = ranked.with_columns(
        marked(hashes).zip_with(masks.select(pl.any_horizontal(pl.all())).to_series(), hashes).alias("content_hash"),
        *(pl.when(~masks[name]).then(pl.col(name)).alias(name) for name in names),
    )
    return told.sort("place").drop("place")


def once_in_file(rows: pl.DataFrame, names: Collection[str], *, otherwise: Collection[str]) -> ToOwn:
    """The same, against lines of the file that are not among ``rows``.

    Amounts that are read ``otherwise`` now may not have been read anew there: only one that has given up leaves them.
    """
    gave_up = rows.select(_GAVE_UP).to_series()
    every, sure = frozenset(names), frozenset(names) - frozenset(otherwise)

    def to_own(at: int, content: str) -> Amounts | None:
        if gave_up[at]:
            return every
        return None if content.startswith(MARK) else sure

    return to_own
