"""The loader of a dry run: judges every row as the real one would at this moment, and writes nothing.

What the file would have written so far lies over the table in memory (``Overlay``). It takes no lock: it belongs inside
``read_only``, where the table does not move under it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import polars as pl

from datasync.ingest.load.loader import Loader, Stored
from datasync.ingest.load.overlay import Overlay
from datasync.ingest.load.rejects import Rejects
from datasync.ingest.load.samples import INSERTED, MOST_SAMPLES, STALE, UNCHANGED, UPDATED, SampleRow, Samples
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
        self._samples: Samples | None = None
        self._batch = pl.DataFrame()

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

    def classify(self, rows: pl.DataFrame) -> Stored:
        """Compare with the table as this file would have left it so far."""
        return Stored(self._written.over(self._real.classify(rows).frame, rows))

    def insert(self, rows: pl.DataFrame) -> None:
        """Remember what would be inserted."""
        self._take(INSERTED, rows)
        self._written.write(rows)

    def update(self, rows: pl.DataFrame) -> None:
        """Remember what would be overwritten, which may be rows that this file itself brought."""
        others = self._samples.overwrite(rows) if self._samples else rows
        earlier = self._written.holds(others["record_key"])
        self._take(UPDATED, others.filter(~others["record_key"].is_in(earlier)))
        self._written.write(rows)

    def finish(self) -> Counts:
        """The counts; what was confirmed is not kept."""
        return self.counts

    def _load_distinct(self, rows: pl.DataFrame) -> None:
        self._batch = rows
        super()._load_distinct(rows)

    def _judge(self, known: pl.DataFrame, keys: pl.Series) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
        unchanged, stale, changed = super()._judge(known, keys)
        self._take(UNCHANGED, self._batch[unchanged])
        self._take(STALE, self._batch[stale])
        return unchanged, stale, changed

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

    def keep(self, rejected: list[RejectedRow]) -> None:
        """Count the rows and keep the first of them in memory."""
        self.samples += rejected[: MOST_SAMPLES - len(self.samples)]
        self.count += len(rejected)
        for row in rejected:
            self.by_reason.update({code for _, code, _ in row.reasons})
