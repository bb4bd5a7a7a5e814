"""How complete the data is, what newer exports have confirmed, and the headers that files came with."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin, badge, link, pairs_table
from datasync.admin.field_names import FIELD_NAMES
from datasync.admin.sight import if_seen
from datasync.models import ConfirmedRows, HeaderSet, QualityReport


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
        return ", ".join(str(FIELD_NAMES.get(name, name)) for name in report.missing_fields)

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
        return link(if_seen(report.task, report))


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
