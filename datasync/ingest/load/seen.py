"""Which keys this file has already brought, what became of them, and which amounts of orders it said there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from datasync.ingest.hashes import Memory

INSERTED, UPDATED, UNCHANGED, STALE = 0, 1, 2, 3
NAMES = ("inserted", "updated", "unchanged", "stale")
WRITTEN = frozenset({INSERTED, UPDATED})
Amounts = frozenset[str]
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


def said_flags(rows: pl.DataFrame, amounts: Iterable[str]) -> pl.Series | None:
    """Which amounts each row says, as bits of a number; None where a file knows no amounts of orders."""
    names = sorted(amounts)
    if not names:
        return None
    flags = np.zeros(len(rows), dtype="u4")
    for at, name in enumerate(names):
        flags |= rows[name].is_not_null().to_numpy().astype("u4") << np.uint32(at)
    return pl.Series(flags)


def said_of(keys: pl.Series, seen: Seen, amounts: Iterable[str]) -> dict[str, Amounts]:
    """Those of the keys that earlier batches of a file brought and that are not stale, with the amounts said there."""
    names = sorted(amounts)
    found: dict[str, Amounts] = {}
    for key, outcome, said in zip(keys, *seen.outcomes_and_said(keys), strict=True):
        if outcome == INSERTED:  # whatever it has, the file says
            found[key] = frozenset(names)
        elif outcome is not None and outcome != STALE:
            found[key] = frozenset(name for at, name in enumerate(names) if said >> at & 1)
    return found
