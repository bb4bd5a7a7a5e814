"""Which keys this file has already brought: one key twice in a file is loaded once, and the last one wins."""

from __future__ import annotations

import polars as pl

from datasync.ingest.hashes import Memory

INSERTED, UPDATED, UNCHANGED, STALE = 0, 1, 2, 3


class Seen:
    """The keys of earlier batches with what became of them."""

    def __init__(self) -> None:
        self._memory = Memory()

    def __bool__(self) -> bool:
        return bool(self._memory)

    def add(self, keys: pl.Series, outcomes: pl.Series) -> None:
        """Remember a batch."""
        self._memory.add(keys, outcomes)

    def outcomes(self, keys: pl.Series) -> pl.Series:
        """For each key what became of it in an earlier batch, null where it is new to the file."""
        return self._memory.recall(keys)
