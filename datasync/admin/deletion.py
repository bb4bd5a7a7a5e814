"""Deleting files in the console: first what hangs on them, then the decision; and bringing them back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import grid, link, operator
from datasync.admin.messages import report_error
from datasync.admin.sight import sight_of
from datasync.catalog.deletion import Deletion, delete_files, restore_file
from datasync.catalog.impact import Impact
from datasync.choices import FileState, RowsFate
from datasync.exceptions import LimitedToShops, SyncError
from datasync.models import CatalogFile

IDS = "file_ids"
"""The one hidden field that holds all ids: a form may not have a thousand fields."""
_LONGEST_ID = 18


@admin.action(description=_("Delete …"), permissions=("delete_files",))
def delete_chosen(
    files: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[CatalogFile]
) -> TemplateResponse | None:
    """Show what hangs on the chosen files and ask what becomes of their rows; then delete them."""
    ids = (
        _ids_of(request.POST[IDS])
        if IDS in request.POST
        else list(queryset.order_by("pk").values_list("pk", flat=True))
    )
    decided = request.POST.get("rows", "")
    rows = RowsFate(decided) if decided in RowsFate.values else None
    try:
        if rows is None:
            return _question(files, request, _rehearsed(request, ids))
        _tell(request, delete_files(file_ids=ids, rows=rows, actor=operator(request), sight=sight_of(request)))
    except SyncError as error:
        report_error(request, error)
    return None


@admin.action(description=_("Restore deleted files"), permissions=("delete_files",))
def restore_chosen(
    files: admin.ModelAdmin[Any],  # noqa: ARG001 - Django's signature
    request: HttpRequest,
    queryset: QuerySet[CatalogFile],
) -> None:
    """Bring deleted files back; one that cannot be does not stop the others."""
    for file in queryset:
        try:
            restore_file(file_id=file.pk, actor=operator(request), sight=sight_of(request))
        except SyncError as error:
            report_error(request, error, about=file.original_name)
        else:
            messages.success(request, gettext("Restored %(name)s.") % {"name": file.original_name})


def _ids_of(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) <= _LONGEST_ID]


def _rehearsed(request: HttpRequest, ids: Sequence[int]) -> Deletion:
    """What would go: the rows too, unless some are of shops out of sight."""
    rehearse = partial(delete_files, file_ids=ids, actor=operator(request), sight=sight_of(request), dry_run=True)
    try:
        return rehearse(rows=RowsFate.DELETE)
    except LimitedToShops:
        return rehearse(rows=RowsFate.KEEP)


def _question(files: admin.ModelAdmin[Any], request: HttpRequest, deletion: Deletion) -> TemplateResponse:
    context = {
        **files.admin_site.each_context(request),
        "title": gettext("Delete files"),
        "opts": files.opts,
        "media": files.media,
        "impacts": _table(deletion.impacts),
        "older": sum(impact.rows_of_older_exports for impact in deletion.impacts),
        "heirs": {heir.told_id: heir for impact in deletion.impacts for heir in impact.heirs if heir.told_id}.values(),
        "busy": len(deletion.busy_file_ids),
        "ids": IDS,
        "file_ids": ",".join(str(impact.file.pk) for impact in deletion.impacts),
        "first_id": deletion.impacts[0].file.pk,
        "checkbox": ACTION_CHECKBOX_NAME,
        "fates": [(fate.value, _CHOICES[fate]) for fate in _fates(deletion)],
    }
    return TemplateResponse(request, "admin/datasync/delete_files.html", context)


def _fates(deletion: Deletion) -> list[RowsFate]:
    """What can be chosen: of files that are deleted already, their rows are all that is left."""
    if deletion.rows == RowsFate.KEEP:
        return [RowsFate.KEEP]
    deleted = all(impact.file.state == FileState.DELETED for impact in deletion.impacts)
    return [RowsFate.DELETE] if deleted else list(RowsFate)


_CHOICES = {
    RowsFate.KEEP: _("Delete the files, keep their rows"),
    RowsFate.DELETE: _("Delete the files and the rows that they wrote last"),
}


def _table(impacts: Sequence[Impact]) -> Any:
    headers = (
        gettext("file"), gettext("rows"), gettext("handed over"), gettext("of older exports"), gettext("domain"),
        gettext("shop"), gettext("period"), gettext("quarantined"), gettext("original removed"),
    )  # fmt: skip
    return grid(
        headers,
        (
            (
                link(impact.file),
                f"{impact.rows:,}",
                f"{impact.handed_over:,}",
                f"{impact.rows_of_older_exports:,}",
                ", ".join(sorted({part.domain for part in impact.stored if part.in_sight})),
                ", ".join(sorted({part.shop_name or part.shop_id for part in impact.stored if part.in_sight})),
                _period(impact),
                f"{impact.quarantined:,}",
                gettext("yes") if impact.removes_bytes else gettext("no"),
            )
            for impact in impacts
        ),
    )


def _period(impact: Impact) -> str:
    first = min((part.period_start for part in impact.stored if part.period_start), default=None)
    last = max((part.period_end for part in impact.stored if part.period_end), default=None)
    return f"{first} – {last}" if first and last else ""


def _tell(request: HttpRequest, deletion: Deletion) -> None:
    count = len(deletion.impacts)
    told = ngettext("%(count)s file deleted.", "%(count)s files deleted.", count) % {"count": count}
    if not deletion.finished:
        told = f"{told} {gettext('Their rows are removed in the background.')}"
    elif deletion.rows == RowsFate.DELETE:
        told = f"{told} {gettext('%(rows)s rows removed.') % {'rows': f'{deletion.removed_rows:,}'}}"
        if deletion.handed_over_rows:
            handed_over = {"rows": f"{deletion.handed_over_rows:,}"}
            told = f"{told} {gettext('%(rows)s rows are those of newer exports now.') % handed_over}"
    messages.success(request, told)
    if deletion.busy_file_ids:
        busy = len(deletion.busy_file_ids)
        left = ngettext(
            "%(count)s file is being synced and was left alone.",
            "%(count)s files are being synced and were left alone.",
            busy,
        )
        messages.warning(request, left % {"count": busy})
