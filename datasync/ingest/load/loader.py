"""One interface, two implementations: what a loader does with the batches of one file inside one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
from django.db import transaction

from datasync.ingest.load import seen
from datasync.ingest.load.amounts import Amounts, Brought, Leaving, said_flags, said_of, settle
from datasync.ingest.load.confirmed import Confirmed, save_confirmed
from datasync.ingest.load.moved import give_up
from datasync.ingest.load.seen import Seen
from datasync.ingest.load.table import Table, table_of
from datasync.ingest.plan import Counts, Plan


@dataclass(frozen=True, slots=True)
class Stored:
    """What the table holds for the keys of a batch that it knows, one row for each known key.

    ``at``: position in the batch; ``same``: the content is equal; ``newer`` / ``older``: the stored row was collected
    after / before this file; ``content_hash``: what is stored.
    """

    frame: pl.DataFrame


class Loader(ABC):
    """Loads the batches of one file in one transaction.

    ``streams`` says whether batches may be loaded while later ones are still being read: where one writer keeps all
    others out, the transaction must be short, so everything is prepared first.
    """

    streams: ClassVar[bool]

    def __init__(self, plan: Plan, using: str) -> None:
        self.plan = plan
        self.using = using
        self.counts = Counts()
        self._seen = Seen()
        self._confirming: list[pl.Series] = []
        self._late: Confirmed | None = None
        self._before: dict[str, str] = {}  # content that this file's updates replaced
        self._left: dict[str, str] = {}  # content of lines before they gave up amounts to this file's
        self._ends: dict[str, int] = {}  # what became in the end of keys that came again, where that changed
        self._said_again: dict[str, Amounts] = {}  # amounts of orders that were written when keys came again

    def transaction(self) -> AbstractContextManager[Any]:
        """The transaction around all that is written for the file."""
        return transaction.atomic(using=self.using)

    def begin(self) -> None:
        """Keep other files of the same platform, shop and domain out until the transaction ends."""
        self.table: Table = table_of(self.plan, now=self.lock())

    @abstractmethod
    def lock(self) -> str:
        """Take the lock of the plan's scope; return the transaction's time in UTC as text."""

    @abstractmethod
    def classify(self, rows: pl.DataFrame) -> Stored:
        """Compare keys and hashes with the table."""

    @abstractmethod
    def insert(self, rows: pl.DataFrame) -> None:
        """Insert rows whose keys the table does not hold."""

    @abstractmethod
    def update(self, rows: pl.DataFrame) -> None:
        """Overwrite rows whose keys the table holds.

        A blank amount of a whole order leaves the known one, ``moved.GIVEN_UP`` makes it NULL.
        """

    @abstractmethod
    def carriers(self, asked: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """The stored lines, as ``amounts.CARRIERS``, that have any of the amounts ``names`` of the orders ``asked``.

        ``asked`` has ``at``, ``record_key``, ``order_id``, and ``itself``: whether the line asked for is one of them.
        """

    @abstractmethod
    def take_away(self, leaving: Leaving) -> None:
        """Empty amounts in stored lines."""

    def load(self, rows: pl.DataFrame) -> None:
        """Load one batch of prepared rows and count what became of each."""
        if rows.is_empty():
            return
        distinct = rows
        if rows["record_key"].n_unique() < len(rows):
            distinct = rows.unique(subset="record_key", keep="last", maintain_order=True)
            self.counts.duplicates += len(rows) - len(distinct)
        if self._seen:
            distinct = self._load_repeated(distinct)
        if not distinct.is_empty():
            self._load_distinct(distinct)

    def _load_distinct(self, rows: pl.DataFrame) -> None:
        known = self.classify(rows).frame
        outcomes = pl.Series("outcome", [seen.INSERTED], dtype=pl.UInt8).new_from_index(0, len(rows))
        if known.is_empty():
            self.insert(rows)
            self.counts.inserted += len(rows)
            self._seen.add(rows["record_key"], outcomes)
            return
        keys = rows["record_key"]
        unchanged, stale, changed = self._judge(known, rows)
        for positions, outcome in ((unchanged, seen.UNCHANGED), (stale, seen.STALE), (changed["at"], seen.UPDATED)):
            outcomes = outcomes.scatter(positions, outcome)
        said = said_flags(rows, self.table.order_level)
        rows, still, changed = self._settled(rows, outcomes, changed)
        unchanged, outcomes = unchanged.append(still["at"]), outcomes.scatter(still["at"], seen.UNCHANGED)
        self._confirm(keys.gather(still.filter("older")["at"]))
        restored = changed.filter(rows["content_hash"].gather(changed["at"]) == changed["content_hash"])["at"]
        outcomes = outcomes.scatter(restored, seen.UNCHANGED)
        new = rows.filter(outcomes == seen.INSERTED)
        if not new.is_empty():
            self.insert(new)
        if not changed.is_empty():
            self.update(give_up(rows, self.table.order_level)[changed["at"]])
            self._before |= zip(keys.gather(changed["at"]), changed["content_hash"], strict=True)
        self.counts.inserted += len(new)
        self.counts.updated += len(changed) - len(restored)
        self.counts.unchanged += len(unchanged) + len(restored)
        self.counts.stale += len(stale)
        self._seen.add(keys, outcomes, said)

    def _judge(self, known: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
        """Of ``rows`` that were there before this file: positions of unchanged and of stale ones, and the changed ones
        with what they replace.
        """
        keys, same = rows["record_key"], known.filter("same")
        self._confirm(keys.gather(same.filter("older")["at"]))
        differing = known.filter(~pl.col("same"))
        if differing.is_empty():
            return same["at"], differing["at"], differing
        stale = differing["newer"] | self._confirmed_later(keys.gather(differing["at"]))
        return same["at"], differing.filter(stale)["at"], differing.filter(~stale)

    def _confirm(self, keys: pl.Series) -> None:
        if len(keys):
            self._confirming.append(keys)

    def _confirmed_later(self, keys: pl.Series) -> pl.Series:
        if self._late is None:
            self._late = Confirmed(self.plan, using=self.using)
        return self._late.holds(keys)

    def _settled(
        self, rows: pl.DataFrame, outcomes: pl.Series, changed: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """``rows`` with each amount of an order on one line, which stored lines have given up where it moves here.

        Also those of ``changed`` that are stored like this already, and the others, with what they replace.
        """
        names = self.table.order_level
        brought = Brought(lambda keys: said_of(keys, self._seen, names), self._confirmed_later, self._left)
        settled = settle(rows, names, outcomes=outcomes, changed=changed, look_up=self.carriers, brought=brought)
        for leaving in settled.leaving:
            self.take_away(leaving)
            for key, content in leaving.contents.items() if leaving.mark else ():
                self._left.setdefault(key, content)
        if self._left:
            keys, stored = rows["record_key"].gather(changed["at"]), changed["content_hash"]
            changed = changed.with_columns(keys.replace_strict(self._left, default=stored).alias("content_hash"))
        stays = changed["at"].is_in(settled.still)
        return settled.rows, changed.filter(stays), changed.filter(~stays)

    def update_retyped(self, rows: pl.DataFrame) -> None:
        """Overwrite stored rows of the file that were typed again, each amount of an order on one line."""
        updated = pl.Series([seen.UPDATED], dtype=pl.UInt8).new_from_index(0, len(rows))
        nothing = pl.DataFrame(schema={"at": pl.UInt32, "content_hash": pl.String})
        brought = Brought(lambda _: {}, self._confirmed_later, own_stay=True)
        names = self.table.order_level
        settled = settle(rows, names, outcomes=updated, changed=nothing, look_up=self.carriers, brought=brought)
        for leaving in settled.leaving:
            self.take_away(leaving)
        self.update(settled.rows)

    def _load_repeated(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Deal with the keys that an earlier batch of this file has brought; return the others."""
        earlier = self._seen.outcomes(rows["record_key"])
        again = earlier.is_not_null()
        if not again.any():
            return rows
        self.counts.duplicates += int(again.sum())
        self._load_again(rows.filter(again), earlier.filter(again))
        return rows.filter(~again)

    def _load_again(self, rows: pl.DataFrame, earlier: pl.Series) -> None:
        """The last one wins; the row counts as what it is in the end, compared with before this file.

        Rows that this file has written are overwritten; the others are judged as if they came for the first time.
        """
        keys = rows["record_key"].to_list()
        before = [self._ends.get(key, outcome) for key, outcome in zip(keys, earlier, strict=True)]
        written = pl.Series([outcome in seen.WRITTEN or key in self._before
                             for key, outcome in zip(keys, before, strict=True)], dtype=pl.Boolean)  # fmt: skip
        known = self.classify(rows).frame
        own = known.filter(written.gather(known["at"]) & ~known["same"])
        unchanged, stale, changed = self._judge(known.filter(~written.gather(known["at"])), rows)
        outcomes = pl.Series([seen.UNCHANGED], dtype=pl.UInt8).new_from_index(0, len(rows)).scatter(stale, seen.STALE)
        writing = pl.concat([own, changed])
        rows, still, writing = self._settled(rows, outcomes.scatter(writing["at"], seen.UPDATED), writing)
        own, changed = (writing.filter(writing["at"].is_in(part["at"].implode())) for part in (own, changed))
        unchanged = unchanged.append(still["at"].filter(~written.gather(still["at"])))
        overwritten = writing["at"]
        if len(overwritten):
            self.update(give_up(rows, self.table.order_level)[overwritten])
            self._say_again(rows[overwritten])
        self._before |= {keys[at]: replaced for at, replaced in changed.select("at", "content_hash").rows()}
        ends = dict.fromkeys(unchanged, seen.UNCHANGED) | dict.fromkeys(stale, seen.STALE)
        ends |= dict.fromkeys(changed["at"], seen.UPDATED) | self._ends_of(rows, own["at"])
        for at, outcome in ends.items():
            if outcome != before[at]:
                self._recount(before[at], -1)
                self._recount(outcome, 1)
                self._ends[keys[at]] = outcome

    def _ends_of(self, rows: pl.DataFrame, overwritten: pl.Series) -> dict[int, int]:
        """What became of rows that this file has written and now overwrites; of inserted ones nothing else.

        One that is again as it was before the file is unchanged, unless it is blank where the file has written an
        amount of its order in between: a blank does not undo that.
        """
        names = sorted(self.table.order_level - self.table.replaced)
        again = rows[overwritten]
        first = said_of(again["record_key"], self._seen, self.table.order_level) if names else {}
        ends: dict[int, int] = {}
        for at, row in zip(
            overwritten, again.select("record_key", "content_hash", *names).rows(named=True), strict=True
        ):
            key = row["record_key"]
            if key in self._before:
                said = first.get(key, frozenset()) | self._said_again.get(key, frozenset())
                undone = not any(row[name] is None for name in names if name in said)
                ends[at] = seen.UNCHANGED if self._before[key] == row["content_hash"] and undone else seen.UPDATED
        return ends

    def _say_again(self, rows: pl.DataFrame) -> None:
        names = sorted(self.table.order_level)
        for key, *values in rows.select("record_key", *names).iter_rows() if names else ():
            said = {name for name, value in zip(names, values, strict=True) if value is not None}
            self._said_again[key] = self._said_again.get(key, frozenset()) | said

    def _recount(self, outcome: int, difference: int) -> None:
        name = seen.NAMES[outcome]
        setattr(self.counts, name, getattr(self.counts, name) + difference)

    def finish(self) -> Counts:
        """Keep what was confirmed, and return the counts of loaded rows."""
        if self._confirming:
            save_confirmed(self.plan, self._confirming, using=self.using, collected_at=self.plan.scope.collected_at)
        return self.counts
