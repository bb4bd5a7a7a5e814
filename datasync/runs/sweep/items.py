"""Files in work whose worker is gone, and files that no worker came to in time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from datasync.choices import TASK_ACTIVE, ItemState, TaskKind
from datasync.exceptions import NotStarted, ReaderCrashed
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import finish
from datasync.runs.claim import Claim
from datasync.runs.errors import error_document
from datasync.runs.patience import hold_briefly
from datasync.runs.remap import finish as remap
from datasync.runs.sweep.apart import apart

logger = logging.getLogger(__name__)
MOST_CRASHES = 2
"""So often a file's worker may die with it in hand; then the file is to blame."""
_AT_ONCE = 1_000
_WAIT_SECONDS, _IN_VAIN_SECONDS = 1.0, 0.02
"""So long a sweep waits for a lock; once it has waited in vain, it does not wait so long again for every other file."""


def free_expired(swept: Counter[str], *, dry_run: bool = False) -> None:
    """Deal with files whose lease ran out, and count them: ``freed`` ones are queued again, others are ``given_up``,
    or ``stopped`` as cancelled.

    One that a session still holds, or whose end fails, is left to the next sweep.
    """
    before = swept["failed"]
    for pk, file_id in list(_expired().order_by("lease_until").values_list("pk", "file_id")[:_AT_ONCE]):
        wait = _IN_VAIN_SECONDS if swept["failed"] > before else _WAIT_SECONDS
        with apart(f"item {pk}", swept):
            if end := _end_one(pk, file_id, wait_seconds=wait, dry_run=dry_run):
                swept[end] += 1


def end_not_started(*, dry_run: bool = False) -> int:
    """Skip files that still wait when their task's deadline has passed; how many. Those held now the next sweep has."""
    late = SyncTaskFile.objects.filter(
        state=ItemState.QUEUED, task__state__in=TASK_ACTIVE, task__deadline_at__lte=Now()
    )
    if dry_run:
        return late.count()
    with transaction.atomic():
        hold_briefly(wait_seconds=_WAIT_SECONDS)
        held = _hold_files(list(late.values_list("file", flat=True)[:_AT_ONCE]))
        still = late.filter(file__in=held).select_for_update(skip_locked=True, of=("self",))
        found = list(still.values_list("pk", flat=True)) if held else []
        items = SyncTaskFile.objects.filter(pk__in=found)
        if found:
            items.update(state=ItemState.SKIPPED, error=error_document(NotStarted()), finished_at=Now())
            finish.hand_back(items)
    return len(found)


class _Ends(Protocol):
    """How work of a kind is ended for a worker that is gone."""

    def cancel(self, claim: Claim, *, seconds: float) -> bool: ...

    def put_back(self, claim: Claim, *, error: dict[str, Any], seconds_until_next: float) -> bool: ...

    def fail(self, claim: Claim, *, error: dict[str, Any], seconds: float) -> bool: ...


def _ends_of(task: SyncProgressTask) -> _Ends:
    return remap if task.kind == TaskKind.REMAP else finish


def _end_one(pk: int, file_id: int, *, wait_seconds: float, dry_run: bool) -> str | None:
    """End the item as it has to; None where nothing was to be done, or a session holds it.

    Only when it is ended the crash is counted. In a dry run it is only held and said.
    """
    with transaction.atomic():
        hold_briefly(wait_seconds=wait_seconds)
        expired = _expired().select_related("task").select_for_update(skip_locked=True, of=("self",))
        item = expired.filter(pk=pk).first() if _hold_files([file_id]) else None
        if item is None:
            return None
        end = _end_of(item)
        if dry_run:
            return end
        logger.warning("Item %s is %s: its worker %s is gone", item.pk, end, item.worker)
        ended = _END[end](Claim.of(item), _ends_of(item.task))
        SyncTaskFile.objects.filter(pk=item.pk).update(crashes=F("crashes") + 1)
        return end if ended else None


def _end_of(item: SyncTaskFile) -> str:
    if item.task.cancel_requested_at is not None:
        return "stopped"
    return "given_up" if item.crashes + 1 >= MOST_CRASHES else "freed"


def _hold_files(file_ids: list[int]) -> list[int]:
    """Those of the files that nobody holds; they are ours now, before their items, as everybody takes the two."""
    files = CatalogFile.objects.filter(pk__in=file_ids).order_by("pk")
    return list(files.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))


def _give_up(claim: Claim, ends: _Ends) -> bool:
    return ends.fail(claim, error=error_document(ReaderCrashed(found=f"{MOST_CRASHES} workers")), seconds=0.0)


_END: dict[str, Callable[[Claim, _Ends], bool]] = {
    "stopped": lambda claim, ends: ends.cancel(claim, seconds=0.0),
    "freed": lambda claim, ends: ends.put_back(claim, error={}, seconds_until_next=0),
    "given_up": _give_up,
}


def _expired() -> QuerySet[SyncTaskFile]:
    return SyncTaskFile.objects.filter(state=ItemState.PROCESSING, lease_until__lt=Now())
