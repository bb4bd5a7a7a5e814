"""A row's content: all that its values follow from, as one text that is hashed."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from datasync.fields import Kind
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.scope import RowShops

PREPARE_VERSION = 2
"""Part of every row's content. To be raised when the same cells would be typed otherwise than before, or more is kept
of them: the next sync of a file then rewrites its rows, where equal content would leave them as they were."""
_FROM_FILE = ("period_start", "period_end", "currency")
_DATE_KINDS = (Kind.DATE, Kind.DATETIME, Kind.HOUR)


class Content:
    """Writes the content of a plan's rows; ``shared`` are the fields that are filled down from other rows."""

    def __init__(self, plan: Plan, shared: Iterable[str]) -> None:
        self._salt = "\x1f".join((str(PREPARE_VERSION), plan.fingerprint, plan.scope.timezone))
        self._shared = sorted(shared)
        self._read_by_period = [str(column.field) for column in plan.columns
                                if column.field and column.kind in _DATE_KINDS and "auto" in column.format]  # fmt: skip

    def of(self, fields: pl.DataFrame, shops: RowShops) -> pl.Expr:
        """A row's cells, what is filled down into it, and what its file and its shop say of it.

        A product of a month-to-date export has new content when only the last day that it covers is new.
        """
        said = [pl.lit(self._salt), pl.col("raw"), *_texts(_FROM_FILE), *_texts(self._read_by_period)]
        said += [pl.lit(fields[name].fill_null("")) for name in self._shared]
        if shops.timezone is not None:
            said.append(pl.lit(shops.timezone))
        return pl.concat_str(said, separator="\x1f").alias("content")


def _texts(names: Iterable[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String).fill_null("") for name in names]
