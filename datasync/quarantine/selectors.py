"""Which quarantined rows, and how many for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connections
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast

from datasync.models import QuarantinedRow


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for. An empty collection asks for everything; several values of one kind mean any of them."""

    ids: Collection[int] = ()
    file_ids: Collection[int] = ()
    task_id: str = ""
    domains: Collection[str] = ()
    reasons: Collection[str] = ()
    states: Collection[str] = ()


def rows(filters: Filters | None = None) -> QuerySet[QuarantinedRow]:
    """The quarantined rows that match, by file and row, with what a list shows of file, task and header."""
    found = QuarantinedRow.objects.select_related("file__shop", "item__task", "header_set").order_by(
        "file_id", "sheet_row"
    )
    chosen = filters or Filters()
    if chosen.ids:
        found = found.filter(pk__in=chosen.ids)
    if chosen.file_ids:
        found = found.filter(file_id__in=chosen.file_ids)
    if chosen.task_id:
        found = found.filter(item__task__task_id=chosen.task_id)
    if chosen.domains:
        found = found.filter(domain__in=chosen.domains)
    if chosen.states:
        found = found.filter(state__in=chosen.states)
    if chosen.reasons:
        found = with_reasons(found, chosen.reasons)
    return found


def with_reasons(found: QuerySet[QuarantinedRow], reasons: Collection[str]) -> QuerySet[QuarantinedRow]:
    """Those of the rows that were rejected for any of the reasons.

    Where the database cannot look into JSON its text is searched; a quotation mark inside a value is escaped there, so
    that no value can pass for a code.
    """
    matching = Q()
    if connections[found.db].features.supports_json_field_contains:
        for code in reasons:
            matching |= Q(reasons__contains=[{"code": code}])
        return found.filter(matching)
    for code in reasons:
        matching |= Q(reasons_text__contains=f'"code": "{code}"')
    return found.alias(reasons_text=Cast("reasons", TextField())).filter(matching)


def reason_counts(found: QuerySet[QuarantinedRow]) -> dict[str, int]:
    """How many rows each reason stands on, most frequent first. A row counts once for each of its reasons."""
    counter: Counter[str] = Counter()
    listed = found.select_related(None).order_by().values_list("reasons", flat=True)
    for reasons in listed.iterator(chunk_size=5000):
        counter.update({reason["code"] for reason in reasons})
    return dict(counter.most_common())


def file_counts(found: QuerySet[QuarantinedRow]) -> dict[int, int]:
    """How many of the rows each file has."""
    counted = found.select_related(None).order_by("file_id").values_list("file_id").annotate(rows=Count("pk"))
    return dict(counted)
