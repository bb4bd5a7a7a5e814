"""Where the rows went: the equation of the books, which must add up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Max, QuerySet, Sum

from datasync.choices import ITEM_SUCCEEDED
from datasync.exceptions import InvalidRequest
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import SyncTaskFile


@dataclass(frozen=True, slots=True)
class Flow:
    """The rows of some files. ``lost`` is what did not become data: quarantined rows."""

    files: int
    counts: Counts

    @property
    def balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.counts.balanced

    @property
    def lost_percent(self) -> float:
        """The share of the rows read that stand in quarantine."""
        return round(100 * self.counts.quarantined / self.counts.read, 2) if self.counts.read else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The equation as plain data."""
        return {
            "files": self.files,
            "rows": self.counts.as_dict(),
            "balanced": self.balanced,
            "lost": self.counts.quarantined,
            "lost_percent": self.lost_percent,
        }


def flow(*, file_id: int | None = None, task_id: int | None = None, domain: str | None = None) -> Flow:
    """The books of one file, of a task (by primary key) or of a domain; of all when nothing is named.

    Of a file that was synced several times only the last sync counts, except within a task.
    """
    if sum(value is not None for value in (file_id, task_id, domain)) > 1:
        raise InvalidRequest(detail="Name one of file_id, task_id and domain.")
    items = SyncTaskFile.objects.filter(state__in=ITEM_SUCCEEDED)
    if task_id is not None:
        return _added_up(items.filter(task_id=task_id))
    if file_id is not None:
        items = items.filter(file_id=file_id)
    if domain is not None:
        items = items.filter(file__domain=domain)
    return _added_up(SyncTaskFile.objects.filter(pk__in=_last_of_each_file(items)))


def _last_of_each_file(items: QuerySet[SyncTaskFile]) -> QuerySet[SyncTaskFile, int]:
    return items.order_by().values("file_id").annotate(last=Max("pk")).values_list("last", flat=True)


def _added_up(items: QuerySet[SyncTaskFile]) -> Flow:
    sums = items.order_by().aggregate(**{name: Sum(f"rows_{name}", default=0) for name in COUNT_NAMES})
    return Flow(files=items.count(), counts=Counts(**sums))
