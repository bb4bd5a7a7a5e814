"""Which quarantined rows."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from datasync.access import Sight
from datasync.choices import AuditAction, FileState
from datasync.exceptions import RowNotFound
from datasync.models import AuditEntry, QuarantinedRow
from datasync.quarantine.figures import file_counts, looks_into_json, reason_counts

__all__ = [
    "Filters", "changes_of", "file_counts", "history", "listed", "one", "present_rows", "reason_counts", "rows",
    "with_reasons",
]  # fmt: skip
MOST_ACTS = 100
"""Of the acts about one row the newest are told."""
_OF_ROWS = (AuditAction.ROWS_CORRECTED, AuditAction.ROWS_RELEASED, AuditAction.ROWS_DISCARDED)


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for. An empty collection asks for everything; several values of one kind mean any of them.

    ``shops`` are the platforms' ids of shops; ``search`` is part of a file's name or of a cell.
    """

    ids: Collection[int] = ()
    file_ids: Collection[int] = ()
    task_id: str = ""
    domains: Collection[str] = ()
    reasons: Collection[str] = ()
    states: Collection[str] = ()
    platforms: Collection[str] = ()
    shops: Collection[str] = ()
    search: str = ""


_LOOKUPS = {
    "ids": "pk__in",
    "file_ids": "file_id__in",
    "domains": "domain__in",
    "states": "state__in",
    "platforms": "file__platform_id__in",
    "shops": "file__shop__shop_id__in",
}


def present_rows(*, sight: Sight) -> QuerySet[QuarantinedRow]:
    """The rows of files that nobody has deleted: what every door looks among."""
    return QuarantinedRow.objects.filter(sight.rows(), file__removing="").exclude(file__state=FileState.DELETED)


def rows(filters: Filters | None = None, *, sight: Sight) -> QuerySet[QuarantinedRow]:
    """The quarantined rows that match, by file and row, with file, shop, task, header and who decided."""
    found = present_rows(sight=sight).select_related("file__shop", "item__task", "header_set", "decided_by")
    return chosen(found, filters or Filters()).order_by("file_id", "sheet_row", "pk")


def listed(found: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow]:
    """The same with no more than a list tells of each: without their cells and the content of their files."""
    of_file = ("file__original_name", "file__platform", "file__shop__shop_id")
    of_task = ("item__task__task_id", "item__task__owner")
    own = ("domain", "sheet_row", "state", "reasons", "created_at", "decided_at")
    return found.select_related(None).select_related("file__shop", "item__task").only(*own, *of_file, *of_task)


def chosen(found: QuerySet[QuarantinedRow], filters: Filters) -> QuerySet[QuarantinedRow]:
    """Those of the rows that match."""
    for name, lookup in _LOOKUPS.items():
        if values := getattr(filters, name):
            found = found.filter(**{lookup: values})
    if filters.task_id:
        found = found.filter(item__task__task_id=filters.task_id)
    if filters.reasons:
        found = with_reasons(found, filters.reasons)
    if filters.search:
        found = _with_text(found, filters.search)
    return found


def with_reasons(found: QuerySet[QuarantinedRow], reasons: Collection[str]) -> QuerySet[QuarantinedRow]:
    """Those of the rows that were rejected for any of the reasons.

    Where the database cannot look into JSON its text is searched; a quotation mark inside a value is escaped there, so
    that no value can pass for a code.
    """
    matching = Q()
    if looks_into_json(found.db):
        for code in reasons:
            matching |= Q(reasons__contains=[{"code": code}])
        return found.filter(matching)
    for code in reasons:
        matching |= Q(reasons_text__contains=f'"code": "{code}"')
    return found.alias(reasons_text=Cast("reasons", TextField())).filter(matching)


def one(row_id: int, *, sight: Sight) -> QuarantinedRow:
    """One row with all that is shown of it. Raises ``RowNotFound``."""
    row = rows(sight=sight).filter(pk=row_id).first()
    if row is None:
        raise RowNotFound(what=row_id)
    return row


def history(row: QuarantinedRow) -> list[AuditEntry]:
    """What people did about a row, newest first.

    It is found by file and row number, so that it outlives the syncs that put the row into quarantine anew.
    """
    entries = AuditEntry.objects.filter(file_id=row.file_id, action__in=_OF_ROWS).order_by("-id")
    if looks_into_json(entries.db):
        named = entries.filter(detail__sheet_rows__contains=[row.sheet_row])
    else:
        named = entries.filter(_NamesRow(F("detail"), Value(row.sheet_row)))
    return list(named[:MOST_ACTS])


def changes_of(entry: AuditEntry, sheet_row: int) -> list[dict[str, object]]:
    """The cells of one row that an act has corrected: ``column`` (from 1), ``header``, ``from`` and ``to``.

    What one correction of many rows has in common stands in the entry once.
    """
    shared = entry.detail.get("shared", {})
    mine = [shared | change for change in entry.detail.get("changes", ()) if change["row"] == sheet_row]
    return [{name: change.get(name) for name in ("column", "header", "from", "to")} for change in mine]


class _NamesRow(Func):
    """Whether the detail of an entry names the row, where the database cannot ask what JSON contains."""

    output_field = BooleanField()
    template = "EXISTS (SELECT 1 FROM json_each(%(expressions)s)"
    arg_joiner = ", '$.sheet_rows') AS named WHERE named.value = "


def _with_text(found: QuerySet[QuarantinedRow], text: str) -> QuerySet[QuarantinedRow]:
    """Rows whose file is named so, or one of whose cells holds the text as the database writes it in JSON."""
    written = json.dumps(text, ensure_ascii=not looks_into_json(found.db))[1:-1]
    searched = found.alias(values_text=Cast("values", TextField()))
    return searched.filter(Q(file__original_name__icontains=text) | Q(values_text__icontains=written))
