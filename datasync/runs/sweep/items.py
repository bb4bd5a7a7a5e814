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
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import finish
from datasync.runs.claim import Claim
from datasync.runs.errors import error_document
from datasync.runs.remap import finish as remap

logger = logging.getLogger(__name__)
MOST_CRASHES = 2
"""So often a file's worker may die with it in hand; then the file is to blame."""
_AT_ONCE = 1_000


def free_expired(*, dry_run: bool = False) -> tuple[int, int, int]:
    """Deal with files whose lease ran out: how many are queued again, given up, and stopped as cancelled.

    One whose row a session still holds is left to the next sweep.
    """
    ends = Counter[str]()
    for pk in list(_expired().order_by("lease_until").values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            locked = _expired().select_related("task").select_for_update(skip_locked=True, of=("self",))
            item = locked.filter(pk=pk).first()
            if item is not None:
                ends[_end_of(item)] += dry_run or _deal_with(item)
    return ends["freed"], ends["given up"], ends["stopped"]


def end_not_started(*, dry_run: bool = False) -> int:
    """Skip files that still wait when their task's deadline has passed; how many."""
    late = SyncTaskFile.objects.filter(
        state=ItemState.QUEUED, task__state__in=TASK_ACTIVE, task__deadline_at__lte=Now()
    )
    if dry_run:
        return late.count()
    with transaction.atomic():
        found = list(late.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:_AT_ONCE])
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


def _end_of(item: SyncTaskFile) -> str:
    if item.task.cancel_requested_at is not None:
        return "stopped"
    return "given up" if item.crashes + 1 >= MOST_CRASHES else "freed"


def _deal_with(item: SyncTaskFile) -> bool:
    """End it as it has to; only then is the crash counted, for what is written to an item comes after its file."""
    end = _end_of(item)
    logger.warning("Item %s is %s: its worker %s is gone", item.pk, end, item.worker)
    ended = _END[end](Claim.of(item), _ends_of(item.task))
    SyncTaskFile.objects.filter(pk=item.pk).update(crashes=F("crashes") + 1)
    return ended


def _give_up(claim: Claim, ends: _Ends) -> bool:
    return ends.fail(claim, error=error_document(ReaderCrashed(found=f"{MOST_CRASHES} workers")), seconds=0.0)


_END: dict[str, Callable[[Claim, _Ends], bool]] = {
    "stopped": lambda claim, ends: ends.cancel(claim, seconds=0.0),
    "freed": lambda claim, ends: ends.put_back(claim, error={}, seconds_until_next=0),
    "given up": _give_up,
}


def _expired() -> QuerySet[SyncTaskFile]:
    return SyncTaskFile.objects.filter(state=ItemState.PROCESSING, lease_until__lt=Now())
