"""Stored rows typed again, written back: values in place, and rows whose key is another one moved there or merged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import polars as pl

from datasync.fields import FIELDS
from datasync.ingest.load.confirmed import Confirmed
from datasync.ingest.load.sides import left_alone
from datasync.ingest.load.stored.once import once_in_file, said_once
from datasync.ingest.load.stored.rows import StoredRows, Whose
from datasync.ingest.load.stored.together import SaidTogether
from datasync.ingest.load.table import STAMP
from datasync.ingest.load.vendors import loader_for
from datasync.ingest.plan import Counts, Plan
from datasync.ingest.retype import Retyped
from datasync.models import PARKED

Waiting = Callable[[Collection[int]], dict[int, int]]
"""For those of the files whose rows wait to be typed again: the sheet row up to which that is done already."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of moved rows, by their new keys: ``free`` ones are renamed, ``over`` ones overwrite who is there.

    ``lost`` are the old keys of rows that give way. ``parked`` have to leave first, ``gone`` too, for good.
    """

    free: pl.DataFrame
    over: pl.DataFrame
    lost: list[str]
    repeated: int
    parked: dict[str, str]
    gone: list[str]


class Merge:
    """Writes back the rows of one plan, part by part, inside the caller's transactions and under the loader's lock.

    ``waiting`` tells which occupant of a key is about to leave it anyway: it is parked under a key of its own until
    its turn. Another row with the same key stays if it was collected later, or at the same time. ``placed``: of an
    order one line of the file has its amounts, however many contents of the file have left lines of it.
    """

    def __init__(self, plan: Plan, *, waiting: Waiting, placed: bool = False, using: str = "default") -> None:
        self._plan = plan
        self._placed = placed
        self._using = using
        self._waiting = waiting
        self._rows = StoredRows(Whose.of(plan), using=using)
        self._together = SaidTogether(self._rows, file_id=plan.file_id, using=using)
        # What only this file ever said of a row is said by the new plan alone, blanks too. But a blank never takes an
        # amount of an order away that an earlier content of the file has told, unless it was read otherwise.
        known = FIELDS[plan.scope.domain]
        said = {name for name, field in known.items() if not field.order_level}
        self.own_plan = replace(plan, cleared=plan.cleared | said)
        self._own = loader_for(self.own_plan, using=using)
        self._shared = loader_for(plan, using=using)

    def hold(self) -> None:
        """Keep loads of the plan's scope out until the transaction ends."""
        self._shared.begin()

    def write(self, part: Retyped, *, last_row: int, still: Collection[str] = ()) -> tuple[Counts, dict[str, str]]:
        """Write one part and count it; also which of the rows ``still`` to come were parked: old key → new.

        ``last_row`` is the last sheet row of the part, ``still`` are keys of rows of the same sheet rows that come
        in another part.
        """
        verdict = self._judge(part, last_row=last_row, still=still)
        self._rows.delete([*part.repeated, *verdict.gone, *verdict.lost])
        self._rows.rename(verdict.parked)
        old_keys = verdict.free["old_key"].replace(verdict.parked) if verdict.parked else verdict.free["old_key"]
        self._rows.rename(dict(zip(old_keys, verdict.free["record_key"], strict=True)))
        self._update(pl.concat([part.changed, verdict.free]), verdict.over)
        updated = len(part.changed) + len(verdict.free) + len(verdict.over) - verdict.repeated
        counts = Counts(
            updated=updated,
            unchanged=part.unchanged,
            quarantined=len(part.rejected),
            duplicates=len(part.repeated) + verdict.repeated + len(part.moved) - len(verdict.free) - len(verdict.over),
        )
        counts.read = counts.updated + counts.unchanged + counts.quarantined + counts.duplicates
        return counts, verdict.parked

    def merged(self, part: Retyped, *, last_row: int) -> int:
        """How many rows of the part would become one with another, without writing."""
        verdict = self._judge(part, last_row=last_row, still=())
        return len(part.repeated) + verdict.repeated + len(part.moved) - len(verdict.free) - len(verdict.over)

    def _judge(self, part: Retyped, *, last_row: int, still: Collection[str]) -> _Verdict:
        gone = [key for key in part.refused if key.startswith(PARKED)]
        moved = part.moved
        if moved.is_empty():
            return _Verdict(moved, moved, [], 0, {}, gone)
        leaving = {*part.repeated, *part.refused, *gone}
        occupants = self._rows.occupants(moved["record_key"].to_list())
        gone += [key for key in occupants["record_key"] if key in set(part.refused) and key not in gone]
        occupants = occupants.filter(~pl.col("record_key").is_in(list(leaving)))
        waits = self._waits(occupants, part, last_row=last_row, still=still)
        parked = {key: _parked(key, *place) for key, *place in
                  occupants.filter(waits).select("record_key", "file_id", "row").rows()}  # fmt: skip
        settled = occupants.filter(~waits)
        if settled.is_empty():
            return _Verdict(moved, moved.clear(), [], 0, parked, gone)
        return self._against(moved, settled, parked, gone)

    def _waits(self, occupants: pl.DataFrame, part: Retyped, *, last_row: int, still: Collection[str]) -> pl.Series:
        """Which occupants of wanted keys have their own turn yet to come, or have it in this very part."""
        ours = occupants["file_id"] == self._plan.file_id
        others = occupants.filter(~ours)["file_id"].unique().to_list()
        done = {**(self._waiting(others) if others else {}), self._plan.file_id: last_row}
        behind = occupants["file_id"].replace_strict(done, default=2**62, return_dtype=pl.Int64)
        leaving = pl.Series([*part.moved["old_key"], *still], dtype=pl.String)
        return (occupants["row"] > behind) | occupants["record_key"].is_in(leaving.implode())

    def _against(self, moved: pl.DataFrame, settled: pl.DataFrame, parked: dict[str, str], gone: list[str]) -> _Verdict:
        """Moved rows against rows that keep their keys. Of one file the later row wins, of two the newer file's."""
        confirmed = Confirmed(self._plan, using=self._using)
        collected = self._plan.scope.collected_at.strftime(STAMP)
        same_file = settled["file_id"] == self._plan.file_id
        older = (settled["collected_at"] < collected) & ~confirmed.holds(settled["record_key"])
        judged = settled.select("record_key", repeats=same_file, wins=same_file | older)
        against = moved.join(judged, on="record_key", how="left", maintain_order="left")
        free = against.filter(pl.col("wins").is_null()).drop("repeats", "wins")
        over = against.filter(pl.col("wins").fill_null(value=False))
        lost = against.filter(pl.col("wins").is_not_null())["old_key"].to_list()
        parked = {old: new for old, new in parked.items() if old not in set(lost)}  # they are deleted before
        return _Verdict(free, over.drop("repeats", "wins"), lost, int(over["repeats"].sum()), parked, gone)

    def _update(self, mine: pl.DataFrame, over: pl.DataFrame) -> None:
        amounts = [str(column.field) for column in self._plan.columns if column.order_level]
        if self._placed:
            mine = said_once(mine, amounts)
        own, shared = mine.filter("own"), pl.concat([mine.filter(~pl.col("own")), over])
        for loader, rows in ((self._own, own), (self._shared, shared)):
            if rows.is_empty():
                continue
            loader.begin()
            once = once_in_file(rows, amounts, otherwise=self._plan.cleared) if self._placed else left_alone
            loader.update_retyped(rows, apart=self._together.apart, to_own=once)


def _parked(key: str, file_id: int, row: int) -> str:
    return (PARKED + hashlib.sha256(f"{key} {file_id} {row}".encode()).hexdigest())[:32]
