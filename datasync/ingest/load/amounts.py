"""Amounts of whole orders, each of which stands on one stored line, whatever lines the order's exports have.

An export may lack the line that carried an amount, or show it on another one, while the old line stays stored. So where
a line that is written says an amount, the other stored lines of its order are looked up: the newest export's placement
wins, one of them gives the amount up. What one file says on several lines stands: that is its template's matter.

A line without an amount that its own cells say has a marked content hash (``marked``), so that it differs from every
row of a file: whenever a file brings the line again, it is seen anew which line the amount belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.seen import INSERTED, STALE, UNCHANGED, UPDATED, Amounts
from datasync.ingest.load.sides import Brought, Leaving, Sides

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

LookUp = Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame]


def marked(hashes: pl.Series) -> pl.Series:
    """The content hashes of these rows as lines that have given up an amount."""
    return MARK + hashes.str.slice(len(MARK))


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
    sides = Sides(rows, names, outcomes, bare, brought)
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
