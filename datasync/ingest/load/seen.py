"""Which keys this file has already brought: one key twice in a file is loaded once, and the last one wins.

A file of one batch never asks; of larger ones 17 bytes a row are kept.
"""

from __future__ import annotations

import polars as pl

INSERTED, UPDATED, UNCHANGED, STALE = 0, 1, 2, 3


def halves(keys: pl.Series) -> pl.DataFrame:
    """128-bit keys as two 64-bit numbers."""
    return keys.to_frame("key").select(
        pl.col("key").str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).alias("high"),
        pl.col("key").str.slice(16).str.to_integer(base=16, dtype=pl.UInt64).alias("low"),
    )


class Seen:
    """The keys of earlier batches with what became of them."""

    def __init__(self) -> None:
        self._batches: list[pl.DataFrame] = []
        self._waiting: list[tuple[pl.Series, pl.Series]] = []

    def __bool__(self) -> bool:
        return bool(self._batches or self._waiting)

    def add(self, keys: pl.Series, outcomes: pl.Series) -> None:
        """Remember a batch."""
        self._waiting.append((keys, outcomes))

    def outcomes(self, keys: pl.Series) -> pl.Series:
        """For each key what became of it in an earlier batch, null where it is new to the file."""
        self._batches += [halves(old).with_columns(outcome.alias("outcome")) for old, outcome in self._waiting]
        self._waiting.clear()
        found = pl.Series("outcome", [None], dtype=pl.UInt8).new_from_index(0, len(keys))
        if not self._batches:
            return found
        asked = halves(keys)
        for batch in self._batches:
            earlier = asked.join(batch, on=["high", "low"], how="left", maintain_order="left")["outcome"]
            found = earlier.zip_with(earlier.is_not_null(), found)
        return found
