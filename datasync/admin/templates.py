"""Header templates: read them, correct them by a new version, publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import OperatorAdmin, badge, list_link, operator, template_name
from datasync.admin.comparison import CompareActs
from datasync.admin.messages import report_error
from datasync.admin.remap import RemapAction
from datasync.admin.sight import looker, sight_of, within
from datasync.admin.template_acts import TemplateActs
from datasync.admin.template_form import FAMILY, READING, ColumnFormSet, ColumnInline, TemplateForm, is_draft
from datasync.admin.template_import import TemplateImport
from datasync.choices import TemplateOrigin, TemplateState
from datasync.exceptions import SyncError
from datasync.mapping import services
from datasync.mapping.coverage import Coverage, coverage
from datasync.mapping.store import family_rows
from datasync.mapping.template import Template
from datasync.models import CatalogFile, HeaderTemplate

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

OUTDATED = "outdated"
TEMPLATE_COLOURS = {TemplateState.DRAFT: "amber", TemplateState.PUBLISHED: "green", TemplateState.ARCHIVED: "grey"}
_MADE = ("version", "state_badge", "origin", "fingerprint", "created_at", "created_by", "published_at", "file_list")


class CoverageFilter(admin.SimpleListFilter):
    """Templates of families whose files need one, or a newer one."""

    title = _("coverage")
    parameter_name = "coverage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrPromise]]:
        """How a family with templates can stand."""
        return [(Coverage.NEEDS_UPDATE.value, _("files do not fit")), (OUTDATED, _("headers have moved away"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The templates of those families, or those that are outdated themselves; files in sight decide."""
        if self.value() not in {OUTDATED, Coverage.NEEDS_UPDATE}:
            return queryset
        families = coverage(sight=sight_of(request))
        if self.value() == OUTDATED:
            return queryset.filter(pk__in=[old.template_id for one in families for old in one.outdated])
        wanted = Q(pk__in=[])
        for one in families:
            if one.status is Coverage.NEEDS_UPDATE:
                wanted |= Q(**family_rows(one.family))
        return queryset.filter(wanted)


@admin.register(HeaderTemplate)
class HeaderTemplateAdmin(TemplateActs, CompareActs, RemapAction, TemplateImport, OperatorAdmin):
    form = TemplateForm
    change_list_template = "admin/datasync/template_list.html"
    list_display = (
        "name", "state_badge", "origin", "number_format", "column_count", "published_at",
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
    actions = ("publish", "new_version", "archive", "compare", "compare_file", "export", "recheck", "remap")
    empty_hint = _("No template yet. Load those that come along: “manage.py templates load”.")

    def get_urls(self) -> list[Any]:
        """The pages besides Django's own."""
        wrap = self.admin_site.admin_view
        return [
            path("import/", wrap(self.import_view), name="datasync_headertemplate_import"),
            path("<int:template_id>/compare/", wrap(self.compare_view), name="datasync_headertemplate_compare"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Offer the import to those who may."""
        context = {"may_import": self.has_import_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the columns along."""
        templates = super().get_queryset(request)
        counted: QuerySet[Any] = templates.annotate(counted_columns=Count("columns"))
        return counted

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where it stands is known only of what is made."""
        said = ((None, {"fields": (*FAMILY, "notes")}), (_("how it is read"), {"fields": READING}))
        return said if obj is None else (*said, (_("where it stands"), {"fields": _MADE}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A published template never changes; a correction is a new version."""
        return _MADE if is_draft(obj) else (*FAMILY, *READING, *_MADE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft can be thrown away."""
        return obj is not None and is_draft(obj) and super().has_delete_permission(request, obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell what somebody else's act has made impossible meanwhile."""
        return _or_refused(request, lambda: super(HeaderTemplateAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell what somebody else's act has made impossible meanwhile."""
        return _or_refused(request, lambda: super(HeaderTemplateAdmin, self).delete_view(request, *args, **kwargs))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only the notes of what is published change; a draft is written together with its columns."""
        if not is_draft(obj):
            obj.save(update_fields=["notes"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write a draft as every other door does: numbered, checked, and in the audit."""
        for formset in formsets:
            formset.save(commit=False)  # writes nothing; Django's log of the page reads what it finds
        row = form.instance
        if not is_draft(row):
            return
        template, actor = _checked(formsets), operator(request)
        if change:
            services.replace_draft(row.pk, template, actor=actor, notes=row.notes)
        else:
            row.pk = services.new_version(template, origin=TemplateOrigin.OPERATOR, actor=actor, notes=row.notes).pk
        row.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Throw a draft away."""
        services.delete_draft(obj.pk, actor=operator(request))

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, template: Any) -> SafeString | str:
        """The state, coloured."""
        return badge(template.get_state_display(), TEMPLATE_COLOURS[template.state])

    @admin.display(description=_("header template"))
    def name(self, template: Any) -> SafeString | str:
        """Family, version and variant."""
        return template_name(template)

    @admin.display(description=_("columns"), ordering="counted_columns")
    def column_count(self, template: Any) -> int:
        """How many columns it has."""
        return int(template.counted_columns)

    @admin.display(description=_("files"))
    def file_list(self, template: Any) -> SafeString | str:
        """A link to the files that fit, as far as they are in sight."""
        files = within(CatalogFile.objects.filter(template=template), looker(template))
        return list_link(CatalogFile, f"{files.count():,}", template__id__exact=template.pk)


def _checked(formsets: Sequence[Any]) -> Template:
    """The template that the page's form and columns make; they are valid."""
    (template,) = (formset.template for formset in formsets if isinstance(formset, ColumnFormSet))
    assert template is not None  # noqa: S101 - a valid formset has made it
    return template


def _or_refused(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """What a view answers; where it is refused, the page again with the reason."""
    try:
        return view()
    except SyncError as error:
        report_error(request, error)
        return HttpResponseRedirect(request.get_full_path())
