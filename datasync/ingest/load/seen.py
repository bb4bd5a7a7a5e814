"""Which keys this file has already brought: one key twice in a file is loaded once, and the last one wins."""

from __future__ import annotations

import polars as pl

from datasync.ingest.hashes import Memory

INSERTED, UPDATED, UNCHANGED, STALE = 0, 1, 2, 3
NAMES = ("inserted", "updated", "unchanged", "stale")
WRITTEN = frozenset({INSERTED, UPDATED})
_FLAGS = 4
"""What is said of a key stands above the two bits of its outcome."""


class Seen:
    """The keys of earlier batches with what became of them."""

    def __init__(self) -> None:
        self._memory = Memory()

    def __bool__(self) -> bool:
        return bool(self._memory)

    def add(self, keys: pl.Series, outcomes: pl.Series, said: pl.Series | None = None) -> None:
        """Remember a batch; ``said`` are up to thirty flags of each row as bits of a number."""
        self._memory.add(keys, outcomes if said is None else said * _FLAGS + outcomes)

    def outcomes(self, keys: pl.Series) -> pl.Series:
        """For each key what became of it in an earlier batch, null where it is new to the file."""
        return self._memory.recall(keys) % _FLAGS

    def outcomes_and_said(self, keys: pl.Series) -> tuple[pl.Series, pl.Series]:
        """``outcomes``, and the flags."""
        numbers = self._memory.recall(keys)
        return numbers % _FLAGS, numbers // _FLAGS
