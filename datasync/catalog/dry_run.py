"""What a sync of a file would do at this moment: the same way as a sync, with nothing written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.at_hand import at_hand
from datasync.catalog import selectors
from datasync.catalog.after import state_after
from datasync.catalog.services import look_again, verify_unchanged
from datasync.choices import FileState
from datasync.exceptions import NeedsDescription, SyncError, TooLargeToRehearse
from datasync.ingest.plan import Counts
from datasync.mapping import services as mapping
from datasync.mapping.services import SyncOptions
from datasync.models import CatalogFile
from datasync.remarks import Remark
from datasync.spreadsheets import storable

if TYPE_CHECKING:
    from datasync.ingest.load.samples import SampleRow
    from datasync.ingest.plan import RejectedRow

OUTCOMES = ("inserted", "updated", "unchanged", "stale", "quarantined")
"""What a row may come to that is shown by samples."""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a sync would come to.

    ``state`` is the file's afterwards. ``error`` is the stored form of that with which the sync would end; ``counts``
    are zero then, as they would be. ``samples`` holds, for each outcome, at most 20 rows as
    plain values.
    """

    file_id: int
    file_name: str
    state: FileState
    error: dict[str, Any] | None = None
    counts: Counts = field(default_factory=Counts)
    warnings: tuple[Remark, ...] = ()
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    template_id: int | None = None
    period_start: date | None = None
    period_end: date | None = None
    headers: tuple[str, ...] = ()
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {outcome: [] for outcome in OUTCOMES})


def dry_run(
    *,
    file_id: int,
    sight: Sight,
    only_with_template: bool = True,
    allow_quarantine: bool = True,
    use_template_header_row: bool = True,
    most_bytes: int | None = None,
    most_seconds: float | None = None,
    on_progress: Callable[[Counts], None] = lambda _counts: None,
) -> DryRun:
    """Rehearse the sync of a file in a read-only transaction; it waits for nobody, and nobody for it.

    An error that would end the sync is part of the answer. Raises ``FileNotFound``, ``TooLargeToRehearse`` above
    ``most_bytes`` or after ``most_seconds`` (a few bytes of a workbook may be a million rows), and errors that would
    only have the sync tried again. For whoever is limited to shops a file without one is not described enough.
    """
    from datasync.ingest.load.read_only import read_only  # noqa: PLC0415 - brings polars along

    if most_seconds is not None:
        on_progress = _in_time(on_progress, most_seconds)
    options = SyncOptions(
        only_with_template=only_with_template, use_template_header_row=use_template_header_row, keep_header=False
    )
    with read_only():
        file = selectors.file_by_id(file_id, sight=sight)
        if most_bytes is not None and file.size > most_bytes:
            raise TooLargeToRehearse(found=_megabytes(file.size), limit=_megabytes(most_bytes))
        if file.state == FileState.NEEDS_DESCRIPTION:
            return _ended(file, FileState.NEEDS_DESCRIPTION, file.last_error or NeedsDescription().document)
        if not sight.may_load(file):
            return _ended(file, FileState.NEEDS_DESCRIPTION, NeedsDescription(missing="shop").document)
        try:
            return _rehearsed(file, options, allow_quarantine=allow_quarantine, on_progress=on_progress)
        except SyncError as error:
            if not error.permanent or isinstance(error, TooLargeToRehearse):
                raise
            return _ended(file, state_after(error), error.document)


def _in_time(on_progress: Callable[[Counts], None], seconds: float) -> Callable[[Counts], None]:
    """``on_progress`` that ends the rehearsal when its time, which runs from now on, is over."""
    deadline = time.monotonic() + seconds

    def checked(counts: Counts) -> None:
        if time.monotonic() > deadline:
            found = _("more than %(seconds)s s of work") % {"seconds": f"{seconds:g}"}
            raise TooLargeToRehearse(found=found, limit=f"{seconds:g} s")
        on_progress(counts)

    return checked


def _rehearsed(
    file: CatalogFile, options: SyncOptions, *, allow_quarantine: bool, on_progress: Callable[[Counts], None]
) -> DryRun:
    from datasync.ingest.load.outcome import file_state  # noqa: PLC0415
    from datasync.ingest.read import reader  # noqa: PLC0415
    from datasync.ingest.rehearse import rehearse  # noqa: PLC0415

    with at_hand(file):
        verify_unchanged(file, file.content_sha256)
        if not file.format:
            look_again(file, save=False)
        with reader().open(mapping.prepare_read(file, options)) as sheet:
            resolved = mapping.bind(file, sheet.info, options)
            found = rehearse(
                sheet=sheet, plan=resolved.plan, allow_quarantine=allow_quarantine, on_progress=on_progress
            )
            verify_unchanged(file, file.content_sha256)  # again: it may have been replaced while it was being read
    error = found.refused
    return DryRun(
        file_id=file.pk,
        file_name=file.original_name,
        state=state_after(error) if error else file_state(found.counts, discarded=found.discarded),
        error=error.document if error else None,
        counts=found.counts,
        warnings=() if error else (*resolved.warnings, *found.warnings),
        rejected_by_reason=found.rejected_by_reason,
        template_id=resolved.template_id,
        period_start=found.period[0],
        period_end=found.period[1],
        headers=tuple(storable(text) for text in sheet.info.header),
        samples={
            outcome: [_rejected(row) for row in found.rejected]
            if outcome == "quarantined"
            else [_loaded(row) for row in found.samples.get(outcome, ())]
            for outcome in OUTCOMES
        },
    )


def _ended(file: CatalogFile, state: FileState, error: dict[str, Any]) -> DryRun:
    return DryRun(file_id=file.pk, file_name=file.original_name, state=state, error=error)


def _loaded(row: SampleRow) -> dict[str, Any]:
    return {
        "sheet_row": row.sheet_row,
        "identity": {name: _shown(value) for name, value in row.identity.items()},
        "values": {name: _shown(value) for name, value in row.values.items()},
        "differences": [
            {
                "field": one.field,
                "header": storable(one.header),
                "stored": _shown(one.stored),
                "new": _shown(one.new),
            }
            for one in row.differences
        ],
    }


def _rejected(row: RejectedRow) -> dict[str, Any]:
    return {
        "sheet_row": row.row,
        "reasons": [
            {"header": storable(header), "code": code, "value": storable(value)} for header, code, value in row.reasons
        ],
        "cells": [_shown(cell) for cell in row.values],
    }


def _shown(value: str | int | None) -> str | int | None:
    return storable(value) if isinstance(value, str) else value


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB"
