"""What is recorded of a file whose stored rows are typed again. Who lost the lease writes nothing.

Each chunk's books are written in the chunk's own transaction together with how far it went, so that whoever takes the
file over goes on right below. The file is not being read: on the way its state says, as always, whether rows of it
wait for a decision.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from datasync.choices import ItemState
from datasync.exceptions import Cancelled, FencedOut
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.mapping.match import match
from datasync.mapping.selectors import family_of_file, sample_rows
from datasync.mapping.store import to_template
from datasync.models import CatalogFile, HeaderTemplate, SyncTaskFile
from datasync.quarantine.books import settle
from datasync.runs.claim import Claim
from datasync.runs.finish import hold_file, is_cancelled, row_fields, transaction_of, wanted
from datasync.runs.remap.parked import hold_facts, quarantine_parked


def done_before(claim: Claim) -> tuple[int, Counts]:
    """How far earlier attempts came: the last sheet row, and the books up to it."""
    item = SyncTaskFile.objects.get(pk=claim.item_id)
    return item.resume_after, Counts(**{name: getattr(item, f"rows_{name}") for name in COUNT_NAMES})


def checkpoint(claim: Claim, *, last_row: int, counts: Counts) -> None:
    """Record a chunk; raises ``FencedOut``, which undoes it.

    A chunk that is done gives attempts and crashes back: they count how often one place has failed.
    """
    if not wanted(_held(claim)).update(resume_after=last_row, attempt=1, crashes=0, **row_fields(counts)):
        raise Cancelled if _held(claim).exists() else FencedOut


def succeed(claim: Claim, *, template_id: int, counts: Counts, seconds: float) -> None:
    """Close the file's books; a sync reads it by this template from now on. Raises ``FencedOut``.

    A row of the file that is parked still is one that no turn has reached: it goes to quarantine and counts as such.
    """
    file = CatalogFile.objects.select_for_update().get(pk=claim.file_id)
    left = quarantine_parked(file, SyncTaskFile.objects.select_related("template").get(pk=claim.item_id))
    counts.add(Counts(read=left, quarantined=left))
    state = ItemState.PARTIAL if counts.quarantined else ItemState.COMPLETED
    closing = {"finished_at": Now(), "duration_ms": round(seconds * 1000)}
    if not _held(claim).update(state=state, error={}, warnings=[], **_released(), **closing, **row_fields(counts)):
        raise FencedOut
    template = to_template(HeaderTemplate.objects.prefetch_related("columns").get(pk=template_id))
    if file.content_sha256 != claim.file_sha256 or family_of_file(file) != template.family:
        return  # it has new content, or was described anew: what the catalogue says of it is of that
    found = match(file.header, [template], sample_rows=sample_rows(file))
    file.template_id = template_id
    file.match = {**file.match, **found.as_dict(), "template_id": template_id}
    file.save(update_fields=["template", "match"])
    settle(file)


def fail(claim: Claim, *, error: dict[str, Any], seconds: float) -> bool:
    """Record why the rest of the rows stays as it was. False: another worker holds the file now.

    Rows that had to make room for others, and now never have their turn, go to quarantine and count as such. Under the
    lock that keeps loads out, the files of the task see at once that this one is through, or this one sees the rows
    they have parked.
    """
    return _end(claim, ItemState.FAILED, error=error, seconds=seconds)


def _end(claim: Claim, state: ItemState, *, error: dict[str, Any], seconds: float) -> bool:
    closing = {"finished_at": Now(), "duration_ms": round(seconds * 1000)}
    with transaction_of(claim):
        file = CatalogFile.objects.select_for_update().get(pk=claim.file_id)
        item = SyncTaskFile.objects.select_related("template").get(pk=claim.item_id)
        hold_facts(file, item)
        if not _held(claim).update(state=state, error=error, **_released(), **closing):
            return False
        left = quarantine_parked(file, item)
        books = {"rows_read": F("rows_read") + left, "rows_quarantined": F("rows_quarantined") + left}
        SyncTaskFile.objects.filter(pk=item.pk).update(**books)
        settle(file)
    return True


def cancel(claim: Claim, *, seconds: float) -> bool:
    """Record that the rest of the rows stays as it was because the task was cancelled; what is done stays done."""
    return _end(claim, ItemState.CANCELLED, error={}, seconds=seconds)


def put_back(claim: Claim, *, error: dict[str, Any], seconds_until_next: float) -> bool:
    """Queue the rest after a pause; of a cancelled task it stays as it was. False: another worker holds the file."""
    changes = _released() | {"not_before": Now() + timedelta(seconds=seconds_until_next)}
    with transaction_of(claim):
        hold_file(claim)
        if not is_cancelled(claim):
            return bool(_held(claim).update(state=ItemState.QUEUED, error=error, **changes))
    return cancel(claim, seconds=0.0)


def _held(claim: Claim) -> QuerySet[SyncTaskFile]:
    return SyncTaskFile.objects.filter(pk=claim.item_id, lease_token=claim.token, state=ItemState.PROCESSING)


def _released() -> dict[str, Any]:
    return {"lease_token": None, "lease_until": None, "not_before": None}
