"""The way of one file: its batches are prepared and loaded, its refused rows kept, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from datasync.exceptions import QuarantineRefused
from datasync.ingest.load import Loader, Rejects, loader_for
from datasync.ingest.measure import Measure, Meter
from datasync.ingest.plan import Counts, Plan, Sheet
from datasync.ingest.prepare import Prepared, Preparer
from datasync.ingest.streams import ahead, collected
from datasync.remarks import Remark, RemarkCode


@dataclass(slots=True)
class IngestResult:
    """What became of a file's rows. ``measures`` says how complete the trusted ones are, by shop.

    ``discarded`` of the quarantined rows wait for nobody any more.
    """

    counts: Counts
    rejected_by_reason: dict[str, int]
    measures: dict[int | None, Measure]
    warnings: list[Remark] = field(default_factory=list)
    discarded: int = 0

    @property
    def period(self) -> tuple[date | None, date | None]:
        """First and last day that the trusted rows really cover."""
        whole = Measure()
        for measured in self.measures.values():
            whole.add(measured)
        return whole.period_start, whole.period_end


def ingest(
    *,
    sheet: Sheet,
    plan: Plan,
    item_id: int | None,
    template_id: int | None,
    allow_quarantine: bool,
    before_commit: Callable[[IngestResult], None],
    on_progress: Callable[[Counts], None] = lambda _: None,
    using: str = "default",
) -> IngestResult:
    """Load an open sheet. ``before_commit`` is the last thing done inside the transaction; raising undoes everything.

    Raises a ``FileError`` when the rest of the sheet cannot be read, ``QuarantineRefused`` when rows are refused and
    ``allow_quarantine`` is false; in both cases nothing was written.
    """
    return carry(
        sheet,
        loader=loader_for(plan, using=using),
        rejects=Rejects(plan, item_id=item_id, template_id=template_id, using=using),
        allow_quarantine=allow_quarantine,
        before_commit=before_commit,
        on_progress=on_progress,
    )


def carry(
    sheet: Sheet,
    *,
    loader: Loader,
    rejects: Rejects,
    allow_quarantine: bool,
    before_commit: Callable[[IngestResult], None] = lambda _: None,
    on_progress: Callable[[Counts], None] = lambda _: None,
) -> IngestResult:
    """``ingest`` with a loader and a quarantine that are given: the real ones, or those of a dry run."""
    plan = loader.plan
    meter = Meter(plan)
    prepared = _prepared(sheet, Preparer(plan, rejects.decided()), meter, on_progress)
    with closing(_parts(prepared, loader, sheet)) as parts:
        first = next(parts, None)  # the transaction, and with it the lock, begins when there is something to write
        with loader.transaction():
            counts, discarded = _load(loader, rejects, chain([first] if first else [], parts), on_progress)
            if rejects.count and not allow_quarantine:
                raise QuarantineRefused(count=rejects.count)
            warnings = [Remark(RemarkCode.NO_ROWS)] if counts.read == counts.totals else []
            if rejects.dropped:
                warnings.append(Remark(RemarkCode.CORRECTIONS_DROPPED, {"count": rejects.dropped}))
            result = IngestResult(counts, dict(rejects.by_reason), meter.measures, warnings, discarded)
            before_commit(result)
    return result


def _parts(prepared: Iterator[Prepared], loader: Loader, sheet: Sheet) -> Generator[Prepared, None, None]:
    """All parts. The first comes at once; a small file has no other, and needs no thread or folder to pass through."""
    first = next(prepared, None)
    if first is None:
        return
    if first.last:
        yield first
        return
    whole = chain([first], prepared)
    yield from ahead(whole, stop=sheet.cancel) if loader.streams else collected(whole)


def _prepared(
    sheet: Sheet, preparer: Preparer, meter: Meter, on_progress: Callable[[Counts], None]
) -> Iterator[Prepared]:
    """Prepare and measure: work that needs no database, so it is done outside the transaction or beside it."""
    read = 0
    for part in preparer.parts(sheet):
        meter.add(part.rows)
        read += part.read
        on_progress(Counts(read=read))
        yield part


def _load(
    loader: Loader, rejects: Rejects, parts: Iterator[Prepared], on_progress: Callable[[Counts], None]
) -> tuple[Counts, int]:
    """The file's books, and how many of its quarantined rows were discarded."""
    begun, discarded = Counts(), 0
    loader.begin()
    rejects.clear()
    for part in parts:
        rejects.keep(part.rejected)
        loader.load(part.rows)
        begun.add(books(part))
        discarded += part.discarded
        on_progress(_sum(begun, loader.counts))
    return _sum(begun, loader.finish()), discarded


def books(part: Prepared) -> Counts:
    """Where the rows of a part went that are not for the loader."""
    return Counts(read=part.read, quarantined=len(part.rejected) + part.discarded, totals=part.totals)


def _sum(*parts: Counts) -> Counts:
    total = Counts()
    for part in parts:
        total.add(part)
    return total
