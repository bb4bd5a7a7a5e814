"""Header templates: read them, correct them by a new version, publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import OperatorAdmin, badge, link, list_link, operator
from datasync.admin.comparison import comparison_table
from datasync.admin.messages import report_error
from datasync.admin.remap import RemapAction
from datasync.choices import TemplateState
from datasync.exceptions import SyncError
from datasync.fields import FIELDS, Kind
from datasync.mapping import services
from datasync.mapping.compare import compare_templates
from datasync.mapping.coverage import Coverage, coverage
from datasync.mapping.store import family_of, family_rows, to_template
from datasync.mapping.versions import exported, find_template
from datasync.models import CatalogFile, HeaderTemplate, TemplateColumn

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

OUTDATED = "outdated"
TEMPLATE_COLOURS = {TemplateState.DRAFT: "amber", TemplateState.PUBLISHED: "green", TemplateState.ARCHIVED: "grey"}
_FAMILY = ("platform", "source_platform", "domain", "sub_domain", "granularity", "version", "variant")
_READING = (
    "header_row", "header_rows", "data_row", "sheet", "number_format", "identity", "ordinal", "totals_on_every_line",
)  # fmt: skip
_MADE = ("state_badge", "origin", "fingerprint", "created_at", "created_by", "published_at", "file_list")


class ColumnForm(forms.ModelForm[Any]):
    """A column, its field and kind chosen from what there is."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Kind])
    field = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("kept in the original row only")),
            *((domain.value, [(name, name) for name in fields]) for domain, fields in FIELDS.items()),
        ],
    )

    class Meta:
        model = TemplateColumn
        fields = ("position", "header", "field", "kind", "format", "required", "aliases")


class ColumnInline(admin.TabularInline[Any, Any]):
    model = TemplateColumn
    form = ColumnForm
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft gets columns."""
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft's columns change."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft loses columns."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)


class CoverageFilter(admin.SimpleListFilter):
    """Templates of families whose files need one, or a newer one."""

    title = _("coverage")
    parameter_name = "coverage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrPromise]]:
        """How a family with templates can stand."""
        return [(Coverage.NEEDS_UPDATE.value, _("files do not fit")), (OUTDATED, _("headers have moved away"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The templates of those families, or those that are outdated themselves."""
        if self.value() == OUTDATED:
            return queryset.filter(pk__in=[old.template_id for one in coverage() for old in one.outdated])
        if self.value() != Coverage.NEEDS_UPDATE:
            return queryset
        wanted = Q(pk__in=[])
        for one in coverage():
            if one.status is Coverage.NEEDS_UPDATE:
                wanted |= Q(**family_rows(one.family))
        return queryset.filter(wanted)


@admin.register(HeaderTemplate)
class HeaderTemplateAdmin(RemapAction, OperatorAdmin):
    list_display = (
        "__str__", "state_badge", "origin", "header_row", "number_format", "column_count", "published_at",
    )  # fmt: skip
    list_filter = (
        "state",
        CoverageFilter,
        "platform",
        "source_platform",
        "domain",
        "sub_domain",
        "granularity",
        "origin",
    )
    search_fields = ("variant", "columns__header", "notes")
    inlines = (ColumnInline,)
    actions = ("publish", "new_version", "archive", "compare", "export", "recheck", "remap")
    empty_hint = _("No template yet. Load those that come along: “manage.py templates load”.")
    fieldsets = (
        (None, {"fields": (*_FAMILY, "notes")}),
        (_("how it is read"), {"fields": _READING}),
        (_("where it stands"), {"fields": _MADE}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the columns along."""
        templates = super().get_queryset(request)
        counted: QuerySet[Any] = templates.annotate(counted_columns=Count("columns"))
        return counted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A published template never changes; a correction is a new version."""
        return _MADE if _is_draft(obj) else (*_FAMILY, *_READING, *_MADE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft can be thrown away."""
        return obj is not None and _is_draft(obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Note who made it."""
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Bring the fingerprint of a draft up to its columns."""
        super().save_related(request, form, formsets, change)
        row = form.instance
        if _is_draft(row):
            HeaderTemplate.objects.filter(pk=row.pk).update(fingerprint=to_template(row).fingerprint)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, template: Any) -> SafeString | str:
        """The state, coloured."""
        return badge(template.get_state_display(), TEMPLATE_COLOURS[template.state])

    @admin.display(description=_("columns"), ordering="counted_columns")
    def column_count(self, template: Any) -> int:
        """How many columns it has."""
        return int(template.counted_columns)

    @admin.display(description=_("files"))
    def file_list(self, template: Any) -> SafeString | str:
        """A link to the files that fit."""
        if template.pk is None:
            return ""
        return list_link(CatalogFile, f"{template.files.count():,}", template__id__exact=template.pk)

    @admin.action(description=_("Publish"), permissions=("change",))
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Publish the chosen drafts; each takes the place of its variant's last version."""
        for row in queryset:
            try:
                done = services.publish_draft(row.pk, actor=operator(request))
            except SyncError as error:
                report_error(request, error, about=str(row))
                continue
            told = {"name": row, "files": f"{done.files:,}", "deferred": f"{done.deferred:,}"}
            if done.deferred:
                text = _("Published %(name)s. A worker looks at the %(deferred)s files that wait for one.")
            else:
                text = _("Published %(name)s. Waiting files that got it: %(files)s.")
            messages.success(request, text % told)

    @admin.action(description=_("Make a new version to edit"), permissions=("add",))
    def new_version(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Copy the chosen templates as drafts of the next version."""
        for row in queryset:
            try:
                draft = services.copy_as_draft(row.pk, actor=operator(request))
            except SyncError as error:
                report_error(request, error, about=str(row))
                continue
            made = _("Made a draft; correct it and publish it:")
            messages.success(request, format_html("{} {}", made, link(draft)))

    @admin.action(description=_("Archive"), permissions=("change",))
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take the chosen templates out of use; the rows they read stay."""
        for row in queryset:
            done = services.archive_template(row.pk, actor=operator(request))
            told = {"name": row, "files": f"{done.pending_files:,}"}
            messages.success(request, _("Archived %(name)s. Pending files that lose it: %(files)s.") % told)

    @admin.action(description=_("Compare two versions"), permissions=("view",))
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Show in what the two chosen templates differ; the older version stands first."""
        chosen = sorted(queryset, key=lambda row: (row.version, row.pk))
        if len(chosen) != 2:
            messages.error(request, _("Choose two templates to compare."))
            return None
        before, after = (find_template(row.pk) for row in chosen)
        context = {**self.admin_site.each_context(request), "title": _("Compare two versions"), "opts": self.opts}
        context |= {"before": before, "after": after, "table": comparison_table(compare_templates(before, after))}
        return TemplateResponse(request, "admin/datasync/template_comparison.html", context)

    @admin.action(description=_("Export as a file"), permissions=("view",))
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Download the chosen template as a file that can be reviewed, committed and imported."""
        if queryset.count() != 1:
            messages.error(request, _("Choose one template to export."))
            return None
        file_name, text = exported(find_template(queryset.get().pk))
        headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(text.encode(), content_type="application/toml; charset=utf-8", headers=headers)

    @admin.action(description=_("Let waiting files look again"), permissions=("change",))
    def recheck(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Give files that wait for a template of the chosen families the one that fits, if any does now."""
        done = services.recheck_soon(families={family_of(row) for row in queryset})
        told = {"files": f"{done.matched:,}", "deferred": f"{done.deferred:,}"}
        text = _("Waiting files that got a template: %(files)s; left to a worker: %(deferred)s.")
        messages.success(request, text % told)


def _is_draft(template: Any) -> bool:
    return template is None or template.state == TemplateState.DRAFT
