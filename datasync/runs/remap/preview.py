"""What a remap would do, seen in a sample of the rows concerned; nothing is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from datasync.access import Sight
from datasync.exceptions import SyncError
from datasync.ingest.load.read_only import read_only
from datasync.ingest.load.samples import MOST_SAMPLES, UPDATED, SampleRow, Samples
from datasync.ingest.load.table import table_of
from datasync.models import CatalogFile
from datasync.runs.errors import error_document
from datasync.runs.remap.parts import CHUNK_ROWS, Line, StoredFile
from datasync.runs.remap.selection import Concerned, concerned, published_template

SAMPLE_ROWS = 20_000
_LEAST_ROWS = 200
"""So many rows of a file at least: fewer say little of it, and each file costs a look at its template."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file whose rows the template cannot type at all."""

    file_id: int
    file: str
    error: dict[str, object]


@dataclass(slots=True)
class RemapPreview:
    """``files`` and ``rows`` are all that is concerned; the other counts are of the ``rows_sampled``.

    ``merged``: rows that would become one with another row; ``quarantined``: rows that would be kept as they are and
    shown in quarantine, by reason.
    """

    template_id: int
    template: str
    files: int = 0
    rows: int = 0
    busy_file_ids: list[int] = field(default_factory=list)
    rows_sampled: int = 0
    updated: int = 0
    unchanged: int = 0
    merged: int = 0
    quarantined: int = 0
    quarantined_by_reason: dict[str, int] = field(default_factory=dict)
    refused_files: list[Refused] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)


def remap_preview(template_id: int, *, sight: Sight, sample: int = SAMPLE_ROWS) -> RemapPreview:
    """Type up to ``sample`` stored rows, spread over the files concerned, and count what would become of them.

    Raises ``TemplateNotFound``, ``TemplateNotInUse`` and ``LimitedToShops``.
    """
    sight.require_everything()
    template = published_template(template_id)
    preview = RemapPreview(template.pk, str(template))
    with read_only():
        found = list(concerned(template))
        preview.files, preview.rows = len(found), sum(one.rows for one in found)
        preview.busy_file_ids = [one.file_id for one in found if one.busy]
        waiting = _Waiting({one.file_id for one in found})
        for one, rows in _spread(found, sample):
            file = CatalogFile.objects.select_related("shop", "template").get(pk=one.file_id)
            try:
                _look(preview, file, rows, waiting)
            except SyncError as error:
                preview.refused_files.append(Refused(file.pk, file.original_name, error_document(error)))
    return preview


@dataclass(frozen=True, slots=True)
class _Waiting:
    """All files concerned are still to come, from their first row on."""

    file_ids: set[int]

    def __call__(self, file_ids: Collection[int]) -> dict[int, int]:
        return dict.fromkeys(self.file_ids.intersection(file_ids), 0)


def _spread(found: list[Concerned], sample: int) -> list[tuple[Concerned, int]]:
    """Files from all over the list, and how many rows of each, ``sample`` in all."""
    most = max(1, sample // _LEAST_ROWS)
    step = max(1, -(-len(found) // most))
    chosen = found[::step]
    shares: list[tuple[Concerned, int]] = []
    left = sample
    # The smallest files first: what they do not use of their share is for the larger ones.
    for number, one in enumerate(sorted(chosen, key=lambda one: one.rows)):
        share = min(one.rows, left // (len(chosen) - number), CHUNK_ROWS if len(chosen) > 1 else sample)
        left -= share
        shares.append((one, share))
    return [(one, share) for one, share in shares if share]


def _look(preview: RemapPreview, file: CatalogFile, wanted: int, waiting: _Waiting) -> None:
    stored = StoredFile(file, template_id=preview.template_id, waiting=waiting)
    after = 0
    while wanted > 0:
        rows = stored.chunk(after=after, limit=min(wanted, CHUNK_ROWS))
        if rows.is_empty():
            return
        after = int(rows["row"][-1])
        wanted -= len(rows)
        preview.rows_sampled += len(rows)
        for line, typed, part in stored.typed(rows):
            merged = line.merge.merged(typed, last_row=after)
            preview.unchanged += typed.unchanged
            preview.merged += merged
            preview.quarantined += len(typed.rejected)
            for code in (code for row in typed.rejected for code in {code for _, code, _ in row.reasons}):
                preview.quarantined_by_reason[code] = preview.quarantined_by_reason.get(code, 0) + 1
            preview.updated += len(part) - typed.unchanged - merged - len(typed.rejected)
            _sample(preview, line, pl.concat([typed.changed, typed.moved]))


def _sample(preview: RemapPreview, line: Line, changed: pl.DataFrame) -> None:
    """Show in the first of the changed rows what differs from what is stored, which may be under another key."""
    for plan, rows in (
        (line.merge.own_plan, changed.filter("own")),
        (line.stored_plan.plan, changed.filter(~pl.col("own"))),
    ):
        shown = rows.head(MOST_SAMPLES - len(preview.samples))
        if not shown.is_empty():
            samples = Samples(plan, table_of(plan, now=""), using="default")
            samples.take(UPDATED, shown.with_columns(record_key="old_key"))
            preview.samples += samples.result()[UPDATED]
