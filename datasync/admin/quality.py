"""What could not be trusted, what is missing, and what newer exports have confirmed."""

from __future__ import annotations

import tempfile
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin, badge, grid, link, pairs_table
from datasync.choices import QuarantineState
from datasync.models import ConfirmedRows, HeaderSet, QualityReport, QuarantinedRow
from datasync.quarantine import export, selectors
from datasync.reasons import Reason

QUARANTINE_COLOURS = {
    QuarantineState.OPEN: "amber",
    QuarantineState.CORRECTED: "blue",
    QuarantineState.RELEASED: "green",
    QuarantineState.DISCARDED: "grey",
}


def export_response(rows: QuerySet[QuarantinedRow], *, format: str) -> FileResponse:  # noqa: A002
    """The rows as a download; a large one lies on disk while it is made."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export.write(rows, stream, format=format)
    stream.seek(0)
    name = f"quarantine-{timezone.now():%Y%m%d-%H%M%S}.{format}"
    return FileResponse(stream, as_attachment=True, filename=name)


class ReasonFilter(admin.SimpleListFilter):
    """Rows by why they were rejected."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every reason there is."""
        return [(reason.value, reason.value) for reason in Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the chosen reason."""
        return selectors.with_reasons(queryset, [self.value() or ""]) if self.value() else queryset


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(HistoryAdmin):
    list_display = ("file_link", "sheet_row", "domain", "state_badge", "reasons_text", "created_at")
    list_filter = ("state", ReasonFilter, "domain", "file__platform", "created_at")
    list_select_related = ("file",)
    search_fields = ("file__original_name", "item__task__task_id")
    actions = ("export_xlsx", "export_csv")
    empty_hint = _("No quarantined rows: every row that was read could be trusted.")
    fields = (
        "file_link", "sheet_row", "state_badge", "reasons_table", "original_row", "corrected", "domain", "item",
        "template", "created_at", "decided_by", "decided_at",
    )  # fmt: skip

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let a task's and a file's page link to their rows."""
        linked = {"item__task__id__exact", "file__id__exact"}
        return lookup in linked or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("file"), ordering="file")
    def file_link(self, row: Any) -> object:
        """The file, linked."""
        return link(row.file)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, row: Any) -> SafeString:
        """The state, coloured."""
        return badge(row.get_state_display(), QUARANTINE_COLOURS[row.state])

    @admin.display(description=_("reasons"))
    def reasons_text(self, row: Any) -> str:
        """The reasons in one line."""
        return export.reasons_text(row)

    @admin.display(description=_("reasons"))
    def reasons_table(self, row: Any) -> SafeString | str:
        """Column, reason and value, one a line."""
        reasons = ((reason["header"] or _("whole row"), reason["code"], reason["value"]) for reason in row.reasons)
        return grid((_("column"), _("reason"), _("value")), reasons)

    @admin.display(description=_("original row"))
    def original_row(self, row: Any) -> SafeString | str:
        """Every cell under its header."""
        return pairs_table(zip(row.header_set.headers, row.values, strict=False))

    @admin.action(description=_("Export as xlsx, with reasons"), permissions=("view",))
    def export_xlsx(self, request: HttpRequest, queryset: QuerySet[Any]) -> FileResponse:
        """Download the chosen rows as a workbook."""
        return export_response(_whole(queryset), format="xlsx")

    @admin.action(description=_("Export as csv, with reasons"), permissions=("view",))
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> FileResponse:
        """Download the chosen rows as CSV."""
        return export_response(_whole(queryset), format="csv")


def _whole(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The chosen rows with what an export says of them."""
    return queryset.select_related("file__shop", "item__task", "header_set")


@admin.register(QualityReport)
class QualityReportAdmin(HistoryAdmin):
    list_display = (
        "id", "platform", "shop", "domain", "period_start", "period_end", "score_badge", "rows", "duplicates",
        "parse_failures", "missing", "created_at",
    )  # fmt: skip
    list_filter = ("domain", "platform", "created_at")
    list_select_related = ("platform", "shop")
    search_fields = ("shop__name", "shop__shop_id", "task__task_id")
    empty_hint = _("No quality report yet. One is made for each shop and domain when a sync ends.")
    fields = (
        "platform", "shop", "domain", "period_start", "period_end", "score_badge", "rows", "missing",
        "completeness_table", "duplicates", "parse_failures", "change_table", "task_link", "created_at",
    )  # fmt: skip

    @admin.display(description=_("score"), ordering="score")
    def score_badge(self, report: Any) -> SafeString | str:
        """The score, green from 90, amber from 70."""
        if report.score is None:
            return "–"
        colour = "green" if report.score >= 90 else "amber" if report.score >= 70 else "red"
        return badge(f"{report.score:.1f}", colour)

    @admin.display(description=_("missing fields"))
    def missing(self, report: Any) -> str:
        """The core fields without any value."""
        return ", ".join(report.missing_fields)

    @admin.display(description=_("completeness by field"))
    def completeness_table(self, report: Any) -> SafeString | str:
        """How many rows in a hundred hold each core field."""
        return pairs_table(report.completeness.items())

    @admin.display(description=_("change against the previous period"))
    def change_table(self, report: Any) -> SafeString | str:
        """What changed since the shop's previous period."""
        return pairs_table(report.change.items())

    @admin.display(description=_("task"))
    def task_link(self, report: Any) -> object:
        """The task, linked."""
        return link(report.task)


@admin.register(ConfirmedRows)
class ConfirmedRowsAdmin(HistoryAdmin):
    list_display = ("file", "platform", "domain", "granularity", "row_count", "collected_at")
    list_filter = ("platform", "domain", "granularity")
    list_select_related = ("file", "platform")
    search_fields = ("file__original_name",)
    fields = ("file", "platform", "domain", "sub_domain", "granularity", "collected_at", "row_count")
    empty_hint = _("Nothing yet: rows are noted here when a newer export repeats them unchanged.")

    @admin.display(description=_("rows"))
    def row_count(self, confirmed: Any) -> int:
        """How many rows were repeated."""
        return len(confirmed.keys) // 16


@admin.register(HeaderSet)
class HeaderSetAdmin(HistoryAdmin):
    list_display = ("id", "column_count", "beginning")
    search_fields = ("=digest",)
    fields = ("digest", "column_count", "headers_table")
    empty_hint = _("No header yet: each is stored once, when the first file with it is synced.")

    @admin.display(description=_("columns"))
    def column_count(self, header_set: Any) -> int:
        """How many columns it has."""
        return len(header_set.headers)

    @admin.display(description=_("begins with"))
    def beginning(self, header_set: Any) -> str:
        """The first headers."""
        return ", ".join(header_set.headers[:6])

    @admin.display(description=_("headers"))
    def headers_table(self, header_set: Any) -> SafeString | str:
        """Every header with its place."""
        return pairs_table(enumerate(header_set.headers, start=1))
