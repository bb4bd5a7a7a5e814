"""Ended syncs with books as told, and quarantined rows in any state, for the tests of lost rows."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from django.utils import timezone

from datasync.choices import ITEM_SUCCEEDED, ItemState, QuarantineState, TaskKind, TaskState
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from tests.quarantine_rows import make_row

_rows = itertools.count(2)


def synced(
    file: CatalogFile,
    *,
    state: ItemState = ItemState.COMPLETED,
    kind: TaskKind = TaskKind.SINGLE,
    owner: Any = None,
    discarded_before: int = 0,
    **counts: int,
) -> SyncTaskFile:
    """The file's part of a task of its own that ended with these counts; what it said of the file it says now."""
    name = uuid.uuid4().hex
    task = SyncProgressTask.objects.create(
        task_id=name, celery_task_id=name, kind=kind, owner=owner, state=TaskState.COMPLETED
    )
    books = {f"rows_{name}": number for name, number in counts.items()}
    if state in ITEM_SUCCEEDED and kind != TaskKind.REMAP:
        CatalogFile.objects.filter(pk=file.pk).update(rows=Counts(**counts).as_dict())
    return SyncTaskFile.objects.create(
        task=task,
        file=file,
        state=state,
        file_sha256="",
        finished_at=timezone.now(),
        discarded_before=discarded_before,
        **books,
    )


def quarantine(item: SyncTaskFile, *states: QuarantineState, outcome: str = "inserted") -> None:
    """Rows that this sync quarantined; released ones became what ``outcome`` says."""
    for state in states:
        told = {"outcome": outcome} if state == QuarantineState.RELEASED else {}
        make_row(item.file, next(_rows), "A", "x", "", item=item, state=state, **told)
