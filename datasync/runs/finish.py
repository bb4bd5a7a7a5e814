"""What becomes of a claimed file. Each way out is guarded by the lease token: who lost the lease writes nothing.

Whoever ends a file in hand locks the file first, as a submit does it, which waits for the item's unique index; then
the item, or the task and then the item. So nobody waits for a file who holds what a submit, or others' turns, wait for.

``succeed`` is called inside the transaction that loads the rows, as the last thing in it, so that rows, books and
states appear together or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from datasync.choices import FILE_ACTIVE, FileState, ItemState
from datasync.exceptions import Cancelled, FencedOut, FileChanged
from datasync.ingest.load.outcome import file_state
from datasync.ingest.measure import Measure, as_document
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.remarks import Remark
from datasync.runs.claim import Claim, name_session

logger = logging.getLogger(__name__)


def succeed(
    claim: Claim,
    *,
    counts: Counts,
    discarded: int = 0,
    measures: Mapping[int | None, Measure],
    template_id: int | None,
    warnings: Sequence[Remark],
    seconds: float,
) -> None:
    """Close the books of a loaded file; ``discarded`` of its quarantined rows a person had discarded before.

    Raises ``FencedOut``, ``Cancelled`` or ``FileChanged``, which roll everything back.
    """
    item_state, new_state = outcome(counts, discarded=discarded)
    stamp = {} if template_id is None else {"template_id": template_id}
    # A file replaced meanwhile is a new version, pending again: what was read of the old one must not pass for it.
    file_told = _unreplaced(claim).update(
        state=new_state, rows=counts.as_dict(), last_error={}, synced_at=Now(), **stamp
    )
    changed = wanted(_held(claim)).update(
        state=item_state,
        template_id=template_id,
        error={},
        discarded_before=discarded,
        measured=as_document(measures),
        warnings=[remark.document for remark in warnings],
        **_closing(seconds),
        **row_fields(counts),
    )
    if not changed:
        raise Cancelled if _held(claim).exists() else FencedOut
    if not file_told:
        raise FileChanged


def outcome(counts: Counts, *, discarded: int = 0) -> tuple[ItemState, FileState]:
    """How item and file stand after a load with these counts, ``discarded`` of whose quarantined rows are settled."""
    state = file_state(counts, discarded=discarded)
    return ItemState.COMPLETED if state is FileState.INGESTED else ItemState.PARTIAL, state


def fail(claim: Claim, *, error: dict[str, Any], seconds: float, file_state: FileState = FileState.FAILED) -> bool:
    """Record that nothing of the file was loaded, and why. False: another worker holds it now."""
    return _give_up(claim, ItemState.FAILED, error=error, file_state=file_state, seconds=seconds)


def skip(claim: Claim, *, error: dict[str, Any], file_state: FileState, seconds: float) -> bool:
    """Record that the file waits for a person's decision. False: another worker holds it now."""
    return _give_up(claim, ItemState.SKIPPED, error=error, file_state=file_state, seconds=seconds)


def cancel(claim: Claim, *, seconds: float) -> bool:
    """Record that the file was stopped with its task, and nothing of it loaded. False: another worker holds it now."""
    with transaction_of(claim):
        hold_file(claim)
        changed = _held(claim).update(
            state=ItemState.CANCELLED, error={}, warnings=[], **_closing(seconds), **row_fields(Counts())
        )
        if changed:
            hand_back(SyncTaskFile.objects.filter(pk=claim.item_id))
    return _held_to_the_end(claim, changed)


def hand_back(items: QuerySet[SyncTaskFile]) -> None:
    """Give the files of items that came to nothing the states that they had before they were queued."""
    before = items.filter(file=OuterRef("pk"), file_sha256=OuterRef("content_sha256")).values("state_before")[:1]
    files = CatalogFile.objects.filter(Exists(before), state__in=FILE_ACTIVE)
    files.filter(pk__in=items.values("file")).update(state=Subquery(before))


def put_back(claim: Claim, *, error: dict[str, Any], seconds_until_next: float) -> bool:
    """Queue the file again after a pause that is kept in the database; that of a cancelled task is stopped instead.

    False: another worker holds it now.
    """
    with transaction_of(claim):
        hold_file(claim)
        if is_cancelled(claim):
            return cancel(claim, seconds=0.0)
        changed = _held(claim).update(
            state=ItemState.QUEUED,
            lease_token=None,
            lease_until=None,
            not_before=Now() + timedelta(seconds=seconds_until_next),
            error=error,
            **row_fields(Counts()),
        )
        if changed:
            CatalogFile.objects.filter(pk=claim.file_id, state=FileState.PROCESSING).update(state=FileState.QUEUED)
    return _held_to_the_end(claim, changed)


def wanted(items: QuerySet[SyncTaskFile]) -> QuerySet[SyncTaskFile]:
    """Those of the items whose task was not cancelled.

    Not by a join: Django would move all conditions of an UPDATE into a sub-query on the item's own table, and one that
    had to wait for the row would not check them again on what the row is by then.
    """
    return items.filter(Exists(SyncProgressTask.objects.filter(pk=OuterRef("task"), cancel_requested_at=None)))


def is_cancelled(claim: Claim) -> bool:
    """Whether the task was cancelled. Nobody can cancel it from now until the transaction ends.

    So no file is queued of a task that has just been emptied, and that nobody takes up any more. Who lost the lease
    leaves the task alone: somebody who cancels it may hold it by now, and wait for the file that the caller holds.
    """
    tasks = SyncProgressTask.objects.select_for_update(no_key=True, of=("self",)).filter(
        items=claim.item_id, items__lease_token=claim.token, items__state=ItemState.PROCESSING
    )
    return any(moment is not None for moment in tasks.values_list("cancel_requested_at", flat=True))


def row_fields(counts: Counts) -> dict[str, int]:
    """The counts as columns of an item or a task."""
    return {f"rows_{name}": getattr(counts, name) for name in COUNT_NAMES}


def _give_up(claim: Claim, state: ItemState, *, error: dict[str, Any], file_state: FileState, seconds: float) -> bool:
    with transaction_of(claim):
        hold_file(claim)
        changed = _held(claim).update(
            state=state, error=error, warnings=[], **_closing(seconds), **row_fields(Counts())
        )
        if changed:
            _unreplaced(claim).update(state=file_state, last_error=error)
    return _held_to_the_end(claim, changed)


@contextmanager
def transaction_of(claim: Claim) -> Iterator[None]:
    """A transaction that the sweeper can end once the lease is over, even when the process stands still in it.

    Inside another it has that one's name: a sweeper that deals with the claim is not to be ended in the place of the
    worker that is gone.
    """
    named = connection.in_atomic_block
    with transaction.atomic():
        if not named:
            name_session(claim)
        yield


def hold_file(claim: Claim) -> None:
    """Lock the file until the transaction ends. While it is held, no sweeper takes a file away that is in hand."""
    list(CatalogFile.objects.select_for_update(no_key=True).filter(pk=claim.file_id).values_list("pk"))


def _held(claim: Claim) -> QuerySet[SyncTaskFile]:
    return SyncTaskFile.objects.filter(pk=claim.item_id, lease_token=claim.token, state=ItemState.PROCESSING)


def _unreplaced(claim: Claim) -> QuerySet[CatalogFile]:
    return CatalogFile.objects.filter(pk=claim.file_id, content_sha256=claim.file_sha256)


def _closing(seconds: float) -> dict[str, Any]:
    return {
        "lease_token": None,
        "lease_until": None,
        "not_before": None,
        "finished_at": Now(),
        "duration_ms": round(seconds * 1000),
    }


def _held_to_the_end(claim: Claim, changed: int) -> bool:
    if not changed:
        logger.warning("Item %s was taken over by another worker; nothing is recorded for it here.", claim.item_id)
    return bool(changed)
