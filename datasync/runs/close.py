"""Closing a task: the last one out adds up the items, asks the quality gate and tells everybody.

The books and the result that programs read are written exactly once, together with the end. ``sync_finished`` is sent
after that, at most once: a process that is lost in between has told nobody.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, cast

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery
from django.utils import translation
from django.utils.translation import gettext_noop

from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE, ItemState, TaskKind, TaskState
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import QualityReport, SyncProgressTask, SyncTaskFile
from datasync.quality import gate
from datasync.quality.alerts import loss_warning
from datasync.runs.books import MOST_LISTED, Books, books_of
from datasync.runs.finish import row_fields
from datasync.runs.patience import held_briefly
from datasync.runs.remap.unfinished import settle_unfinished
from datasync.runs.results import store_closed
from datasync.runs.words import summary
from datasync.signals import sync_finished

logger = logging.getLogger(__name__)
_CLOSING_PATIENCE = timedelta(seconds=60)


def close_if_done(task: SyncProgressTask) -> bool:
    """Close the task if none of its files is waiting or in hand, and nobody else is closing it.

    ``closing_at`` says since when it is being closed. A closer that the database fails gives the mark back and raises.
    One that vanished, or that found a defect, is replaced after a minute by the sweeper: turns, which would find the
    same defect at once, are not offered a task that has the mark. The final UPDATE lets only one of two through.
    ``task`` stays as the caller has read it; whoever hears of the end is given the closed one.
    """
    if not to_be_closed().filter(pk=task.pk).update(closing_at=Now()):
        return False
    try:
        closed = _close(task)
    except (OperationalError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        SyncProgressTask.objects.filter(pk=task.pk, state__in=TASK_ACTIVE).update(closing_at=None)
        raise
    if closed is None:
        return False
    _tell(closed)
    return True


def _close(task: SyncProgressTask) -> SyncProgressTask | None:
    """The task as it is stored once it is closed; None where somebody else was faster."""
    settle_unfinished(task)
    reports = _assess(task)
    books = books_of(task)
    with transaction.atomic():
        closed = _write(task, _closing_values(task, books, reports))  # first of all: it holds the task
        if closed is None:
            return None
        if reports and not _store(reports):
            closed.warnings, closed.quality = _warnings(task, books, assessed=False), gate.quality_check([])
            closed.save(update_fields=("warnings", "quality"))
        store_closed(closed, outcome(closed))
    return closed


def _write(task: SyncProgressTask, values: dict[str, Any]) -> SyncProgressTask | None:
    """Write the end of the task, unless it has one, and read in the same statement what is stored of it by then."""
    active = SyncProgressTask.objects.filter(held_briefly(), pk=task.pk, state__in=TASK_ACTIVE)
    query = cast("UpdateQuery", active.query.chain(UpdateQuery))
    query.add_update_values(values | {"finished_at": Now()})
    statement, parameters = query.get_compiler(connection=connection).as_sql()
    written = list(SyncProgressTask.objects.using(connection.alias).raw(f"{statement} RETURNING *", parameters))
    return written[0] if written else None


def _tell(task: SyncProgressTask) -> None:
    for receiver, answer in sync_finished.send_robust(sender=SyncProgressTask, task=task):
        if isinstance(answer, Exception):
            logger.error("%r failed for task %s", receiver, task.task_id, exc_info=answer)


def outcome(task: SyncProgressTask) -> dict[str, Any]:
    """What a closed task came to, as plain data; programs read it, so its sentence is English."""
    with translation.override("en"):
        message = summary(task)
    ended = {"succeeded": task.succeeded_files, "failed": task.failed_files, "skipped": task.skipped_files}
    return {
        "task_id": task.task_id,
        "status": task.state,
        "message": message,
        "files": {"total": task.total_files, "processed": sum(ended.values()), **ended},
        "rows": {name: getattr(task, f"rows_{name}") for name in COUNT_NAMES},
        "rows_per_second": task.rows_per_second,
    }


def final_state(*, complete: int, with_quarantine: int, failed: int, skipped: int, cancelled: int = 0) -> TaskState:
    """The state of a task whose files ended so: failed only when files failed and none was synced.

    ``skipped`` counts the cancelled ones too. A cancel that came too late to stop any file has cancelled nothing.
    """
    if cancelled:
        return TaskState.CANCELLED
    if failed and not complete and not with_quarantine:
        return TaskState.FAILED
    return TaskState.PARTIAL if failed or skipped or with_quarantine else TaskState.COMPLETED


def to_be_closed() -> QuerySet[SyncProgressTask]:
    """Tasks in which nothing is left to do, and that nobody is closing."""
    active_items = SyncTaskFile.objects.filter(task_id=OuterRef("pk"), state__in=ITEM_ACTIVE)
    free = Q(closing_at=None) | Q(closing_at__lt=Now() - _CLOSING_PATIENCE)
    return SyncProgressTask.objects.filter(free, ~Exists(active_items), state__in=TASK_ACTIVE)


def _assess(task: SyncProgressTask) -> list[QualityReport] | None:
    """The gate's reports, not yet stored; None where it failed, which is a defect of ours and holds up no task.

    A remap brings nothing that was not there: there is nothing to assess.
    """
    if task.kind == TaskKind.REMAP:
        return []
    try:
        with transaction.atomic():
            return gate.assess(task)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("The quality gate failed for task %s", task.task_id)
        return None


def _store(reports: list[QualityReport]) -> bool:
    """Store the reports where the database takes them; the task closes either way."""
    try:
        with transaction.atomic():
            QualityReport.objects.bulk_create(reports)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("The quality reports could not be stored")
        return False
    return True


def _closing_values(task: SyncProgressTask, books: Books, reports: list[QualityReport] | None) -> dict[str, Any]:
    files, rows = books.files, books.rows
    complete, with_quarantine = files[ItemState.COMPLETED], files[ItemState.PARTIAL]
    failed, cancelled = files[ItemState.FAILED], files[ItemState.CANCELLED]
    skipped = files[ItemState.SKIPPED] + cancelled
    return {
        "state": final_state(
            complete=complete, with_quarantine=with_quarantine, failed=failed, skipped=skipped, cancelled=cancelled
        ),
        "total_files": files.total(),
        "succeeded_files": complete + with_quarantine,
        "failed_files": failed,
        "skipped_files": skipped,
        **row_fields(rows),
        "rows_per_second": round(rows.read / books.seconds, 1) if books.seconds > 0 else None,
        "message": "",
        "errors": books.errors,
        "warnings": _warnings(task, books, assessed=reports is not None),
        "quality": gate.quality_check(reports or []),
    }


def _warnings(task: SyncProgressTask, books: Books, *, assessed: bool) -> list[dict[str, Any]]:
    """What the files have to tell, and before it what is to be told of them all."""
    told = []
    if not assessed:
        message = gettext_noop("The quality of the data could not be assessed.")
        told.append({"code": "QUALITY_UNKNOWN", "message": message})
    loss = loss_warning(read=books.rows.read, lost=books.rows.quarantined)
    if loss and task.kind != TaskKind.REMAP:  # rows that a remap refuses stay in the facts
        told.append(loss)
    return [*told, *books.warnings][:MOST_LISTED]
