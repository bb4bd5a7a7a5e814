"""Files of a remap that was stopped, or whose time was over: rows of theirs that others had moved out of the way."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from datasync.choices import ITEM_ACTIVE, ItemState, TaskKind
from datasync.models import FACT_MODELS, FIRST_PARKED, CatalogFile, Fact, SyncProgressTask, SyncTaskFile
from datasync.quarantine.books import settle
from datasync.runs.patience import hold_briefly
from datasync.runs.remap.parked import hold_facts, quarantine_parked

_WAIT_SECONDS = 1.0
"""So long new loads of a domain wait behind the settling, which waits behind those that run."""


def settle_unfinished(task: SyncProgressTask) -> None:
    """Put such rows into quarantine, once no file of the task is in work any more and nobody parks others.

    It can be done again: a closer that vanishes in the middle has done what it has done. So has one that a load of the
    domain keeps out for too long, which raises ``OperationalError``: the next sweep goes on.
    """
    for item in _unfinished(task):
        with transaction.atomic():
            hold_briefly(wait_seconds=_WAIT_SECONDS)
            file = CatalogFile.objects.select_for_update().get(pk=item.file_id)
            hold_facts(file, item)
            if not SyncTaskFile.objects.filter(file=file, state__in=ITEM_ACTIVE).exists() and (
                left := quarantine_parked(file, item)
            ):
                books = {"rows_read": F("rows_read") + left, "rows_quarantined": F("rows_quarantined") + left}
                SyncTaskFile.objects.filter(pk=item.pk).update(**books)
                settle(file)


def is_unfinished(task: SyncProgressTask) -> bool:
    """Whether there are such rows."""
    return bool(_unfinished(task))


def _unfinished(task: SyncProgressTask) -> list[SyncTaskFile]:
    """Items that were stopped or never begun, and that left rows parked."""
    if task.kind != TaskKind.REMAP:
        return []
    stopped = task.items.filter(state__in=(ItemState.CANCELLED, ItemState.SKIPPED)).select_related("template")
    first = stopped.first()
    model = FACT_MODELS.get(str(first.template.domain)) if first is not None and first.template is not None else None
    if model is None:
        return []
    parked: QuerySet[Fact] = QuerySet(model).filter(file_last=OuterRef("file"), record_key__gte=FIRST_PARKED)
    return list(stopped.filter(Exists(parked)).order_by("position"))
