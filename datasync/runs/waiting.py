"""Why is it waiting? What a task or one of its files waits for, what happened last, what happens next and when.

Pure reading of a ``Situation``; sentences are in the active language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import TextChoices

from datasync.choices import ITEM_TERMINAL, TASK_TERMINAL, ItemState, TaskState
from datasync.exceptions import (
    Cancelled,
    HeaderChanged,
    KeyColumnMissing,
    NeedsDescription,
    NoTemplate,
    NotStarted,
    UnsureMapping,
)
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.situation import SILENT_AFTER, Situation, retried_as
from datasync.runs.sweep.items import MOST_CRASHES
from datasync.runs.waiting_words import Happened, Next, WaitsFor
from datasync.runs.words import error_in_words

_PEOPLE = {
    NeedsDescription.code: WaitsFor.DESCRIPTION,
    NoTemplate.code: WaitsFor.TEMPLATE,
    UnsureMapping.code: WaitsFor.TEMPLATE,
    HeaderChanged.code: WaitsFor.TEMPLATE,
    KeyColumnMissing.code: WaitsFor.TEMPLATE,
}
"""Errors with which a file waits for a person, who decides something about it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A code with what its sentence names, and the time it is about, if any."""

    code: TextChoices
    at: datetime | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence in the active language."""
        return str(self.code.label) % self.params if self.params else str(self.code.label)

    @property
    def document(self) -> dict[str, Any]:
        """Code, sentence and time, as plain values."""
        return {"code": self.code.value, "message": self.message, "at": self.at}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The answer to "why is it waiting?"."""

    waits_for: Said
    last: Said
    next: Said

    @property
    def document(self) -> dict[str, Any]:
        """As plain values."""
        return {"waits_for": self.waits_for.document, "last": self.last.document, "next": self.next.document}


def task_waiting(situation: Situation) -> Waiting:
    """What a task waits for."""
    task, counts = situation.task, situation.counts
    if task.state in TASK_TERMINAL:
        return _over(task)
    waits_for, following = _task_waits(situation)
    happened = {
        Happened.SUBMITTED: task.created_at,
        Happened.CANCEL_ASKED: task.cancel_requested_at,
        Happened.FILE_TAKEN: counts["taken_at"],
        Happened.FILE_DONE: counts["done_at"],
    }
    latest_first = ((code, at) for code, at in reversed(happened.items()) if at is not None)
    last, at = max(latest_first, key=lambda pair: pair[1])  # of what happened in the same moment the first of these
    return Waiting(waits_for=waits_for, last=Said(last, at), next=following)


def item_waiting(item: SyncTaskFile, situation: Situation) -> Waiting:
    """What one file of a task waits for; ``situation`` is that of its task."""
    if item.state in ITEM_TERMINAL:
        return _item_over(item)
    if item.state == ItemState.PROCESSING:
        return _item_in_work(item, situation)
    waits_for, following = _item_queued(item, situation)
    return Waiting(waits_for=waits_for, last=_before(item), next=following)


def _task_waits(situation: Situation) -> tuple[Said, Said]:
    task, counts = situation.task, situation.counts
    if not counts["queued"] and not counts["in_work"]:
        return Said(WaitsFor.CLOSING), _swept(situation, Said(Next.CLOSES))
    if counts["in_work"]:
        return _in_work(situation)
    if task.cancel_requested_at is not None:
        return Said(WaitsFor.CANCEL, params={"in_work": 0}), Said(Next.STOPS)
    return _queued(situation, due=bool(counts["due"]), until=counts["next_due"])


def _swept(situation: Situation, following: Said) -> Said:
    """What a sweeper does next. Workers sweep: where none is alive, somebody has to start one."""
    swept = settings.EXECUTION != "celery" or situation.queue.worker_lives()
    return following if swept else Said(Next.START_A_WORKER)


def _in_work(situation: Situation) -> tuple[Said, Said]:
    counts, cancelled = situation.counts, situation.task.cancel_requested_at is not None
    freed = Next.STOPS if cancelled else Next.FREED
    if counts["leases_over"] == counts["in_work"]:
        return Said(WaitsFor.LEASE_OVER, counts["first_lease"]), _swept(situation, Said(freed))
    if counts["silent"] == counts["in_work"]:
        return Said(WaitsFor.SILENT_WORKER, counts["first_lease"]), Said(freed, counts["first_lease"])
    if cancelled:
        return Said(WaitsFor.CANCEL, params={"in_work": counts["in_work"]}), Said(Next.STOPS)
    if counts["in_work"] >= settings.BATCH_WINDOW and counts["due"]:
        return Said(WaitsFor.WINDOW, params={"most": settings.BATCH_WINDOW}), Said(Next.FINISHES)
    behind = {"in_work": counts["in_work"], "queued": counts["queued"]}
    return Said(WaitsFor.IN_WORK, params=behind), Said(Next.FINISHES)


def _queued(situation: Situation, *, due: bool, until: datetime | None) -> tuple[Said, Said]:
    """What something queued waits for while nothing of its task is in work."""
    task, queue = situation.task, situation.queue
    if situation.late:
        return Said(WaitsFor.DEADLINE, task.deadline_at), _swept(situation, Said(Next.NOT_STARTED))
    if not due:
        return Said(WaitsFor.PAUSE, until), Said(Next.TURN, until)
    if settings.EXECUTION == "celery":
        if task.fallback and (task.served_at is None or not queue.worker_lives()):
            return Said(WaitsFor.BROKER), Said(Next.TOLD_AGAIN)
        if not queue.worker_lives():
            return Said(WaitsFor.NO_WORKER), Said(Next.START_A_WORKER)
    return Said(WaitsFor.WORKER, params={"place": queue.place(task.pk)}), Said(Next.TURN)


def _item_queued(item: SyncTaskFile, situation: Situation) -> tuple[Said, Said]:
    counts = situation.counts
    if situation.task.cancel_requested_at is not None:
        return Said(WaitsFor.CANCEL, params={"in_work": counts["in_work"]}), Said(Next.STOPS)
    if not situation.late and item.not_before is not None and item.not_before > situation.now:
        again = Said(Next.TRIED_AGAIN, item.not_before, {"attempt": item.attempt + 1})
        return Said(WaitsFor.PAUSE, item.not_before), again
    if not counts["in_work"] or situation.late:
        return _queued(situation, due=True, until=None)
    if counts["in_work"] >= settings.BATCH_WINDOW:
        return Said(WaitsFor.WINDOW, params={"most": settings.BATCH_WINDOW}), Said(Next.TURN)
    return Said(WaitsFor.FREE_WORKER), Said(Next.TURN)


def _item_in_work(item: SyncTaskFile, situation: Situation) -> Waiting:
    lease, now = item.lease_until or situation.now, situation.now
    heard = lease - timedelta(seconds=settings.LEASE_SECONDS)
    cancelled = situation.task.cancel_requested_at is not None
    freed = Next.GIVEN_UP if item.crashes + 1 >= MOST_CRASHES else Next.FREED
    freed = Next.STOPS if cancelled else freed
    if lease <= now:
        following = _swept(situation, Said(freed))
        return Waiting(Said(WaitsFor.LEASE_OVER, lease), Said(Happened.SIGN_OF_LIFE, heard), following)
    if now - heard > SILENT_AFTER:
        return Waiting(Said(WaitsFor.SILENT_WORKER, lease), Said(Happened.SIGN_OF_LIFE, heard), Said(freed, lease))
    taken = Said(Happened.TAKEN, item.started_at, {"attempt": item.attempt})
    return Waiting(Said(WaitsFor.FILE_IN_WORK), taken, Said(Next.STOPS if cancelled else Next.FINISHES))


def _before(item: SyncTaskFile) -> Said:
    """What happened last to a file that is queued."""
    if item.attempt and item.error:
        error = error_in_words(item.error)["message"]
        return Said(Happened.TRIED, item.started_at, {"attempt": item.attempt, "error": error})
    if item.crashes:
        return Said(Happened.WORKER_LOST, item.started_at, {"crashes": item.crashes})
    return Said(Happened.SUBMITTED, item.queued_at)


def _over(task: SyncProgressTask) -> Waiting:
    cancelled = task.state == TaskState.CANCELLED
    last = Said(Happened.CANCELLED if cancelled else Happened.FINISHED, task.finished_at)
    return Waiting(waits_for=Said(WaitsFor.NOTHING), last=last, next=_after(task, cancelled=cancelled))


def _after(task: SyncProgressTask, *, cancelled: bool) -> Said:
    not_synced = task.failed_files + task.skipped_files
    not_started = any(remark.get("code") == NotStarted.code for remark in task.warnings)
    if not_synced and (task.failed_files or cancelled or not_started):
        if child := retried_as(task):
            return Said(Next.RETRIED, params={"task_id": child})
        return Said(Next.RETRY, params={"files": not_synced})
    if not_synced:
        return Said(Next.LOOK, params={"files": not_synced})
    return Said(Next.REVIEW, params={"rows": task.rows_quarantined}) if task.rows_quarantined else Said(Next.NOTHING)


def _item_over(item: SyncTaskFile) -> Waiting:
    error = Cancelled().document if item.state == ItemState.CANCELLED else item.error
    told = error_in_words(error) if error else {"code": "", "message": "", "recovery": ""}
    following = Said(Next.NOTHING)
    if told["recovery"]:
        following = Said(Next.ADVICE, params={"advice": told["recovery"]})
    elif item.rows_quarantined:
        following = Said(Next.REVIEW, params={"rows": item.rows_quarantined})
    waits_for = Said(_PEOPLE.get(told["code"], WaitsFor.NOTHING))
    return Waiting(waits_for=waits_for, last=_how_it_ended(item, told["message"]), next=following)


def _how_it_ended(item: SyncTaskFile, error: str) -> Said:
    at = item.finished_at or item.queued_at
    if item.state == ItemState.FAILED:
        return Said(Happened.FAILED, at, {"error": error})
    if item.state == ItemState.SKIPPED:
        return Said(Happened.LEFT_OUT, at, {"error": error})
    return Said(Happened.CANCELLED if item.state == ItemState.CANCELLED else Happened.FINISHED, at)
