"""A claimed file of a remap: its stored rows typed again, chunk by chunk, each chunk a transaction of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Q

from datasync.choices import ITEM_ACTIVE
from datasync.exceptions import Cancelled, FencedOut, FileChanged, SyncError
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs.claim import Claim, name_session, put_down
from datasync.runs.dispatch import give_turn_later
from datasync.runs.errors import error_document
from datasync.runs.heartbeat import Stopped, Watch, heartbeat
from datasync.runs.remap import finish
from datasync.runs.remap.parts import StoredFile
from datasync.runs.remap.quarantine import keep_books
from datasync.runs.retry import POLICY, insist

logger = logging.getLogger(__name__)
TURN_SECONDS = 30.0
"""A file that takes longer goes back to the queue in between, so that other tasks have their turn."""


def retype(claim: Claim, task: SyncProgressTask) -> None:
    """Type the stored rows of the claimed file again and record the end, or how far it came."""
    started = time.monotonic()
    try:
        with heartbeat().watch(claim) as watch:
            file = CatalogFile.objects.select_related("shop", "template").get(pk=claim.file_id)
            _retype(claim, task, file, watch, started=started)
    except Cancelled:
        insist(partial(finish.cancel, claim, seconds=time.monotonic() - started))
    except FencedOut:
        logger.warning("Item %s was taken over by another worker; its chunk is rolled back here.", claim.item_id)
    except Stopped:
        insist(partial(put_down, claim, finish.put_back))
    except SoftTimeLimitExceeded:
        insist(partial(finish.put_back, claim, error={}, seconds_until_next=0))
    except Exception as error:  # the boundary: whatever the rows do, their item gets an end
        _record(claim, error, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _OtherFiles:
    """Which files of the same task still have rows to be typed again, and from which sheet row on.

    Of a file that was given to another shop the rows of ``shop_id`` have no turn: it left them behind.
    """

    task_id: int
    shop_id: int | None

    def __call__(self, file_ids: Collection[int]) -> dict[int, int]:
        items = SyncTaskFile.objects.filter(task_id=self.task_id, file__in=file_ids, state__in=ITEM_ACTIVE)
        if self.shop_id is not None:
            items = items.filter(Q(file__shop=None) | Q(file__shop=self.shop_id))
        return dict(items.values_list("file_id", "resume_after"))


def _retype(claim: Claim, task: SyncProgressTask, file: CatalogFile, watch: Watch, *, started: float) -> None:
    template_id = task.options["template_id"]
    stored = StoredFile(file, template_id=template_id, waiting=_OtherFiles(task.pk, file.shop_id))
    last_row, counts = finish.done_before(claim)
    if last_row:
        stored.replay(until=last_row)
    while True:
        watch.check()
        with transaction.atomic():
            name_session(claim)
            # The file before the rows: whoever releases rows of it takes the two locks in this order.
            held = CatalogFile.objects.select_for_update().get(pk=file.pk)
            if held.content_sha256 != claim.file_sha256:
                raise FileChanged
            stored.hold()
            rows = stored.chunk(after=last_row)
            if rows.is_empty():
                finish.succeed(claim, template_id=template_id, counts=counts, seconds=time.monotonic() - started)
                return
            written = stored.write(rows)
            keep_books(held, written, task, item_id=claim.item_id)
            reached = _sum(counts, written.counts)
            finish.checkpoint(claim, last_row=written.last_row, counts=reached)
        last_row, counts = written.last_row, reached
        if time.monotonic() - started > TURN_SECONDS and not stored.remembers:
            finish.put_back(claim, error={}, seconds_until_next=0)
            return


def _record(claim: Claim, error: Exception, *, seconds: float) -> None:
    """Give the item the end that the error stands for; what is done stays done."""
    decision = POLICY.decide(error, attempt=insist(partial(_tries, claim)))
    if (pause := decision.again_in) is not None:
        logger.warning("Item %s is tried again in %.2f s: %s", claim.item_id, pause, error)
        told = error_document(decision.told)
        if insist(partial(finish.put_back, claim, error=told, seconds_until_next=pause)):
            give_turn_later(pause)
        return
    if not isinstance(error := decision.told, SyncError):
        logger.error("Item %s of file %s failed", claim.item_id, claim.file_id, exc_info=error)
    insist(partial(finish.fail, claim, error=error_document(error), seconds=seconds))


def _tries(claim: Claim) -> int:
    """How often the place that failed was tried: with each chunk that is done ``checkpoint`` counts anew."""
    item = SyncTaskFile.objects.get(pk=claim.item_id)
    return item.attempt - item.crashes


def _sum(*parts: Counts) -> Counts:
    total = Counts()
    for part in parts:
        total.add(part)
    return total
