"""A row's content: all that its values follow from, as one text that is hashed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from datasync.fields import Kind
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.number_cells import read_otherwise
from datasync.ingest.prepare.prepared import Lines
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
        self._bound = [column for column in plan.columns if column.field]
        self._read_by_period = [str(column.field) for column in plan.columns
                                if column.field and column.kind in _DATE_KINDS and "auto" in column.format]  # fmt: skip

    def of(self, lines: Lines, shops: RowShops) -> pl.Expr:
        """A row's cells, what is filled down into it, and what its file and its shop say of it.

        A number cell is told from a text only where the two read otherwise: 7 is 7 in a workbook and in a CSV.
        A product of a month-to-date export has new content when only the last day that it covers is new.
        """
        said = [pl.lit(self._salt), pl.col("raw"), *_texts(_FROM_FILE), *_texts(self._read_by_period)]
        said += [pl.lit(lines.fields[name].fill_null("")) for name in self._shared]
        if shops.timezone is not None:
            said.append(pl.lit(shops.timezone))
        content = pl.concat_str(said, separator="\x1f")
        numbers = read_otherwise(lines.original, lines.said.numbers, self._bound)
        return (pl.concat_str([content, *_marks(numbers)]) if numbers else content).alias("content")


def _texts(names: Iterable[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(pl.String).fill_null("") for name in names]


def _marks(numbers: Mapping[int, pl.Series]) -> list[pl.Expr]:
    """Nothing for the other rows: their content is stored as it was before there were marks."""
    return [pl.when(pl.lit(mask)).then(pl.lit(f"\x1fn{at}")).otherwise(pl.lit("")) for at, mask in numbers.items()]
