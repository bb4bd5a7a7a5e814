"""Which number a line gets among the lines of its file that have an equal identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from datasync.ingest.hashes import Memory, digests


@dataclass(frozen=True, slots=True)
class Released:
    """A released line: the identity that its own cells give it, as text, and the line that it became.

    ``line``: ordinal and hash of the identity under which it was loaded; None where that was not kept.
    """

    natural: str
    line: tuple[int, str] | None


@dataclass(slots=True)
class _Numbers:
    """The numbers of one identity: ``counted`` lines so far; the first ``before`` numbers, and ``taken``, are used."""

    before: int
    counted: int
    taken: set[int] = field(default_factory=set)

    def count(self) -> int:
        self.counted += 1
        return self.counted

    def take(self, wanted: int) -> int:
        """``wanted``, or the next number that no line has taken."""
        number = wanted if wanted not in self.taken and wanted > self.before else max(wanted, self.before + 1)
        while number in self.taken:
            number += 1
        self.taken.add(number)
        return number


class LineNumbers:
    """Numbers the lines of one file in its order, batch by batch.

    Every line is counted where its own cells put it, whatever people have decided on it since: so the others keep the
    numbers that they had. A released line has the number that it was loaded with; one that was discarded, or whose
    number or identity became another, leaves a gap. No two lines that are loaded get one number: where the file holds
    other lines than at the release, the later of two gets the next number that is free.
    """

    def __init__(self) -> None:
        self._given = Memory()
        self._last: pl.Series | None = None  # a file of one batch never pays for remembering it
        self._watched: dict[str, _Numbers] = {}

    def of(self, identities: pl.Series, decided: Mapping[int, Released | None]) -> pl.Series:
        """The ordinal of each line of a batch. ``decided``: by position released lines, None for discarded ones."""
        natural = identities
        if moved := {at: line.natural for at, line in decided.items() if line is not None}:
            natural = identities.clone().scatter(list(moved), list(moved.values()))
        ordinals = self._counted(natural)
        if decided or self._watched:
            ordinals = self._decided(identities, natural, ordinals, decided)
        self._last = natural
        return ordinals.alias("line_ordinal")

    def _counted(self, identities: pl.Series) -> pl.Series:
        if identities.n_unique() == len(identities):
            ordinals = pl.Series([1], dtype=pl.Int64).new_from_index(0, len(identities))
        else:
            lines = identities.to_frame("identity")
            ordinals = lines.select(pl.int_range(1, pl.len() + 1).over("identity")).to_series()
        if self._last is None:
            return ordinals
        counted = digests(self._last).value_counts(name="count")
        self._given.add(counted.to_series(0), counted["count"])
        self._last = None
        earlier = self._given.recall(digests(identities))
        return ordinals if earlier.null_count() == len(earlier) else ordinals + earlier.fill_null(0).cast(pl.Int64)

    def _decided(
        self, identities: pl.Series, natural: pl.Series, ordinals: pl.Series, decided: Mapping[int, Released | None]
    ) -> pl.Series:
        """``ordinals`` with those of the identities that a decision touches put right."""
        hashes = digests(natural)
        chosen = list(decided)
        become = dict(zip(chosen, digests(identities.gather(chosen)).to_list(), strict=True))
        self._watch({*become.values(), *hashes.gather(chosen)})
        touched = hashes.is_in(list(self._watched)).arg_true().to_list()
        given = [self._number(hashes[at], become.get(at, hashes[at]), at in decided, decided.get(at)) for at in touched]
        return ordinals.scatter(touched, given) if touched else ordinals

    def _number(self, own: str, become: str, is_decided: bool, line: Released | None) -> int:
        counted = self._watched[own].count()
        if not is_decided:
            return self._watched[own].take(counted)
        if line is None:
            return counted
        wanted = counted if become == own else 1
        if line.line is not None and (become != own or line.line[1] == become):
            wanted = line.line[0]
        return self._watched[become].take(wanted)

    def _watch(self, hashes: set[str]) -> None:
        """Number the lines of these identities one by one from here on."""
        new = sorted(hashes - self._watched.keys())
        if new:
            counted = self._given.recall(pl.Series(new)).fill_null(0).to_list()
            self._watched |= {
                key: _Numbers(before=count, counted=count) for key, count in zip(new, counted, strict=True)
            }
