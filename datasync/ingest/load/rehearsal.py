"""The loader of a dry run: judges every row as the real one would at this moment, and writes nothing.

What the file would have written so far lies over the table in memory (``Overlay``). It takes no lock: it belongs inside
``read_only``, where the table does not move under it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from datasync.ingest.load.amounts import marked
from datasync.ingest.load.loader import Loader, Stored
from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.orders import Asked
from datasync.ingest.load.overlay import Overlay
from datasync.ingest.load.rejects import Rejects
from datasync.ingest.load.samples import INSERTED, MOST_SAMPLES, STALE, UNCHANGED, UPDATED, SampleRow, Samples
from datasync.ingest.load.sides import Leaving
from datasync.ingest.load.table import STAMP
from datasync.ingest.load.vendors import loader_for
from datasync.ingest.plan import Counts, Plan, RejectedRow


class Rehearsal(Loader):
    """The loader of the database behind ``using``, without its writes."""

    streams = True

    def __init__(self, plan: Plan, using: str = "default") -> None:
        super().__init__(plan, using)
        self._real = loader_for(plan, using=using)
        self._written = Overlay()
        self._taken: dict[str, set[str]] = defaultdict(set)  # amounts of stored lines that are on others by now
        self._marked: set[str] = set()  # those of the lines whose content would be marked
        self._samples: Samples | None = None

    @property
    def samples(self) -> dict[str, list[SampleRow]]:
        """Some rows of each outcome; nothing for a file without rows."""
        return self._samples.result() if self._samples else {}

    def transaction(self) -> AbstractContextManager[Any]:
        """None of its own: the one that must be around it writes nothing."""
        return nullcontext()

    def begin(self) -> None:
        """Get ready; other files are not kept out."""
        super().begin()
        self._real.table = self.table
        self._samples = Samples(self.plan, self.table, using=self.using)

    def lock(self) -> str:
        """No lock; the present time."""
        return datetime.now(UTC).strftime(STAMP)

    def classify(self, rows: pl.DataFrame, asked: Asked | None = None) -> Stored:
        """Compare with the table as this file would have left it so far. The file's own lines are no other lines."""
        stored = self._real.classify(rows, asked)
        known = self._written.over(stored.frame, rows)
        return replace(stored, frame=self._with_marks(known, rows) if self._marked else known)

    def insert(self, rows: pl.DataFrame) -> None:
        """Remember what would be inserted."""
        self._take(INSERTED, rows)
        self._write(rows)

    def update(self, rows: pl.DataFrame) -> None:
        """Remember what would be overwritten, which may be rows that this file itself brought."""
        rows = self._without_taken(rows) if self._taken else rows
        others = self._samples.overwrite(rows) if self._samples else rows
        earlier = self._written.holds(others["record_key"])
        self._take(UPDATED, others.filter(~others["record_key"].is_in(earlier)))
        self._write(rows)

    def carriers(self, asked: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """Those of the table, without what they would have given up by now."""
        found = self._real.carriers(asked, names)
        keys = found["record_key"]
        gone = {name: [key for key, taken in self._taken.items() if name in taken] for name in names}
        return found.with_columns((found[name] & ~keys.is_in(given)).alias(name) for name, given in gone.items())

    def take_away(self, leaving: Leaving) -> None:
        """Remember what stored lines would give up."""
        for key in leaving.contents:
            self._taken[key] |= leaving.amounts
        self._marked.update(leaving.contents if leaving.mark else ())
        if self._samples:
            self._samples.give_up(leaving.contents, leaving.amounts)

    def finish(self) -> Counts:
        """The counts; what was confirmed is not kept."""
        return self.counts

    def _judge(self, known: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
        unchanged, stale, changed = super()._judge(known, rows)
        self._take(UNCHANGED, rows[unchanged])
        self._take(STALE, rows[stale])
        return unchanged, stale, changed

    def _settled(
        self, rows: pl.DataFrame, outcomes: pl.Series, changed: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        rows, still, changed = super()._settled(rows, outcomes, changed)
        self._take(UNCHANGED, rows[still["at"]])
        return rows, still, changed

    def _write(self, rows: pl.DataFrame) -> None:
        self._written.write(rows)
        if self._taken:
            for key in self._taken.keys() & set(rows["record_key"]):
                del self._taken[key]
            self._marked -= set(rows["record_key"])

    def _without_taken(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` that say of blank amounts which stored lines would have given up that these are no more."""
        keys = rows["record_key"]
        taken = {key: self._taken[key] for key in self._taken.keys() & set(keys)}
        for name in sorted(set().union(*taken.values())):
            lost = keys.is_in([key for key, names in taken.items() if name in names])
            rows = rows.with_columns(pl.when(pl.lit(lost)).then(pl.col(name).fill_null(GIVEN_UP)).otherwise(name))
        return rows

    def _with_marks(self, known: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """What the table would hold, with the contents of lines that would have given up amounts marked."""
        keys, hashes = rows["record_key"].gather(known["at"]), rows["content_hash"].gather(known["at"])
        stored = known["content_hash"].zip_with(~known["same"], hashes)
        contents = stored.zip_with(~keys.is_in(list(self._marked)), marked(stored))
        return known.with_columns(contents.alias("content_hash"), (contents == hashes).alias("same"))

    def _take(self, outcome: str, rows: pl.DataFrame) -> None:
        if self._samples:
            self._samples.take(outcome, rows)


class RehearsedRejects(Rejects):
    """The quarantine of a dry run: counts, reasons and the first rows; what is stored stays as it is."""

    def __init__(self, plan: Plan, *, using: str = "default") -> None:
        super().__init__(plan, item_id=None, template_id=None, using=using)
        self.samples: list[RejectedRow] = []

    def clear(self) -> None:
        """Nothing is removed."""

    def _store(self, rejected: list[RejectedRow], _corrections: list[dict[str, Any] | None], /) -> None:
        """Keep the first of the rows in memory."""
        self.samples += rejected[: MOST_SAMPLES - len(self.samples)]
