"""Amounts of whole orders, each of which stands on one stored line, whatever lines the order's exports have.

An export may lack the line that carried an amount, or show it on another one, while the old line stays stored. So where
a line that is written says an amount, the other stored lines of its order are looked up: the newest export's placement
wins, one of them gives the amount up. What one file says on several lines stands: that is its template's matter.

A line without an amount that its own cells say has a marked content hash (``marked``), so that it differs from every
row of a file: whenever a file brings the line again, it is seen anew which line the amount belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.seen import INSERTED, STALE, UNCHANGED, UPDATED, Seen

MARK = "00000000"
"""How the content hash of a line begins that has given up an amount; the rest of it stays."""
CARRIERS: dict[str, Any] = {
    "at": pl.UInt32,
    "record_key": pl.String,
    "content_hash": pl.String,
    "shop_id": pl.Int64,
    "newer": pl.Boolean,
    "equal": pl.Boolean,
    "own": pl.Boolean,
}
"""A stored line with amounts of the order of line ``at``: whether it was collected after the file or at the same time,
and whether the file itself wrote it last. A column for each amount says whether the line has it."""

Amounts = frozenset[str]
LookUp = Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame]


def marked(hashes: pl.Series) -> pl.Series:
    """The content hashes of these rows as lines that have given up an amount."""
    return MARK + hashes.str.slice(len(MARK))


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


@dataclass(frozen=True, slots=True)
class Brought:
    """What is known of lines that a file's earlier batches, or exports collected after it, have brought.

    ``said`` tells those of keys that the file has brought and that are not stale, with the amounts that it says there;
    ``confirmed`` which of keys exports collected after the file have confirmed. ``left`` are lines that have given up
    amounts to the file. ``own_stay``: lines that the file wrote last, and that are not in the batch, are left alone.
    """

    said: Callable[[pl.Series], Mapping[str, Amounts]]
    confirmed: Callable[[pl.Series], pl.Series]
    left: Collection[str] = ()
    own_stay: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stored lines that have to give up the same amounts: their keys with their content as it is stored.

    ``mark``: their own cells may say these amounts; those of a line that the file itself has brought do not.
    """

    amounts: Amounts
    mark: bool
    contents: dict[str, str]


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows as they are to be written; ``still`` are positions of changed ones that are stored exactly like this.

    ``leaving`` is to be done before anything is written.
    """

    rows: pl.DataFrame
    still: list[int] = field(default_factory=list)
    leaving: list[Leaving] = field(default_factory=list)


def settle(
    rows: pl.DataFrame,
    amounts: Iterable[str],
    *,
    outcomes: pl.Series,
    changed: pl.DataFrame,
    look_up: LookUp,
    brought: Brought,
) -> Settled:
    """Give each amount of the orders in ``rows`` one line. Nothing is looked up where no line with an amount changes.

    ``outcomes`` is what becomes of each row, ``changed`` has ``at`` and the stored ``content_hash`` of those that are
    to be updated.
    """
    names = sorted(amounts)
    if not names or (outcomes == UNCHANGED).all():
        return Settled(rows)
    stale = outcomes == STALE
    if stale.any():  # what is not written is said by nobody
        blank = pl.lit(None, dtype=pl.String)
        rows = rows.with_columns(pl.when(pl.lit(stale)).then(blank).otherwise(pl.col(names)).name.keep())
    bare = _bare(rows, changed, brought.left)
    written = (outcomes == INSERTED) | (outcomes == UPDATED)
    saying = written & rows.select(pl.any_horizontal(pl.col(names).is_not_null())).to_series()
    carriers = _carriers(rows, names, saying, bare, look_up)
    sides = _Sides(rows, names, outcomes, bare, brought)
    if not carriers.is_empty():
        sides.take(carriers)
    still = [at for at in bare if not saying[at] or sides.lacks_only_what_others_have(at)]
    return Settled(_without(rows, sides.elsewhere, still, outcomes), still, sides.leaving())


def _bare(rows: pl.DataFrame, changed: pl.DataFrame, left: Collection[str]) -> list[int]:
    """Changed rows whose content is the stored one, but for amounts that the stored line has given up before."""
    given_up = changed.filter(pl.col("content_hash").str.starts_with(MARK))
    if given_up.is_empty():
        return []
    same = marked(rows["content_hash"].gather(given_up["at"])) == given_up["content_hash"]
    keys = rows["record_key"]
    return [at for at in given_up.filter(same)["at"] if keys[at] not in left]


def _carriers(
    rows: pl.DataFrame, names: Sequence[str], saying: pl.Series, bare: Sequence[int], look_up: LookUp
) -> pl.DataFrame:
    """The other stored lines that have amounts of the orders of ``saying`` lines, and those of ``bare`` themselves."""
    if not saying.any():
        return pl.DataFrame(schema=CARRIERS)
    asked = rows.select("record_key", "order_id").with_row_index("at").filter(saying)
    return look_up(asked.with_columns(pl.col("at").is_in(bare).alias("itself")), names)


class _Sides:
    """Who has an amount in the end, where a row and a stored line of one order both have it."""

    def __init__(
        self, rows: pl.DataFrame, names: Sequence[str], outcomes: pl.Series, bare: Sequence[int], brought: Brought
    ) -> None:
        self._rows = rows
        self._names = names
        self._outcomes = outcomes
        self._bare = frozenset(bare)
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
            apart = line["own"] and self._brought.own_stay and key not in said
            if not both or apart or line["shop_id"] != shops[at]:
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

        Of two files of one time the one that was synced last wins, and goes on winning when the other comes again.
        """
        if confirmed or line["own"]:
            return confirmed
        return bool(line["newer"] or (line["equal"] and line["at"] in self._bare))

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


def _without(
    rows: pl.DataFrame, elsewhere: Mapping[int, Amounts], still: Sequence[int], outcomes: pl.Series
) -> pl.DataFrame:
    """``rows`` without the amounts that stand elsewhere; their hashes, and those of ``still`` ones, are marked."""
    places = sorted({*elsewhere, *still})
    if not places:
        return rows
    hashes = rows["content_hash"]
    columns = [hashes.scatter(places, marked(hashes.gather(places)))]
    for name in sorted(set().union(*elsewhere.values())):
        blanks = dict(_blanks(name, elsewhere, outcomes))
        values = pl.Series(list(blanks.values()), dtype=rows[name].dtype)
        columns.append(rows[name].scatter(list(blanks), values))
    return rows.with_columns(columns)


def _blanks(name: str, elsewhere: Mapping[int, Amounts], outcomes: pl.Series) -> Iterator[tuple[int, str | None]]:
    """An update has to say that it empties an amount; an insert has nothing to empty."""
    for at, amounts in elsewhere.items():
        if name in amounts:
            yield at, None if outcomes[at] == INSERTED else GIVEN_UP
