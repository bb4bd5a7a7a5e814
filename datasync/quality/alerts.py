"""Where too many rows did not become data: tasks, files and domains that lost a larger share than is tolerated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from datasync.choices import QuarantineState
from datasync.models import QuarantinedRow, SyncProgressTask, SyncTaskFile
from datasync.quality.loss import Flow, Selection, flows, items_of, synced_items

LOSS_ABOVE_THRESHOLD = "LOSS_ABOVE_THRESHOLD"
"""Warning of a task that quarantined a larger share of its rows than is tolerated."""


class Subject(StrEnum):
    """What may have lost too much."""

    TASK = "task"
    FILE = "file"
    DOMAIN = "domain"


_KEYS = {Subject.TASK: "task_id", Subject.FILE: "pk", Subject.DOMAIN: "file__domain"}


@dataclass(frozen=True, slots=True)
class Alert:
    """One subject that lost too much. Of its names only those of its kind are told."""

    subject: Subject
    flow: Flow
    synced_at: datetime | None
    task_id: str | None = None
    file_id: int | None = None
    file: str | None = None
    domain: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The alert as plain data, with what to do in the language of the reader."""
        told = {name: getattr(self, name) for name in ("task_id", "file_id", "file", "domain", "synced_at")}
        return {
            "subject": self.subject.value,
            **told,
            **self.flow.as_dict(),
            "recovery_suggestion": recovery(self.flow),
        }


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: rows of the selection, and of tasks only those given, which a person may see."""

    threshold: float
    selection: Selection
    tasks: QuerySet[SyncProgressTask]

    def above(self, subject: Subject) -> QuerySet[Any, Any]:
        """The subjects that lost more than ``threshold`` percent of their rows, the last synced first.

        To be counted, or cut into pages and given to ``alerts``.
        """
        lost = F("rows_quarantined") - _released()
        groups = self._items(subject).annotate(key=F(_KEYS[subject]), gone=lost).order_by().values("key")
        shares = groups.annotate(read=Sum("rows_read"), lost=Sum("gone"), newest=Max("pk"))
        limit = Cast(F("read"), FloatField()) * Value(self.threshold) / Value(100.0)
        return shares.filter(lost__gt=0).filter(lost__gt=limit).order_by("-newest")

    def alerts(self, subject: Subject, rows: Iterable[Mapping[str, Any]]) -> list[Alert]:
        """These subjects with their rows: three statements, however many."""
        shown = list(rows)
        lookup = _KEYS[subject]
        found = flows(self._items(subject).filter(**{f"{lookup}__in": [row["key"] for row in shown]}), by=lookup)
        items = SyncTaskFile.objects.select_related("task", "file").in_bulk([row["newest"] for row in shown])
        return [_alert(subject, items[row["newest"]], found.get(row["key"], Flow())) for row in shown]

    def _items(self, subject: Subject) -> QuerySet[SyncTaskFile]:
        if subject is Subject.TASK:
            return synced_items(self.selection).filter(task__in=self.tasks.order_by().values("pk"))
        return items_of(self.selection)


def recovery(flow: Flow) -> str:
    """What to do about lost rows."""
    if flow.undecided:
        return _("Correct the quarantined rows and release them, or discard them with a reason.")
    return _("Every lost row is decided; if the loss is too much, correct the export or its template and sync again.")


def loss_warning(*, read: int, lost: int) -> dict[str, Any] | None:
    """The warning of a task that lost so many of the rows read; None where that is tolerated."""
    threshold: float = settings.LOSS_ALERT_PERCENT
    if not lost or 100 * lost <= threshold * read:
        return None
    message = gettext_noop("More of the rows read were quarantined than is tolerated (LOSS_ALERT_PERCENT).")
    percent = round(100 * lost / read, 2)
    return {"code": LOSS_ABOVE_THRESHOLD, "message": message, "lost_percent": percent, "threshold": threshold}


def _alert(subject: Subject, newest: SyncTaskFile, flow: Flow) -> Alert:
    if subject is Subject.TASK:
        return Alert(subject, flow, newest.finished_at, task_id=newest.task.task_id)
    if subject is Subject.FILE:
        file = newest.file
        return Alert(subject, flow, newest.finished_at, file_id=file.pk, file=file.original_name, domain=file.domain)
    return Alert(subject, flow, newest.finished_at, domain=newest.file.domain)


def _released() -> Any:
    """How many of an item's quarantined rows have become data since; not asked of items that quarantined none."""
    rows = QuarantinedRow.objects.filter(item_id=OuterRef("pk"), state=QuarantineState.RELEASED)
    count = rows.order_by().values("item_id").annotate(count=Count("pk")).values("count")
    asked = Coalesce(Subquery(count, output_field=IntegerField()), Value(0))
    return Case(When(rows_quarantined=0, then=Value(0)), default=asked, output_field=IntegerField())
