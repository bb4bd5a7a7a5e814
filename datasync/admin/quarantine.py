"""Rows that cannot be trusted: look at them, correct their cells, let them in or keep them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from datasync.access import EVERYTHING
from datasync.admin.base import OperatorAdmin
from datasync.admin.messages import report_error
from datasync.admin.quarantine_acts import correct_row, discard_rows, release_rows
from datasync.admin.quarantine_columns import RowColumns
from datasync.admin.quarantine_pages import correct_page, discard_page, import_page
from datasync.admin.reason_names import reason_in_words
from datasync.choices import QUARANTINE_UNDECIDED
from datasync.exceptions import SyncError
from datasync.models import QuarantinedRow
from datasync.quarantine import check, export, selectors, values
from datasync.quarantine.notes import LONGEST_NOTE
from datasync.reasons import Reason

MOST_ROWS = 1_000
"""Rows that an action works on; the command has no limit."""


def export_response(request: HttpRequest, rows: QuerySet[QuarantinedRow], *, format: str) -> FileResponse | None:  # noqa: A002
    """The rows as a download; None, and a word about it, where they cannot be one."""
    try:
        stream, name = export.spooled(rows, format=format)
    except SyncError as error:
        report_error(request, error)
        return None
    return FileResponse(stream, as_attachment=True, filename=name, headers={"X-Content-Type-Options": "nosniff"})


class ReasonFilter(admin.SimpleListFilter):
    """Rows by why they were rejected."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every reason there is."""
        return [(reason.value, reason_in_words(reason)) for reason in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the chosen reason."""
        return selectors.with_reasons(queryset, [self.value() or ""]) if self.value() else queryset


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(RowColumns, OperatorAdmin):
    list_display = ("place", "domain", "state_badge", "reasons_text", "created_at")
    list_filter = ("state", ReasonFilter, "domain", "file__platform", "created_at")
    list_select_related = ("file",)
    search_fields = ("file__original_name", "item__task__task_id")
    actions = ("correct_column", "rehearse_release", "release", "discard", "export_xlsx", "export_csv")
    empty_hint = _("No quarantined rows: every row that was read could be trusted.")
    change_list_template = "admin/datasync/quarantined_rows.html"
    change_form_template = "admin/datasync/quarantined_row.html"
    readonly_fields = (
        "file_link", "sheet_row", "state_badge", "reasons_table", "cells", "domain", "item_link", "template",
        "created_at", "fact", "note", "decided_by", "decided_at", "audit",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come by a sync alone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are discarded, not deleted: the books speak of them."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What to decide comes first; once it is decided, what came of it."""
        folded = {"classes": ("collapse",)}
        history = ("item_link", "template", "created_at", "fact", "note", "decided_by", "decided_at", "audit")
        undecided = obj is not None and obj.state in QUARANTINE_UNDECIDED
        return (
            (None, {"fields": ("file_link", "sheet_row", "domain", "state_badge", "reasons_table")}),
            (_("original row"), {"fields": ("cells",), **folded}),
            (_("history"), {"fields": history, **(folded if undecided else {})}),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of files that nobody has deleted."""
        return super().get_queryset(request) & selectors.present_rows(sight=EVERYTHING)  # the first asks whose

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a task's and a file's page link to their rows."""
        linked = {"item__task__id__exact", "file__id__exact"}
        return lookup in linked or super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[Any]:
        """The page of a corrected sheet, and the buttons on a row's page."""
        buttons = [
            path(
                f"<int:row_id>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"datasync_quarantinedrow_{name}",
            )
            for name, view in (
                ("correct", self.correct_one),
                ("release", self.release_one),
                ("discard", self.discard_one),
            )
        ]
        sheet = path("import/", self.admin_site.admin_view(self.import_sheet), name="datasync_quarantinedrow_import")
        return [sheet, *buttons, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to a corrected sheet for those who may correct."""
        context = {"may_import": self.has_change_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The row; what can be done about it stands below, as long as nothing is decided."""
        if request.method == "POST":  # the page itself has nothing to save: its forms go to addresses of their own
            raise PermissionDenied
        context: dict[str, Any] = {"show_save": False, "show_save_and_continue": False, "longest_note": LONGEST_NOTE}
        row = self.get_object(request, object_id) if object_id else None
        if row is not None and row.state in QUARANTINE_UNDECIDED and self.has_change_permission(request, row):
            context["doubted"] = bool(check.unsettled(row))
            context |= _cells(row)
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    # What is done with one row

    def correct_one(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Save what was written into the row's cells."""
        return self._done(request, row_id, lambda: correct_row(request, row_id=row_id, texts=request.POST))

    def release_one(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Load the row, or say what that would do."""
        rehearsed = "rehearse" in request.POST
        return self._done(request, row_id, lambda: release_rows(request, ids=[row_id], dry_run=rehearsed))

    def discard_one(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Keep the row out, or say what that would do."""
        note, rehearsed = request.POST.get("note", ""), "rehearse" in request.POST
        return self._done(request, row_id, lambda: discard_rows(request, ids=[row_id], note=note, dry_run=rehearsed))

    def _done(self, request: HttpRequest, row_id: int, act: Callable[[], object]) -> HttpResponse:
        row = self.get_object(request, str(row_id))
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        act()
        return HttpResponseRedirect(reverse("admin:datasync_quarantinedrow_change", args=(row_id,)))

    # What is done with chosen rows, and with a sheet of them

    def import_sheet(self, request: HttpRequest) -> HttpResponse:
        """Take the corrections of an exported sheet, or say what they would be."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return import_page(self, request)

    @admin.action(description=_("Correct one column…"), permissions=("change",))
    def correct_column(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """One correction for all chosen rows with the same problem."""
        ids = _chosen(request, queryset)
        return correct_page(self, request, ids) if ids else None

    @admin.action(description=_("What would a release do?"), permissions=("change",))
    def rehearse_release(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say what a release would do; nothing is written."""
        if ids := _chosen(request, queryset):
            release_rows(request, ids=ids, dry_run=True)

    @admin.action(description=_("Release: load what can be trusted now"), permissions=("change",))
    def release(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Load the chosen rows, as far as they can be trusted."""
        if ids := _chosen(request, queryset):
            release_rows(request, ids=ids)

    @admin.action(description=_("Discard…"), permissions=("change",))
    def discard(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the reason, then keep the chosen rows out."""
        ids = _chosen(request, queryset)
        return discard_page(self, request, ids) if ids else None

    @admin.action(description=_("Export as xlsx, with reasons"), permissions=("view",))
    def export_xlsx(self, request: HttpRequest, queryset: QuerySet[Any]) -> FileResponse | None:
        """Download the chosen rows as a workbook."""
        return export_response(request, _whole(queryset), format="xlsx")

    @admin.action(description=_("Export as csv, with reasons"), permissions=("view",))
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> FileResponse | None:
        """Download the chosen rows as CSV."""
        return export_response(request, _whole(queryset), format="csv")


def _cells(row: QuarantinedRow) -> dict[str, Any]:
    """The cells to be corrected: those in doubt, and the others."""
    doubted = {reason["header"] for reason in row.reasons}
    cells = [
        (header in doubted, (at, f"#{at + 1}", header, text or ""))
        for at, (header, text) in enumerate(zip(row.header_set.headers, values.current(row), strict=True))
    ]
    suspects = [cell for suspect, cell in cells if suspect]
    return {"correctable": True, "suspects": suspects, "others": [cell for suspect, cell in cells if not suspect]}


def _whole(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The chosen rows with what an export says of them."""
    return queryset.select_related("file__shop", "item__task", "header_set")


def _chosen(request: HttpRequest, queryset: QuerySet[Any]) -> list[int]:
    """The ids of the chosen rows; none, and a word about it, where they are too many."""
    ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_ROWS + 1])
    if len(ids) <= MOST_ROWS:
        return ids
    most = {"most": f"{MOST_ROWS:,}"}
    messages.error(request, _("Choose %(most)s rows at most; “manage.py quarantine” has no limit.") % most)
    return []
