"""The content that a file has now: which quarantined rows are of it, and which of its lines stand among the facts.

What is stored does not always say: a fact that a sync found unchanged is not written, so that nothing tells whether a
line of an earlier content is in this one too; and a line that a newer export has overtaken, before its sync or since,
leaves no trace. Where that matters the file itself is asked (``FileRows``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from datasync.choices import ITEM_SUCCEEDED, QuarantineState, TaskKind
from datasync.ingest.plan import Plan
from datasync.models import FACT_MODELS, CatalogFile, Fact, QuarantinedRow, SyncTaskFile
from datasync.quarantine.confirmed import confirmed_among
from datasync.quarantine.file_rows import FileRows


@dataclass(frozen=True, slots=True)
class Place:
    """The sheet row of a key, and whether the file has written its fact, or only confirmed what another one wrote.

    ``quarantined`` is the id of the released row that it was, 0 for a row that the sync has loaded.
    """

    row: int
    written: bool
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """``replaced``: the file has had another content before; ``overtaken``: newer exports were there before some lines.

    ``sheet`` is the file itself.
    """

    file_id: int
    sha256: str
    replaced: bool
    overtaken: bool
    sheet: FileRows

    @property
    def rows(self) -> Q:
        """Quarantined rows of this content."""
        of_file = Q(file_id=self.file_id)
        return of_file & Q(item__file_sha256=self.sha256) if self.replaced else of_file

    def taken(self, keys: Sequence[str], plan: Plan) -> set[str]:
        """Those of the keys that a line of this content has: stored, confirmed, overtaken, or released.

        Where neither what is stored nor the file can tell, a line of the file is one of this content.
        """
        facts = _facts(plan).filter(record_key__in=keys)
        stored = facts.values_list("record_key", "file_first_id", "file_last_id", "collected_at")
        own, overtaken = set[str](), set[str]()
        for key, first, last, collected_at in stored:
            if self.file_id in {first, last}:
                own.add(key.hex)
            if self.overtaken or collected_at >= plan.scope.collected_at:
                overtaken.add(key.hex)  # by now it does not tell whether the file has brought it too
        known = confirmed_among(keys, file_id=self.file_id) | self.released(keys).keys()
        if not self.replaced:
            known |= own
        doubtful = (own | overtaken) - known
        told = self.sheet.rows_of(list(doubtful), plan) if doubtful else {}
        return known | (doubtful & own if told is None else set(told))

    def places(self, keys: Sequence[str], plan: Plan) -> dict[str, Place]:
        """Where the last row of this content that has the key stands, of rows that it has written or confirmed.

        Numbered lines are asked for among released rows only. Where neither what is stored nor the file can tell, there
        is no such row.
        """
        released = self.released(keys)
        if plan.ordinal:
            return released
        facts = _facts(plan).filter(record_key__in=keys, file_last_id=self.file_id)
        own = {key.hex: row for key, row in facts.values_list("record_key", "sheet_row")}
        confirmed = confirmed_among(keys, file_id=self.file_id) - own.keys()
        known = {} if self.replaced else own
        doubtful = [key for key in keys if key not in known and (key in own or key in confirmed)]
        told = (self.sheet.rows_of(doubtful, plan) if doubtful else None) or {}
        found = {key: Place(max(known.get(key, 0), told.get(key, 0)), key in own) for key in known | told}
        below = {key: place for key, place in released.items() if key not in found or place.row >= found[key].row}
        return found | below

    def released(self, keys: Sequence[str]) -> dict[str, Place]:
        """Where the last released row of this content stands, for the keys that released rows have."""
        if not keys:
            return {}
        rows = QuarantinedRow.objects.filter(self.rows, state=QuarantineState.RELEASED, record_key__in=keys)
        found = rows.order_by("sheet_row", "pk").values_list("record_key", "sheet_row", "pk")
        return {key.hex: Place(row, written=True, quarantined=pk) for key, row, pk in found if key is not None}


def content_of(file: CatalogFile) -> Content:
    """What the syncs of the file say of the content that it has now."""
    replaced = overtaken = False
    for sha256, stale in syncs_of(file).values_list("file_sha256", "rows_stale"):
        if sha256 != file.content_sha256:
            replaced = True
        elif stale:
            overtaken = True
    return Content(file.pk, file.content_sha256, replaced, overtaken, FileRows(file))


def syncs_of(file: CatalogFile) -> QuerySet[SyncTaskFile]:
    """The syncs of the file that ended well. A remap reads no file, so it is none."""
    items = SyncTaskFile.objects.filter(file_id=file.pk, state__in=ITEM_SUCCEEDED)
    return items.exclude(task__kind=TaskKind.REMAP)


def is_of_old_content(row: QuarantinedRow, file: CatalogFile) -> bool:
    """Whether the row, which has its ``item``, was read from a content that the file does not have any more."""
    return row.item is not None and row.item.file_sha256 != file.content_sha256


def _facts(plan: Plan) -> QuerySet[Fact]:
    return FACT_MODELS[plan.scope.domain]._default_manager.all()  # noqa: SLF001 - of whichever model
