"""How a task stands at a moment: what one statement says of its files, and of the others only what it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from datasync.choices import TASK_ACTIVE, ItemState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.heartbeat import EXTEND_SECONDS
from datasync.runs.pick import tasks_in_order
from erp.health.heartbeat import newest_heartbeat_age
from erp.health.probes import HEARTBEAT_FRESH_SECONDS
from erp.remembered import remembered
from erp.silence import limited

SILENT_AFTER = timedelta(seconds=2.5 * EXTEND_SECONDS)
"""A worker that has not extended its lease for so long counts as silent."""
NO_FILES: dict[str, Any] = {
    "now": None, "queued": 0, "due": 0, "next_due": None, "in_work": 0, "silent": 0, "leases_over": 0,
    "first_lease": None, "taken_at": None, "done_at": None,
}  # fmt: skip
"""The counts of a task that is over, or has no files."""


_PATIENCE_SECONDS = 5.0
"""So long the database may be silent about what everybody who polls asks."""


@remembered(seconds=1)
def places() -> dict[int, int]:
    """Which turn is each waiting task's, by its primary key."""
    with limited(_PATIENCE_SECONDS):
        return {pk: place for place, pk in enumerate(tasks_in_order(), start=1)}


@remembered(seconds=1)
def worker_lives() -> bool:
    """Whether a worker was heard of lately."""
    with limited(_PATIENCE_SECONDS):
        age = newest_heartbeat_age()
    return age is not None and age <= HEARTBEAT_FRESH_SECONDS


@dataclass(frozen=True, slots=True)
class Queue:
    """How all tasks stand: whose turn it is (1 is the next), and whether a worker was heard of lately.

    Asked only where it is needed, and once a second for all who poll: it costs time with the number of waiting tasks.
    A task that was not there yet stands behind the others.
    """

    place: Callable[[int], int]
    worker_lives: Callable[[], bool]

    @classmethod
    def of_now(cls) -> Queue:
        """One that says the same however often it is asked."""
        order, lives = cache(places), cache(worker_lives)
        return cls(place=lambda pk: order().get(pk, len(order()) + 1), worker_lives=lives)


@dataclass(frozen=True, slots=True)
class Situation:
    """A task and what its files say at a moment; ``counts`` are those of ``situation_counts``, none once it is over."""

    task: SyncProgressTask
    counts: Mapping[str, Any]
    queue: Queue

    @property
    def now(self) -> datetime:
        """The database's time, where there was a reason to ask it."""
        return self.counts.get("now") or timezone.now()

    @property
    def late(self) -> bool:
        """Whether the task's deadline has passed."""
        return self.task.deadline_at is not None and self.task.deadline_at <= self.now


def situation_counts() -> dict[str, Any]:
    """What the items of a task are asked, as aggregates of one statement; times are compared in the database."""
    queued, in_work = Q(state=ItemState.QUEUED), Q(state=ItemState.PROCESSING)
    silence = timedelta(seconds=settings.LEASE_SECONDS) - SILENT_AFTER
    return {
        "now": Max(Now()),
        "queued": Count("pk", filter=queued),
        "due": Count("pk", filter=queued & (Q(not_before=None) | Q(not_before__lte=Now()))),
        "next_due": Min("not_before", filter=queued & Q(not_before__gt=Now())),
        "in_work": Count("pk", filter=in_work),
        "silent": Count("pk", filter=in_work & Q(lease_until__lt=Now() + silence)),
        "leases_over": Count("pk", filter=in_work & Q(lease_until__lt=Now())),
        "first_lease": Min("lease_until", filter=in_work),
        "taken_at": Max("started_at"),
        "done_at": Max("finished_at"),
    }


def situations(tasks: Iterable[SyncProgressTask]) -> dict[int, Situation]:
    """By primary key, how the tasks stand: one statement for all, and two where any waits for a worker."""
    rows, queue = {task.pk: task for task in tasks}, Queue.of_now()
    active = [pk for pk, task in rows.items() if task.state in TASK_ACTIVE]
    items = SyncTaskFile.objects.filter(task__in=active).order_by().values("task")
    counted: Any = items.annotate(**situation_counts()) if active else ()
    found = {counts["task"]: counts for counts in counted}
    return {pk: Situation(task=task, counts=found.get(pk, NO_FILES), queue=queue) for pk, task in rows.items()}


def retried_as(task: SyncProgressTask) -> str | None:
    """The public id of the task that retries this one; read along where tasks are asked for often."""
    if "retried_as" in task.__dict__:
        known: str | None = task.__dict__["retried_as"]
        return known
    return SyncProgressTask.objects.filter(parent=task).values_list("task_id", flat=True).first()
