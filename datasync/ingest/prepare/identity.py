"""What identifies a row, as a 128-bit key of 32 hexadecimal digits.

The first 32 bits are of the scope alone (platform, domain, sub-domain, granularity, shop), so that the rows of one shop
lie together in the index; the other 96 are of the whole identity. Both are SHA-256, cut. Keys are stored, so the text
they are taken over must never change: the parts joined by the unit separator (U+001F), in the order in which the plan
names them, blank where there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from datasync.fields import Domain
from datasync.ingest.hashes import digest
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.numbering import LineNumbers, Released

SEPARATOR = "\x1f"
SCOPE_DIGITS = 8
"""How many hexadecimal digits of a key are of its scope."""
IDENTITY = "identity"
"""The column that holds what a row's key is taken over, without its ordinal."""
_MUST_BE_KNOWN: dict[Domain, tuple[str, ...]] = {
    Domain.ORDERS: ("order_id",),
    Domain.PRODUCTS: ("product_id",),
    Domain.ANALYTICS: ("metric_date",),
    Domain.SERVICES: ("period_start", "metric_date"),
    Domain.INVENTORY: ("sku", "product_id"),
    Domain.FINANCE: ("settlement_id", "transaction_id", "order_id"),
}


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


def _beginning(scope: str) -> str:
    return hashlib.sha256(scope.encode()).hexdigest()[:SCOPE_DIGITS]


def scope_beginning(*, platform: str, domain: str, sub_domain: str, granularity: str, shop_id: int | None) -> str:
    """The first ``SCOPE_DIGITS`` that the keys of all rows of one scope have in common."""
    shop = "" if shop_id is None else str(shop_id)
    return _beginning(SEPARATOR.join((platform, domain, sub_domain, granularity, shop)))


def _key(scope: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.concat_str([scope, digest(text).str.slice(0, 24)]).alias("record_key")


class RecordKeys:
    """Gives each row its key; where the plan says so, lines with an equal identity are numbered in file order."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._prefix = prefix(plan)
        self._numbers = LineNumbers()

    def identities(self, rows: pl.DataFrame) -> pl.Series:
        """The text that each row's key is taken over, without its ordinal.

        ``rows`` has ``shop_id`` and the fields of the plan's identity.
        """
        return rows.select(self._text().alias(IDENTITY)).to_series()

    def add(self, rows: pl.DataFrame, decided: Mapping[int, Released | None]) -> pl.DataFrame:
        """``rows``, which have ``identity``, with ``record_key`` and, for numbered lines, ``line_ordinal``.

        ``decided`` are the lines that people have decided on, see ``LineNumbers``.
        """
        if self._plan.ordinal:
            rows = rows.with_columns(self._numbers.of(rows[IDENTITY], decided))
        return self._keyed(rows)

    def given(self, rows: pl.DataFrame, ordinals: pl.Series) -> pl.DataFrame:
        """The same for rows that were numbered before, with their ordinals; where there is none it is 1."""
        if self._plan.ordinal:
            rows = rows.with_columns(ordinals.cast(pl.Int64).fill_null(1).alias("line_ordinal"))
        return self._keyed(rows)

    def renumbered(self, rows: pl.DataFrame, ordinals: pl.Series) -> pl.DataFrame:
        """Prepared ``rows`` of a plan that numbers its lines, with other ordinals and the keys that follow."""
        rows = rows.with_columns(self._text().alias("_identity"), ordinals.cast(pl.Int64).alias("line_ordinal"))
        return self._keyed(rows, text="_identity").drop("_identity")

    def _text(self) -> pl.Expr:
        parts = [pl.lit(self._prefix), pl.col("shop_id").cast(pl.String).fill_null("")]
        parts += [pl.col(name).cast(pl.String).fill_null("") for name in self._plan.identity]
        return pl.concat_str(parts, separator=SEPARATOR)

    def _keyed(self, rows: pl.DataFrame, *, text: str = IDENTITY) -> pl.DataFrame:
        whole = pl.col(text)
        if self._plan.ordinal:
            whole = pl.concat_str([whole, pl.col("line_ordinal").cast(pl.String)], separator=SEPARATOR)
        return rows.with_columns(_key(self._scope(rows["shop_id"]), whole))

    def _scope(self, shops: pl.Series) -> pl.Expr:
        """The first 32 bits of each row's key."""
        known = shops.unique().to_list()
        begins = [_beginning(f"{self._prefix}{SEPARATOR}{'' if shop is None else shop}") for shop in known]
        if len(known) < 2:
            return pl.lit(begins[0] if begins else "")
        return pl.lit(shops.replace_strict(known, begins, return_dtype=pl.String))
