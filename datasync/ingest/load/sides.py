"""Which of two lines of one order keeps an amount that both have: one that is being written, or one that is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from datasync.ingest.load.seen import STALE, Amounts

ToOwn = Callable[[int, str], Amounts | None]
"""For the position of a row and the stored content of another line of its file: which amounts the row leaves to the
line; None where the line has to give up those that both have."""


def left_alone(_at: int, _content: str) -> Amounts | None:
    """Both keep what they have."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Brought:
    """What is known of lines that a file's earlier batches, or exports collected after it, have brought.

    ``said`` tells those of keys that the file has brought and that are not stale, with the amounts that it says there;
    ``confirmed`` which of keys exports collected after the file have confirmed. ``left`` are lines that have given up
    amounts to the file. ``own_stay``: lines that the file wrote last, and that are not in the batch, are left alone.
    ``to_own`` says what becomes of amounts that such a line and a row both have. ``gave_up`` are positions of rows that
    are typed again and whose stored lines have given up amounts before.
    """

    said: Callable[[pl.Series], Mapping[str, Amounts]]
    confirmed: Callable[[pl.Series], pl.Series]
    left: Collection[str] = ()
    own_stay: bool = False
    to_own: ToOwn = left_alone
    gave_up: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stored lines that have to give up the same amounts: their keys with their content as it is stored.

    ``mark``: their own cells may say these amounts; those of a line that the file itself has brought do not.
    """

    amounts: Amounts
    mark: bool
    contents: dict[str, str]


class Sides:
    """Who has an amount in the end, where a row and a stored line of one order both have it."""

    def __init__(
        self, rows: pl.DataFrame, names: Sequence[str], outcomes: pl.Series, bare: Sequence[int], brought: Brought
    ) -> None:
        self._rows = rows
        self._names = names
        self._outcomes = outcomes
        self._gave_up = frozenset((*bare, *brought.gave_up))
        self._brought = brought
        self._itself: dict[int, Amounts] = {}
        self._moving: list[tuple[int, str, Amounts]] = []
        self._contents: dict[str, str] = {}
        self._unmarked: set[str] = set()
        self.elsewhere: dict[int, Amounts] = {}
        """Amounts that rows leave to stored lines, by the rows' positions."""

    def take(self, carriers: pl.DataFrame) -> None:
        """Settle all rows for which there are such lines."""
        keys = carriers["record_key"]
        said = self._said(keys)
        confirmed = self._brought.confirmed(keys)
        row_keys, shops = self._rows["record_key"], self._rows["shop_id"]
        for line, late in zip(carriers.iter_rows(named=True), confirmed, strict=True):
            at, key = line["at"], line["record_key"]
            if key == row_keys[at]:
                self._itself[at] = frozenset(name for name in self._names if line[name])
                continue
            both = frozenset(name for name in self._says(at) if line[name])
            if not both or line["shop_id"] != shops[at]:
                continue
            if line["own"] and self._brought.own_stay and key not in said:
                left = self._brought.to_own(at, line["content_hash"])
                if left is not None:
                    if both & left:
                        self.elsewhere[at] = self.elsewhere.get(at, frozenset()) | both & left
                    continue
            self._contents[key] = line["content_hash"]
            if key in said and not line["newer"]:  # what the file only repeats of a newer one is not its to move
                self._unmarked.add(key)
                self._moving.append((at, key, both - said[key]))
            elif self._stays(line, confirmed=late):
                self.elsewhere[at] = self.elsewhere.get(at, frozenset()) | both
            else:
                self._moving.append((at, key, both))

    def lacks_only_what_others_have(self, at: int) -> bool:
        """Whether the stored line has everything that its row ``at`` would bring it."""
        lacking = self._says(at) - self._itself.get(at, frozenset())
        return lacking <= self.elsewhere.get(at, frozenset())

    def leaving(self) -> list[Leaving]:
        """The stored lines that have to give up amounts."""
        given: dict[str, set[str]] = defaultdict(set)
        for at, key, amounts in self._moving:
            given[key] |= amounts - self.elsewhere.get(at, frozenset())
        found: dict[tuple[Amounts, bool], dict[str, str]] = defaultdict(dict)
        for key, names in given.items():
            if names:
                found[frozenset(names), key not in self._unmarked][key] = self._contents[key]
        return [Leaving(amounts, mark, contents) for (amounts, mark), contents in found.items()]

    def _stays(self, line: Mapping[str, Any], *, confirmed: bool) -> bool:
        """Whether a line that the file has not brought keeps its amounts: a newer export has placed them there.

        Of two files of one time the one that was synced last wins, and goes on winning when the other comes again, or
        is typed again.
        """
        if confirmed or line["own"]:
            return confirmed
        return bool(line["newer"] or (line["equal"] and line["at"] in self._gave_up))

    def _said(self, keys: pl.Series) -> dict[str, Amounts]:
        """What the file says of lines that it brings in this batch, or brought in an earlier one."""
        said = dict(self._brought.said(keys.unique()))
        here = (
            self._rows.select("record_key")
            .with_row_index("at")
            .filter(pl.col("record_key").is_in(keys.unique().implode()))
        )
        for at, key in here.select("at", "record_key").iter_rows():
            if self._outcomes[at] == STALE:
                said.pop(key, None)
            else:
                said[key] = self._says(at)
        return said

    def _says(self, at: int) -> Amounts:
        return frozenset(name for name in self._names if self._rows[name][at] is not None)
