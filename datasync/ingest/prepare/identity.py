"""Identity and content of a row as 128-bit hashes: the first half of SHA-256 over a text, as 32 hexadecimal digits.

The hashes are stored, so the text they are taken over must never change: the parts of the identity joined by the unit
separator (U+001F), in the order in which the plan names them, blank where there is none.
"""

from __future__ import annotations

import polars as pl
import polars_hash  # noqa: F401 - gives expressions their `chash`

from datasync.fields import Domain
from datasync.ingest.plan import Plan

SEPARATOR = "\x1f"
_MUST_BE_KNOWN: dict[Domain, tuple[str, ...]] = {
    Domain.ORDERS: ("order_id",),
    Domain.PRODUCTS: ("product_id",),
    Domain.ANALYTICS: ("metric_date",),
    Domain.SERVICES: ("period_start", "metric_date"),
    Domain.INVENTORY: ("sku", "product_id"),
    Domain.FINANCE: ("settlement_id", "transaction_id", "order_id"),
}


def digest(text: pl.Expr) -> pl.Expr:
    """The stored hash of a text."""
    hashed: pl.Expr = text.chash.sha2_256()  # type: ignore[attr-defined]
    return hashed.str.slice(0, 32)


def prefix(plan: Plan) -> str:
    """What all identities of a file have in common, before the shop."""
    scope = plan.scope
    return SEPARATOR.join((scope.platform, scope.domain, scope.sub_domain, scope.granularity))


def key_missing(rows: pl.DataFrame, plan: Plan) -> pl.Series:
    """Rows without any of the fields that must be known for the row to be identified at all."""
    names = [name for name in _MUST_BE_KNOWN[plan.scope.domain] if name in plan.identity] or list(plan.identity)
    mask = pl.Series([True] * len(rows), dtype=pl.Boolean)
    for name in names:
        mask &= rows[name].is_null()
    return mask


class RecordKeys:
    """Gives each row its key; where the plan says so, lines with an equal identity are numbered in file order.

    Equal lines may lie in two batches, so the keys already given are remembered as two 64-bit halves each.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._prefix = prefix(plan)
        self._given: list[pl.DataFrame] = []
        self._last: pl.Series | None = None

    def add(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with ``record_key`` and, for numbered lines, ``line_ordinal``. ``rows`` has ``shop_id``."""
        parts = [pl.lit(self._prefix), pl.col("shop_id").cast(pl.String).fill_null("")]
        parts += [pl.col(name).cast(pl.String).fill_null("") for name in self._plan.identity]
        rows = rows.with_columns(pl.concat_str(parts, separator=SEPARATOR).alias("_identity"))
        if not self._plan.ordinal:
            return rows.with_columns(digest(pl.col("_identity")).alias("record_key")).drop("_identity")
        rows = self._numbered(rows)
        text = pl.concat_str([pl.col("_identity"), pl.col("line_ordinal").cast(pl.String)], separator=SEPARATOR)
        rows = rows.with_columns(digest(text).alias("record_key"))
        return rows.drop("_identity")

    def _numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        identities = rows["_identity"]
        if identities.n_unique() == len(rows):
            ordinals = pl.Series("line_ordinal", [1], dtype=pl.Int64).new_from_index(0, len(rows))
        else:
            ordinals = rows.select(pl.int_range(1, pl.len() + 1).over("_identity")).to_series()
        rows = rows.with_columns(ordinals.alias("line_ordinal"))
        self._remember()
        self._last = identities
        if not self._given:
            return rows
        halves = _halves(identities)
        for given in self._given:
            earlier = halves.join(given, on=["high", "low"], how="left", maintain_order="left")["count"]
            if earlier.null_count() < len(earlier):
                rows = rows.with_columns((pl.col("line_ordinal") + earlier.fill_null(0)).alias("line_ordinal"))
        return rows

    def _remember(self) -> None:
        """Count the batch before this one; a file of one batch never pays for it."""
        if self._last is not None:
            self._given.append(_halves(self._last).group_by("high", "low").len("count"))


def _halves(identities: pl.Series) -> pl.DataFrame:
    hashes = identities.to_frame("text").select(digest(pl.col("text")).alias("hash"))
    return hashes.select(
        pl.col("hash").str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).alias("high"),
        pl.col("hash").str.slice(16).str.to_integer(base=16, dtype=pl.UInt64).alias("low"),
    )
