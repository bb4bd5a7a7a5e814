"""Where the rows went: the equation of the books, which must add up exactly.

A sync counts a row where it stood when the sync ended, and that is history. A row that was released since is counted
here as what it became, so that the equation says where the rows are now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Abs, Coalesce
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.choices import ITEM_SUCCEEDED, FileState, QuarantineState, TaskKind
from datasync.exceptions import InvalidRequest
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import QuarantinedRow, SyncTaskFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whose rows: of one file, of a task (by primary key) or of a domain; of all in sight when nothing is named.

    ``platform`` (its code) and ``shop`` (its id on the platform) narrow any of them to the files described so.
    """

    sight: Sight
    file_id: int | None = None
    task_id: int | None = None
    domain: str | None = None
    platform: str | None = None
    shop: str | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.file_id, self.task_id, self.domain)) > 1:
            raise InvalidRequest(detail=_("Name one of file_id, task_id and domain."))

    @property
    def by_domain(self) -> bool:
        """Whether domains are its natural parts; else files are."""
        return self.file_id is None and self.task_id is None and self.domain is None


@dataclass(frozen=True, slots=True)
class Flow:
    """The rows of some files, released ones counted as what they became.

    Of ``counts.quarantined``, ``open`` and ``corrected`` rows wait for a decision, and ``discarded`` ones a person
    decided to leave out, at this sync or before it: all three are counted row by row. ``unaccounted`` says by how many
    rows the books of the syncs and the quarantine differ where they must not.
    """

    files: int = 0
    counts: Counts = field(default_factory=Counts)
    released: int = 0
    open: int = 0
    corrected: int = 0
    discarded: int = 0
    unaccounted: int = 0

    @property
    def judged_again(self) -> int:
        """Rows that a later sync of the same file has looked at anew, or that went with a deleted file.

        They show in older tasks only: of a file's last sync there is none, as long as the books balance.
        """
        return self.lost - self.undecided - self.discarded

    @property
    def undecided(self) -> int:
        """Rows that can still become data."""
        return self.open + self.corrected

    @property
    def lost(self) -> int:
        """Rows that did not become data."""
        return self.counts.quarantined

    @property
    def balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.counts.balanced and not self.unaccounted

    @property
    def lost_percent(self) -> float:
        """The share of the rows read that did not become data."""
        return self._percent(self.lost)

    @property
    def undecided_percent(self) -> float:
        """The share of the rows read that waits for a decision."""
        return self._percent(self.undecided)

    def as_dict(self) -> dict[str, Any]:
        """The equation as plain data."""
        return {
            "files": self.files,
            "rows": self.counts.as_dict(),
            "quarantine": {
                "open": self.open,
                "corrected": self.corrected,
                "discarded": self.discarded,
                "judged_again": self.judged_again,
            },
            "released": self.released,
            "balanced": self.balanced,
            "lost": self.lost,
            "lost_percent": self.lost_percent,
            "undecided": self.undecided,
            "undecided_percent": self.undecided_percent,
        }

    def __add__(self, other: Flow) -> Flow:
        counts = Counts()
        counts.add(self.counts)
        counts.add(other.counts)
        return Flow(counts=counts, **{name: getattr(self, name) + getattr(other, name) for name in _ADDED})

    def _percent(self, rows: int) -> float:
        return round(100 * rows / self.counts.read, 2) if self.counts.read else 0.0


_ADDED = ("files", "released", "open", "corrected", "discarded", "unaccounted")


def flow(
    *,
    sight: Sight,
    file_id: int | None = None,
    task_id: int | None = None,
    domain: str | None = None,
    platform: str | None = None,
    shop: str | None = None,
) -> Flow:
    """The books of what ``Selection`` says. Of a file synced several times the last sync counts, except in a task."""
    items = items_of(
        Selection(sight=sight, file_id=file_id, task_id=task_id, domain=domain, platform=platform, shop=shop)
    )
    return sum(flows(items, by="file__domain").values(), Flow())


def items_of(selection: Selection) -> QuerySet[SyncTaskFile]:
    """The syncs that count: those of the task, else the last one of each file whose rows are not deleted with it."""
    items = synced_items(selection)
    if selection.task_id is not None:
        return items
    last = items.exclude(_gone("file")).order_by().values("file_id").annotate(last=Max("pk"))
    return SyncTaskFile.objects.filter(pk__in=last.values("last"))


def synced_items(selection: Selection | None = None) -> QuerySet[SyncTaskFile]:
    """Every sync that ended well. A remap types stored rows again: it reads no file, so it is no part of the flow."""
    ended = SyncTaskFile.objects.filter(state__in=ITEM_SUCCEEDED).exclude(task__kind=TaskKind.REMAP)
    return ended.filter(selection.sight.files("file__"), **_named(selection)) if selection else ended


def flows(items: QuerySet[SyncTaskFile], *, by: str) -> dict[Any, Flow]:
    """The flow of each group of these syncs, grouped by a lookup such as ``pk``, ``task_id`` or ``file__domain``.

    Two statements, however many groups: the books of the syncs, and where their quarantined rows are now.
    """
    found: dict[Any, Flow] = {}
    sums = {f"sum_{name}": Sum(f"rows_{name}") for name in COUNT_NAMES}
    told = {"files": Count("pk"), "discarded": Sum("discarded_before"), "differing": Sum(_unaccounted())}
    for group in items.order_by().values(by).annotate(**told, **sums):
        counts = Counts(**{name: group[f"sum_{name}"] for name in COUNT_NAMES})
        found[group[by]] = Flow(
            files=group["files"], counts=counts, discarded=group["discarded"], unaccounted=group["differing"]
        )
    key = "item_id" if by == "pk" else f"item__{by}"
    kept = QuarantinedRow.objects.filter(item__in=items.order_by().values("pk"))
    for group in kept.order_by().values(key, "state", "outcome").annotate(rows=Count("pk")):
        if group[key] in found:
            found[group[key]] = _moved(found[group[key]], group)
    return found


def _named(selection: Selection) -> dict[str, Any]:
    lookups = {
        "file_id": selection.file_id,
        "task_id": selection.task_id,
        "file__domain": selection.domain,
        "file__platform": selection.platform,
        "file__shop__shop_id": selection.shop,
    }
    return {name: value for name, value in lookups.items() if value is not None}


def _gone(file: str) -> Q:
    """Files that are deleted, or were with their rows and came back: as if never synced."""
    return Q(**{f"{file}__state": FileState.DELETED}) | Q(**{f"{file}__rows": {}})


def _unaccounted() -> Any:
    """By how many rows a sync's books differ from what quarantine keeps of it.

    A later sync of the file, or its deletion, has replaced rows that were undecided: then fewer may be left.
    """
    rows = QuarantinedRow.objects.filter(item_id=OuterRef("pk")).order_by().values("item_id")
    kept = Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count"), output_field=BigIntegerField()), 0)
    missing = F("rows_quarantined") - F("discarded_before") - kept
    later = synced_items().filter(file_id=OuterRef("file_id"), pk__gt=OuterRef("pk"))
    replaced = Q(Exists(later)) | _gone("file")
    excused = When(replaced & GreaterThanOrEqual(missing, 0), then=0)
    return Case(excused, default=Abs(missing), output_field=BigIntegerField())


def _moved(flow: Flow, group: Mapping[str, Any]) -> Flow:
    """The flow with these quarantined rows counted where they are now."""
    rows, state = group["rows"], group["state"]
    if state != QuarantineState.RELEASED:
        return replace(flow, **{state: getattr(flow, state) + rows})
    counts = replace(flow.counts)
    counts.quarantined -= rows
    setattr(counts, group["outcome"], getattr(counts, group["outcome"]) + rows)
    return replace(flow, counts=counts, released=flow.released + rows)
