"""“What would a sync do?”: the dry run of chosen files as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasync.access import Sight
from datasync.admin.base import NOTHING, badge, error_text, grid, link, pairs_table, remark_text
from datasync.admin.reason_names import reason_in_words
from datasync.admin.sight import sight_of
from datasync.catalog.dry_run import DryRun, dry_run
from datasync.choices import FILE_COLOURS
from datasync.exceptions import SyncError
from datasync.models import CatalogFile

MOST_FILES = 20
"""A page is answered while somebody waits for it."""


@admin.action(description=_("What would a sync do?"), permissions=("view",))
def what_would_a_sync_do(
    files: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[CatalogFile]
) -> TemplateResponse | None:
    """Show what a sync of each chosen file would do at this moment; nothing is written."""
    chosen = list(queryset.order_by("collected_at", "pk")[: MOST_FILES + 1])
    if len(chosen) > MOST_FILES:
        messages.error(request, gettext("Choose %(most)s files at most.") % {"most": MOST_FILES})
        return None
    context = {
        **files.admin_site.each_context(request),
        "title": gettext("What would a sync do?"),
        "opts": files.opts,
        "media": files.media,
        "found": [_shown(file, sight_of(request)) for file in chosen],
        "file_ids": [file.pk for file in chosen],
        "may_sync": files.has_change_permission(request),
    }
    return TemplateResponse(request, "admin/datasync/dry_run.html", context)


def _shown(file: CatalogFile, sight: Sight) -> dict[str, Any]:
    """One file's part of the page; one that cannot be rehearsed here does not hide the others."""
    try:
        found = dry_run(
            file_id=file.pk,
            sight=sight,
            most_bytes=settings.DRY_RUN_MOST_BYTES,
            most_seconds=settings.DRY_RUN_SECONDS,
        )
    except SyncError as error:
        return {"file": link(file, file.original_name), "error": error_text(error.document)}
    return {
        "file": link(file, file.original_name),
        "state": badge(found.state.label, FILE_COLOURS[found.state]),
        "error": error_text(found.error) if found.error else "",
        "counts": _counts(found),
        "warnings": [remark_text(remark.document) for remark in found.warnings],
        "reasons": _reasons(found) if found.rejected_by_reason else "",
        "parts": list(_parts(found)),
    }


def _counts(found: DryRun) -> SafeString | str:
    counts = found.counts.as_dict()
    return grid([gettext(name) for name in counts], [[f"{count:,}" for count in counts.values()]])


def _reasons(found: DryRun) -> SafeString | str:
    return pairs_table((reason_in_words(code), f"{count:,}") for code, count in found.rejected_by_reason.items())


def _parts(found: DryRun) -> Iterator[dict[str, object]]:
    """A table for each outcome that has rows to show."""
    samples = found.samples
    for outcome, rows, table in (
        ("updated", samples["updated"], _updates),
        ("quarantined", samples["quarantined"], _rejects),
        ("inserted", samples["inserted"], _loads),
        ("stale", samples["stale"], _loads),
        ("unchanged", samples["unchanged"], _loads),
    ):
        if rows:
            count = len(rows)
            title = ngettext("%(outcome)s: %(count)s row shown", "%(outcome)s: the first %(count)s rows", count)
            yield {"title": title % {"outcome": gettext(outcome), "count": count}, "table": table(rows)}


def _updates(rows: list[dict[str, Any]]) -> SafeString | str:
    lines = [
        (row["sheet_row"], _identity(row), one["field"] or one["header"], _value(one["stored"]), _value(one["new"]))
        for row in rows
        for one in row["differences"] or [{"field": "", "header": NOTHING, "stored": None, "new": None}]
    ]
    return grid((gettext("row"), gettext("identity"), gettext("column"), gettext("stored"), gettext("new")), lines)


def _rejects(rows: list[dict[str, Any]]) -> SafeString | str:
    lines = [
        (row["sheet_row"], reason["header"] or gettext("whole row"), reason_in_words(reason["code"]), reason["value"])
        for row in rows
        for reason in row["reasons"]
    ]
    return grid((gettext("row"), gettext("column"), gettext("reason"), gettext("value")), lines)


def _loads(rows: list[dict[str, Any]]) -> SafeString | str:
    lines = [
        (row["sheet_row"], _identity(row), ", ".join(f"{name}: {_value(value)}" for name, value in _known(row)))
        for row in rows
    ]
    return grid((gettext("row"), gettext("identity"), gettext("values")), lines)


def _known(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in row["values"].items() if value is not None and name not in row["identity"]]


def _identity(row: dict[str, Any]) -> str:
    return " · ".join(str(value) for value in row["identity"].values() if value is not None)


def _value(value: str | int | None) -> str:
    return NOTHING if value is None else str(value)
