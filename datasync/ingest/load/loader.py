"""One interface, two implementations: what a loader does with the batches of one file inside one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
from django.db import transaction

from datasync.ingest.load import seen
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
        unchanged, stale, changed = self._judge(known, keys)
        for positions, outcome in ((unchanged, seen.UNCHANGED), (stale, seen.STALE), (changed["at"], seen.UPDATED)):
            outcomes = outcomes.scatter(positions, outcome)
        new = rows.filter(outcomes == seen.INSERTED)
        if not new.is_empty():
            self.insert(new)
        if not changed.is_empty():
            self.update(give_up(rows, self.table.order_level)[changed["at"]])
            self._before |= zip(keys.gather(changed["at"]), changed["content_hash"], strict=True)
        self.counts.inserted += len(new)
        self.counts.updated += len(changed)
        self.counts.unchanged += len(unchanged)
        self.counts.stale += len(stale)
        self._seen.add(keys, outcomes)

    def _judge(self, known: pl.DataFrame, keys: pl.Series) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
        """Positions of unchanged and of stale rows, and the changed ones with what they replace."""
        same = known.filter("same")
        confirming = keys.gather(same.filter("older")["at"])
        if len(confirming):
            self._confirming.append(confirming)
        differing = known.filter(~pl.col("same"))
        if differing.is_empty():
            return same["at"], differing["at"], differing
        if self._late is None:
            self._late = Confirmed(self.plan, using=self.using)
        stale = differing["newer"] | self._late.holds(keys.gather(differing["at"]))
        return same["at"], differing.filter(stale)["at"], differing.filter(~stale)

    def _load_repeated(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Deal with the keys that an earlier batch of this file has brought; return the others."""
        earlier = self._seen.outcomes(rows["record_key"])
        if earlier.null_count() == len(rows):
            return rows
        repeated = rows.filter(earlier.is_not_null() & (earlier != seen.STALE).fill_null(value=False))
        self.counts.duplicates += len(rows) - earlier.null_count()
        if not repeated.is_empty():
            self._overwrite(repeated, earlier.filter(earlier.is_not_null() & (earlier != seen.STALE)))
        return rows.filter(earlier.is_null())

    def _overwrite(self, rows: pl.DataFrame, earlier: pl.Series) -> None:
        """The last one wins; the row counts as what it is in the end, compared with before this file."""
        known = self.classify(rows).frame.filter(~pl.col("same"))
        if known.is_empty():
            return
        self.update(give_up(rows, self.table.order_level)[known["at"]])
        keys, hashes = rows["record_key"].gather(known["at"]), rows["content_hash"].gather(known["at"])
        outcomes = earlier.gather(known["at"])
        for key, new, old, outcome in zip(keys, hashes, known["content_hash"], outcomes, strict=True):
            if outcome == seen.UNCHANGED and key not in self._before:
                self._before[key] = old
                self.counts.unchanged -= 1
                self.counts.updated += 1
            elif key in self._before and self._before[key] == new:
                self.counts.updated -= 1
                self.counts.unchanged += 1
                del self._before[key]

    def finish(self) -> Counts:
        """Keep what was confirmed, and return the counts of loaded rows."""
        if self._confirming:
            save_confirmed(self.plan, self._confirming, using=self.using, collected_at=self.plan.scope.collected_at)
        return self.counts
