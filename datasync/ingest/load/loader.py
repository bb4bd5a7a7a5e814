"""One interface, two implementations: what a loader does with the batches of one file inside one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
from django.db import transaction

from datasync.ingest.load import seen
from datasync.ingest.load.amounts import MARK, settle
from datasync.ingest.load.confirmed import Confirmed, forget_confirmed, save_confirmed
from datasync.ingest.load.moved import give_up
from datasync.ingest.load.orders import Asked, EmptyScopes
from datasync.ingest.load.repeats import Repeats
from datasync.ingest.load.seen import Seen, said_flags, said_of
from datasync.ingest.load.sides import Brought, Leaving, ToOwn, left_alone
from datasync.ingest.load.table import Table, table_of
from datasync.ingest.plan import Counts, Plan


@dataclass(frozen=True, slots=True)
class Stored:
    """What the table holds for the keys of a batch that it knows, in ``frame``, one row for each known key.

    ``at``: position in the batch; ``same``: the content is equal; ``newer`` / ``older``: the stored row was collected
    after / before this file; ``content_hash``: what is stored. ``scopes`` and ``orders`` answer what was asked besides:
    which scopes are stored, and whether lines with amounts of the orders are, which is told where no key is known.
    """

    frame: pl.DataFrame
    scopes: frozenset[str] = frozenset()
    orders: bool = False


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
        self._empty = EmptyScopes()
        self._repeats = Repeats(self._seen, self.counts)
        self._left: dict[str, str] = {}  # content of lines before they gave up amounts to this file's

    def transaction(self) -> AbstractContextManager[Any]:
        """The transaction around all that is written for the file."""
        return transaction.atomic(using=self.using)

    def begin(self) -> None:
        """Keep other files of the same platform, shop and domain out until the transaction ends.

        What is known of other files from an earlier transaction is forgotten.
        """
        self.table: Table = table_of(self.plan, now=self.lock())
        self._empty, self._late = EmptyScopes(), None

    @abstractmethod
    def lock(self) -> str:
        """Take the lock of the plan's scope; return the transaction's time in UTC as text."""

    @abstractmethod
    def classify(self, rows: pl.DataFrame, asked: Asked | None = None) -> Stored:
        """Compare keys and hashes with the table, and find out what else is ``asked``, in one statement."""

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
        asked = self._empty.ask(rows, self.table.order_level)
        stored = self.classify(rows, asked)
        self._empty.learn(asked, stored.scopes)
        known = stored.frame
        outcomes = pl.Series("outcome", [seen.INSERTED], dtype=pl.UInt8).new_from_index(0, len(rows))
        if known.is_empty() and not stored.orders:
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
            self._repeats.replace(keys.gather(changed["at"]), changed["content_hash"])
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

    def update_retyped(
        self,
        rows: pl.DataFrame,
        *,
        apart: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame],
        to_own: ToOwn = left_alone,
    ) -> None:
        """Overwrite stored rows of the file that were typed again, each amount of an order on one line.

        ``rows`` have in addition ``old_hash``, the content that is stored. ``apart`` leaves out of ``carriers`` those
        that stay whatever the rows say; ``to_own`` tells of the file's own.
        """

        def look_up(asked: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
            return apart(asked, self.carriers(asked, names))

        updated = pl.Series([seen.UPDATED], dtype=pl.UInt8).new_from_index(0, len(rows))
        nothing = pl.DataFrame(schema={"at": pl.UInt32, "content_hash": pl.String})
        gave_up = rows["old_hash"].str.starts_with(MARK).arg_true().to_list()
        brought = Brought(lambda _: {}, self._confirmed_later, own_stay=True, to_own=to_own, gave_up=gave_up)
        names = self.table.order_level
        settled = settle(rows, names, outcomes=updated, changed=nothing, look_up=look_up, brought=brought)
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
        before = self._repeats.so_far(keys, earlier)
        written = self._repeats.written(keys, before)
        known = self.classify(rows).frame
        own = known.filter(written.gather(known["at"]) & ~known["same"])
        unchanged, stale, changed = self._judge(known.filter(~written.gather(known["at"])), rows)
        outcomes = pl.Series([seen.UNCHANGED], dtype=pl.UInt8).new_from_index(0, len(rows)).scatter(stale, seen.STALE)
        writing = pl.concat([own, changed])
        rows, still, writing = self._settled(rows, outcomes.scatter(writing["at"], seen.UPDATED), writing)
        own, changed = (writing.filter(writing["at"].is_in(part["at"].implode())) for part in (own, changed))
        unchanged = unchanged.append(still["at"].filter(~written.gather(still["at"])))
        amounts = self.table.order_level
        if len(writing):
            self.update(give_up(rows, amounts)[writing["at"]])
            self._repeats.say(rows[writing["at"]], amounts)
        self._repeats.replace([keys[at] for at in changed["at"]], changed["content_hash"])
        ends = dict.fromkeys(unchanged, seen.UNCHANGED) | dict.fromkeys(stale, seen.STALE)
        ends |= dict.fromkeys(changed["at"], seen.UPDATED)
        ends |= self._repeats.overwritten(rows, own["at"], amounts=amounts, lasting=amounts - self.table.replaced)
        for at, outcome in ends.items():
            self._repeats.recount(keys[at], was=before[at], now=outcome)

    def finish(self) -> Counts:
        """Keep what was confirmed, in place of what the file confirmed before, and return the counts of loaded rows."""
        if self._confirming:
            save_confirmed(self.plan, self._confirming, using=self.using, collected_at=self.plan.scope.collected_at)
        elif self.plan.confirmed_before:
            forget_confirmed(self.plan, using=self.using)
        return self.counts
