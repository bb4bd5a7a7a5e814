"""Keys that a file brings again in a later batch: the last row wins, and counts once, as what it is in the end."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from datasync.ingest.load import seen
from datasync.ingest.load.seen import Amounts, Seen, said_of
from datasync.ingest.plan import Counts


class Repeats:
    """What became of such keys, compared with before the file; ``earlier_batches`` know how they came first."""

    def __init__(self, earlier_batches: Seen, counts: Counts) -> None:
        self._seen = earlier_batches
        self._counts = counts
        self._replaced: dict[str, str] = {}  # content that this file's updates replaced
        self._ends: dict[str, int] = {}  # what became in the end of keys that came again, where that changed
        self._said: dict[str, Amounts] = {}  # amounts of orders that were written when keys came again

    def replace(self, keys: Iterable[str], contents: Iterable[str]) -> None:
        """Remember the stored contents that the file's updates replace."""
        self._replaced |= zip(keys, contents, strict=True)

    def so_far(self, keys: list[str], first: pl.Series) -> list[int]:
        """What has become of the keys by now; ``first`` says what it was when they came first."""
        return [self._ends.get(key, outcome) for key, outcome in zip(keys, first, strict=True)]

    def written(self, keys: list[str], so_far: list[int]) -> pl.Series:
        """Which of the keys the file itself has written."""
        told = zip(keys, so_far, strict=True)
        flags = [outcome in seen.WRITTEN or key in self._replaced for key, outcome in told]
        return pl.Series(flags, dtype=pl.Boolean)

    def overwritten(self, rows: pl.DataFrame, own: pl.Series, *, amounts: Iterable[str], lasting: Iterable[str],
                    ) -> dict[int, int]:  # fmt: skip
        """What became of the rows at ``own``, which the file has written and overwrites; of inserted ones nothing else.

        One that is again as it was before the file is unchanged, unless it is blank where the file has written an
        amount of its order in between: a blank does not undo ``lasting`` amounts.
        """
        names = sorted(lasting)
        again = rows[own].select("record_key", "content_hash", *names)
        first = said_of(again["record_key"], self._seen, amounts) if names else {}
        ends: dict[int, int] = {}
        for at, row in zip(own, again.rows(named=True), strict=True):
            key = row["record_key"]
            if key in self._replaced:
                said = first.get(key, frozenset()) | self._said.get(key, frozenset())
                undone = not any(row[name] is None for name in names if name in said)
                ends[at] = seen.UNCHANGED if self._replaced[key] == row["content_hash"] and undone else seen.UPDATED
        return ends

    def say(self, rows: pl.DataFrame, amounts: Iterable[str]) -> None:
        """Remember the amounts that are written with keys that came again."""
        names = sorted(amounts)
        for key, *values in rows.select("record_key", *names).iter_rows() if names else ():
            said = {name for name, value in zip(names, values, strict=True) if value is not None}
            self._said[key] = self._said.get(key, frozenset()) | said

    def recount(self, key: str, *, was: int, now: int) -> None:
        """Count a key as what it is now."""
        if was == now:
            return
        for outcome, difference in ((was, -1), (now, 1)):
            name = seen.NAMES[outcome]
            setattr(self._counts, name, getattr(self._counts, name) + difference)
        self._ends[key] = now
