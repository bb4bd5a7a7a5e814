"""The way of one file without a trace: prepared, judged and counted as a sync would, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from datasync.exceptions import QuarantineRefused
from datasync.ingest.load.rehearsal import Rehearsal, RehearsedRejects
from datasync.ingest.load.samples import SampleRow
from datasync.ingest.pipeline import carry
from datasync.ingest.plan import Counts, Plan, RejectedRow, Sheet
from datasync.remarks import Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What would become of a file's rows. Where the file would be refused, nothing would be counted."""

    counts: Counts = field(default_factory=Counts)
    rejected_by_reason: dict[str, int]
    samples: dict[str, list[SampleRow]]
    rejected: list[RejectedRow]
    period: tuple[date | None, date | None] = (None, None)
    discarded: int = 0
    warnings: tuple[Remark, ...] = ()
    refused: QuarantineRefused | None = None


def rehearse(
    *,
    sheet: Sheet,
    plan: Plan,
    allow_quarantine: bool,
    on_progress: Callable[[Counts], None] = lambda _: None,
    using: str = "default",
) -> Rehearsed:
    """What ``ingest`` would do with an open sheet at this moment. Belongs inside ``load.read_only``.

    Raises a ``FileError`` when the rest of the sheet cannot be read. Holds at most 20 bytes for each row and 32 for
    each that would be written.
    """
    loader, rejects = Rehearsal(plan, using), RehearsedRejects(plan, using=using)
    try:
        result = carry(
            sheet, loader=loader, rejects=rejects, allow_quarantine=allow_quarantine, on_progress=on_progress
        )
    except QuarantineRefused as error:
        return Rehearsed(
            rejected_by_reason=dict(rejects.by_reason), samples={}, rejected=rejects.samples, refused=error
        )
    return Rehearsed(
        counts=result.counts,
        rejected_by_reason=result.rejected_by_reason,
        samples=loader.samples,
        rejected=rejects.samples,
        period=result.period,
        discarded=result.discarded,
        warnings=tuple(result.warnings),
    )
