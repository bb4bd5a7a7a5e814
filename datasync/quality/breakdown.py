"""The flow of rows in parts: all rows by domain, those of a task, domain or file by file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from datasync.models import SyncTaskFile
from datasync.quality.loss import Flow, Selection, flows, items_of

_COLUMNS = ("pk", "file_id", "file__original_name", "file__domain")


@dataclass(frozen=True, slots=True)
class Part:
    """One file, or one domain when ``file_id`` is None, with its rows. ``domain`` is blank where it is not known."""

    domain: str
    flow: Flow
    file_id: int | None = None
    file: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The part as plain data."""
        return {"file_id": self.file_id, "file": self.file, "domain": self.domain, **self.flow.as_dict()}


def parts(selection: Selection) -> QuerySet[Any, Any]:
    """What there is to tell apart, most quarantined first; to be cut into pages and given to ``parts_with_flows``."""
    items = items_of(selection)
    found: QuerySet[Any, Any] = items.order_by("-rows_quarantined", "-pk").values(*_COLUMNS)
    if selection.by_domain:
        groups: QuerySet[Any, Any] = items.order_by().values("file__domain")
        found = groups.annotate(files=Count("pk"), lost=Sum("rows_quarantined")).order_by("-lost", "file__domain")
    return found


def parts_with_flows(selection: Selection, rows: Iterable[Mapping[str, Any]]) -> list[Part]:
    """These parts with their rows: two statements, however many parts."""
    shown = list(rows)
    if selection.by_domain:
        domains = [row["file__domain"] for row in shown]
        found = flows(items_of(selection).filter(file__domain__in=domains), by="file__domain")
        return [Part(domain=domain, flow=found.get(domain, Flow())) for domain in domains]
    items = SyncTaskFile.objects.filter(pk__in=[row["pk"] for row in shown])
    found = flows(items, by="pk")
    return [
        Part(
            domain=row["file__domain"],
            flow=found.get(row["pk"], Flow()),
            file_id=row["file_id"],
            file=row["file__original_name"],
        )
        for row in shown
    ]
