"""Where the rows went: the equation of the books, which must add up exactly.

A sync counts a row where it stood when the sync ended, and that is history. A row that was released since is counted
here as what it became, so that the equation says where the rows are now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, Sum, When

from datasync.choices import ITEM_SUCCEEDED, FileState, QuarantineState, TaskKind
from datasync.exceptions import InvalidRequest
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import QuarantinedRow, SyncTaskFile

_DELETED = FileState.DELETED


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose rows: of one file, of a task (by primary key) or of a domain; of all when nothing is named.

    ``platform`` (its code) and ``shop`` (its id on the platform) narrow any of them to the files described so.
    """

    file_id: int | None = None
    task_id: int | None = None
    domain: str | None = None
    platform: str | None = None
    shop: str | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.file_id, self.task_id, self.domain)) > 1:
            raise InvalidRequest(detail="Name one of file_id, task_id and domain.")

    @property
    def by_domain(self) -> bool:
        """Whether domains are its natural parts; else files are."""
        return self.file_id is None and self.task_id is None and self.domain is None


@dataclass(frozen=True, slots=True)
class Flow:
    """The rows of some files, released ones counted as what they became.

    Of ``counts.quarantined``, ``open`` and ``corrected`` rows wait for a decision, and ``judged_again`` are those that
    a later sync of the same file has looked at anew, or that went with a deleted file: they show in older tasks only.
    """

    files: int = 0
    counts: Counts = field(default_factory=Counts)
    released: int = 0
    open: int = 0
    corrected: int = 0
    judged_again: int = 0

    @property
    def discarded(self) -> int:
        """Rows that a person decided to leave out, at this sync or before it."""
        return self.lost - self.undecided - self.judged_again

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
        return self.counts.balanced and self.discarded >= 0

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


_ADDED = ("files", "released", "open", "corrected", "judged_again")


def flow(
    *,
    file_id: int | None = None,
    task_id: int | None = None,
    domain: str | None = None,
    platform: str | None = None,
    shop: str | None = None,
) -> Flow:
    """The books of what ``Selection`` says. Of a file synced several times the last sync counts, except in a task."""
    items = items_of(Selection(file_id=file_id, task_id=task_id, domain=domain, platform=platform, shop=shop))
    return sum(flows(items, by="file__domain").values(), Flow())


def items_of(selection: Selection) -> QuerySet[SyncTaskFile]:
    """The syncs that count: those of the task, else the last one of each file that is not deleted."""
    items = synced_items(selection)
    if selection.task_id is not None:
        return items
    last = items.exclude(file__state=_DELETED).order_by().values("file_id").annotate(last=Max("pk"))
    return SyncTaskFile.objects.filter(pk__in=last.values("last"))


def synced_items(selection: Selection | None = None) -> QuerySet[SyncTaskFile]:
    """Every sync that ended well. A remap types stored rows again: it reads no file, so it is no part of the flow."""
    wanted = _named(selection) if selection else {}
    return SyncTaskFile.objects.filter(state__in=ITEM_SUCCEEDED, **wanted).exclude(task__kind=TaskKind.REMAP)


def flows(items: QuerySet[SyncTaskFile], *, by: str) -> dict[Any, Flow]:
    """The flow of each group of these syncs, grouped by a lookup such as ``pk``, ``task_id`` or ``file__domain``.

    Two statements, however many groups: the books of the syncs, and where their quarantined rows are now.
    """
    key = "item_id" if by == "pk" else f"item__{by}"
    found: dict[Any, Flow] = {}
    sums = {f"sum_{name}": Sum(f"rows_{name}") for name in COUNT_NAMES}
    again = _judged_again("file", "pk")
    for group in items.annotate(again=again).order_by().values(by, "again").annotate(files=Count("pk"), **sums):
        counts = Counts(**{name: group[f"sum_{name}"] for name in COUNT_NAMES})
        part = Flow(files=group["files"], counts=counts, judged_again=counts.quarantined if group["again"] else 0)
        found[group[by]] = found.get(group[by], Flow()) + part
    again = _judged_again("item__file", "item_id")
    kept = QuarantinedRow.objects.filter(item__in=items.order_by().values("pk")).annotate(again=again)
    groups = kept.order_by().values(key, "again", "state", "outcome").annotate(rows=Count("pk"))
    for group in groups:
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


def _judged_again(file: str, item: str) -> Any:
    """Whether what the sync left undecided is no longer its own: the file was synced again, or is deleted."""
    later = synced_items().filter(file_id=OuterRef(f"{file}_id"), pk__gt=OuterRef(item))
    return Case(When(Exists(later) | Q(**{f"{file}__state": _DELETED}), then=True), default=False)


def _moved(flow: Flow, group: Mapping[str, Any]) -> Flow:
    """The flow with these quarantined rows counted where they are now."""
    rows, state = group["rows"], group["state"]
    counts = replace(flow.counts)
    told: dict[str, Any] = {}
    if group["again"]:
        told["judged_again"] = flow.judged_again - rows
    if state == QuarantineState.RELEASED:
        counts.quarantined -= rows
        setattr(counts, group["outcome"], getattr(counts, group["outcome"]) + rows)
        told["released"] = flow.released + rows
    elif state in (QuarantineState.OPEN, QuarantineState.CORRECTED):
        told[state] = getattr(flow, state) + rows
    return replace(flow, counts=counts, **told)
