"""The stored rows of a file in parts, each typed again under the plan of how it was loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from datasync.ingest.load.stored import Merge, StoredRows, Waiting, Whose
from datasync.ingest.plan import Counts, RejectedRow
from datasync.ingest.prepare import Preparer
from datasync.ingest.prepare.batches import last_order
from datasync.ingest.prepare.stored import stored_cells
from datasync.ingest.retype import Retyped, retyped
from datasync.mapping.stored_plan import Described, StoredPlan, StoredPlans, as_moment
from datasync.models import CatalogFile
from datasync.runs.remap.first_lines import PlacedLines

CHUNK_ROWS = 9_000
_USUAL_ORDER = 200
"""Few orders have more lines."""


@dataclass(slots=True)
class Line:
    """What all rows of a file that were loaded alike share: their plan, and what typing and writing remember."""

    stored_plan: StoredPlan
    preparer: Preparer
    merge: Merge

    def typed(self, rows: pl.DataFrame) -> Retyped:
        """The rows typed again."""
        return retyped(rows, self.preparer, settled=self.stored_plan.settled)


@dataclass(slots=True)
class Written:
    """What became of a chunk of these sheet rows.

    ``rejected`` are those that were not, each with the context that is stored. ``accepted`` are the rows that were
    read: ``row``, ``raw``, ``line_ordinal`` and ``stored_context`` as they are stored, and what ``Retyped.accepted``
    says of them.
    """

    first_row: int
    last_row: int
    counts: Counts = field(default_factory=Counts)
    rejected: list[tuple[Line, RejectedRow, str | None]] = field(default_factory=list)
    accepted: list[tuple[Line, pl.DataFrame]] = field(default_factory=list)


class StoredFile:
    """One file's stored rows under a template; to be read in sheet order, inside the caller's transactions."""

    def __init__(self, file: CatalogFile, *, template_id: int, waiting: Waiting, using: str = "default") -> None:
        self._plans = StoredPlans(file, template_id=template_id)
        self._waiting = waiting
        self._using = using
        self._lines: dict[Described, Line] = {}
        self._rows = StoredRows(_whose(file), using=using)

    def hold(self) -> None:
        """Keep loads of the file's scope out until the transaction ends."""
        if (line := self._any_line()) is not None:
            line.merge.hold()

    def chunk(self, *, after: int, until: int | None = None, limit: int | None = None) -> pl.DataFrame:
        """The next rows below a sheet row; an order that goes on below is left to the next chunk."""
        limit = limit or CHUNK_ROWS
        rows = self._rows.read(after=after, limit=limit, until=until)
        if rows.is_empty() or len(rows) < limit // 2:
            return rows
        begins = self._last_order(rows)
        above = rows if begins is None else rows.filter(pl.col("row") < begins)
        return rows if above.is_empty() else above

    def _last_order(self, rows: pl.DataFrame) -> int | None:
        """The sheet row in which the last order of the rows begins; None where that is above them."""
        described, part = self.parts(rows)[-1]
        line = self._line(described)
        column = line.preparer.order_column
        if column is None:
            return None
        for end in (part.tail(_USUAL_ORDER), part):  # reading cells costs more than looking twice at a few of them
            ids = stored_cells(end["raw"], width=len(line.stored_plan.plan.columns))[column]
            at = last_order(ids)
            if at and ids[:at].is_not_null().any():
                return int(end["row"][at])
        return None

    def parts(self, rows: pl.DataFrame) -> list[tuple[Described, pl.DataFrame]]:
        """The rows by how they were loaded; the part with the last row comes last."""
        found: list[tuple[Described, pl.DataFrame]] = []
        for part in rows.partition_by("header_set_id", "collected_at", maintain_order=True):
            header_set_id, collected_at = part["header_set_id"][0], as_moment(part["collected_at"][0])
            if self._plans.keep_period(header_set_id, collected_at):
                dated = part.partition_by("period_start", "period_end", maintain_order=True)
                found += [(Described(header_set_id, collected_at, _period(rows)), rows) for rows in dated]
            else:
                found.append((Described(header_set_id, collected_at), part))
        return sorted(found, key=lambda pair: int(pair[1]["row"][-1]))

    def typed(self, rows: pl.DataFrame) -> Iterator[tuple[Line, Retyped, pl.DataFrame]]:
        """The rows of a chunk typed again, part by part."""
        for described, part in self.parts(rows):
            line = self._line(described)
            yield line, line.typed(part), part

    def write(self, rows: pl.DataFrame) -> Written:
        """Type a chunk again and write it back."""
        written = Written(int(rows["row"][0]), int(rows["row"][-1]))
        parts = self.parts(rows)
        for number, (described, part) in enumerate(parts):
            line = self._line(described)
            typed = line.typed(part)
            still = [key for _, later in parts[number + 1 :] for key in later["record_key"]]
            counts, parked = line.merge.write(typed, last_row=written.last_row, still=still)
            written.counts.add(counts)
            written.rejected += [(line, row, part["context"][row.at]) for row in typed.rejected]
            stored = part.select("row", "raw", "line_ordinal", stored_context="context")[typed.accepted["at"]]
            written.accepted.append((line, pl.concat([stored, typed.accepted.drop("at")], how="horizontal")))
            if parked:
                renamed = pl.col("record_key").replace(parked)
                parts[number + 1 :] = [(told, later.with_columns(renamed)) for told, later in parts[number + 1 :]]
        return written

    def replay(self, *, until: int) -> None:
        """Remember what the rows up to a sheet row said of those below, without writing them again."""
        after = 0 if self.remembers else self._above(until)
        while not (rows := self.chunk(after=after, until=until)).is_empty():
            for described, part in self.parts(rows):
                self._line(described).typed(part)
            after = int(rows["row"][-1])

    def _above(self, until: int) -> int:
        """A sheet row from which on, down to ``until``, the whole of the last order lies."""
        line = self._any_line()
        if line is None or line.preparer.order_column is None:
            return until
        window = CHUNK_ROWS
        while (after := until - window) > 0:
            rows = self._rows.read(after=after, limit=window, until=until)
            if not rows.is_empty() and self._last_order(rows) is not None:
                return after
            window *= 2
        return 0

    @property
    def remembers(self) -> bool:
        """Whether rows far above say something of those below: on which line an order's amounts stand."""
        line = self._any_line()
        return line is not None and line.stored_plan.plan.totals_on_every_line

    def _any_line(self) -> Line | None:
        """How some of the rows were loaded: all have one template."""
        if not self._lines:
            first = self._rows.read(after=0, limit=1)
            if first.is_empty():
                return None
            return self._line(self.parts(first)[0][0])
        return next(iter(self._lines.values()))

    def _line(self, described: Described) -> Line:
        line = self._lines.get(described)
        if line is None:
            stored_plan = self._plans.of(described)
            line = self._lines[described] = Line(
                stored_plan,
                PlacedLines(stored_plan.plan) if stored_plan.placed else Preparer(stored_plan.plan),
                Merge(stored_plan.plan, waiting=self._waiting, placed=stored_plan.placed, using=self._using),
            )
        return line


def _whose(file: CatalogFile) -> Whose:
    domain, platform = file.domain, file.platform_id or ""
    return Whose(file.pk, domain, platform, file.sub_domain, file.granularity, file.shop_id)


def _period(rows: pl.DataFrame) -> tuple[date | None, date | None]:
    start, end = rows.select("period_start", "period_end").row(0)
    return (date.fromisoformat(start) if start else None, date.fromisoformat(end) if end else None)
