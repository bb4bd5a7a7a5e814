"""The catalogue: describe files, sync them, publish the mapping that is suggested for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from datasync.admin.base import OperatorAdmin, link, operator, text_when_shown
from datasync.admin.deletion import delete_chosen, restore_chosen
from datasync.admin.dry_run import what_would_a_sync_do
from datasync.admin.file_columns import FileColumns
from datasync.admin.flow import FileFlow
from datasync.admin.messages import report_busy, report_error
from datasync.admin.quarantine import export_response
from datasync.admin.sight import sight_of
from datasync.catalog import services as catalog
from datasync.catalog.rights import may_delete_files
from datasync.choices import FileState
from datasync.exceptions import SyncError
from datasync.mapping import services as mapping
from datasync.models import CatalogFile
from datasync.quarantine import selectors as quarantine
from datasync.runs import services as runs

MOST_FILES = 1000
_LIST = "datasync_catalogfile_changelist"
DESCRIPTION = (
    "platform", "source_platform", "shop", "domain", "sub_domain", "granularity", "period_start", "period_end",
    "collected_at", "account",
)  # fmt: skip


def _no_files() -> str:
    hint = gettext(
        "No files yet. Put export files into %(roots)s and press “Scan folders”; “make demo” makes sample files."
    )
    return hint % {"roots": ", ".join(str(root) for root in settings.DATA_ROOTS)}


def _asks_for_state(request: HttpRequest) -> bool:
    return any(name.startswith("state") for name in request.GET)


@admin.register(CatalogFile)
class CatalogFileAdmin(FileFlow, FileColumns, OperatorAdmin):
    list_display = (
        "short_name",
        "state_and_error",
        "row_summary",
        "platform",
        "domain",
        "shop",
        "template_name",
    )
    list_filter = ("state", "platform", "source_platform", "domain", "sub_domain", "granularity", "format", "root")
    list_select_related = ("platform", "shop", "template")
    search_fields = ("original_name", "storage_name", "=sha256", "=content_sha256", "shop__name", "shop__shop_id")
    actions = (
        what_would_a_sync_do,
        "sync", "sync_strictly", "sync_without_template", "suggest_mapping", "publish_suggestion", "export_quarantine",
        delete_chosen, restore_chosen,
    )  # fmt: skip
    autocomplete_fields = ("shop",)
    empty_hint = text_when_shown(_no_files)
    fieldsets = (
        (None, {"fields": (
            "original_name", "state_badge", "error", "row_table", "row_flow", "synced_at", "tasks", "quarantined",
        )}),
        (_("what it holds"), {
            "description": _("What you write here outranks the side file, the name, the folder and the content."),
            "fields": DESCRIPTION,
        }),
        (_("how it is read"), {"fields": (
            "template_link", "suggestion_table", "format", "encoding", "sheet", "header_row", "profile_table",
        )}),
        (_("where it lies"), {"fields": (
            "root", "storage_name", "size", "modified_at", "sha256", "content_sha256", "first_seen_at", "uploaded_by",
            "sources",
        )}),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Everything but the description."""
        shown = [name for _title, options in self.fieldsets or () for name in options["fields"]]
        return tuple(str(name) for name in shown if name not in DESCRIPTION)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Files come by scan, upload or command."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A file carries the lineage of its rows."""
        return False

    def has_delete_files_permission(self, request: HttpRequest) -> bool:
        """Who may delete by the API may delete here, and nobody else."""
        return may_delete_files(operator(request))

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """A template is for the files of all shops."""
        return self.has_change_permission(request) and not sight_of(request).limited

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A deleted file is only looked at."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state != FileState.DELETED)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogFile]:
        """All files; the list shows deleted ones when it is asked for their state only."""
        files: QuerySet[CatalogFile] = super().get_queryset(request)
        in_list = request.resolver_match is not None and request.resolver_match.url_name == _LIST
        return files.exclude(state=FileState.DELETED) if in_list and not _asks_for_state(request) else files

    def get_urls(self) -> list[Any]:
        """The pages of files, and the button that scans."""
        scan = path("scan/", self.admin_site.admin_view(require_POST(self.scan)), name="datasync_catalogfile_scan")
        return [scan, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Offer the scan to those who may change files of all shops."""
        tools = [{"address": reverse("admin:datasync_catalogfile_scan"), "label": _("Scan folders")}]
        context = {"tools": tools if self._may_scan(request) else [], **(extra_context or {})}
        return super().changelist_view(request, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Correct the description by the catalogue's own service, so that the file is matched anew."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in DESCRIPTION}
        if not changed:
            return
        try:
            described = CatalogFile.objects.get(pk=obj.pk)
            catalog.describe_file(described, actor=operator(request), sight=sight_of(request), **changed)
        except SyncError as error:
            report_error(request, error, about=obj.original_name)

    def scan(self, request: HttpRequest) -> HttpResponse:
        """Scan the configured folders and say what was found."""
        if not self._may_scan(request):
            raise PermissionDenied
        try:
            result = catalog.scan(actor=operator(request), sight=sight_of(request))
        except SyncError as error:
            report_error(request, error)
        else:
            found = _("Scanned: %(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(missing)s missing.")
            messages.success(request, found % asdict(result))
        return HttpResponseRedirect(reverse("admin:datasync_catalogfile_changelist"))

    def _may_scan(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request) and not sight_of(request).limited

    # What is done with chosen files

    @admin.action(description=_("Sync"), permissions=("change",))
    def sync(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Sync the chosen files; rows that cannot be trusted are quarantined."""
        self._submit(request, queryset)

    @admin.action(description=_("Sync, refusing files with rows to quarantine"), permissions=("change",))
    def sync_strictly(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Sync the chosen files whole or not at all."""
        self._submit(request, queryset, allow_quarantine=False)

    @admin.action(description=_("Sync with the suggested mapping where no template fits"), permissions=("change",))
    def sync_without_template(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Sync the chosen files, those without a template too."""
        self._submit(request, queryset, only_with_template=False)

    @admin.action(description=_("Suggest a mapping"), permissions=("change",))
    def suggest_mapping(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make a suggestion for each chosen file; it is shown on the file's page."""
        self._each(
            request,
            queryset,
            mapping.suggest_for_file,
            _("Suggested a mapping for {file}: look at it on its page, then publish it."),
        )

    @admin.action(description=_("Publish the suggested mapping"), permissions=("publish",))
    def publish_suggestion(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Publish the suggestion of each chosen file as a template."""
        self._each(
            request,
            queryset,
            lambda file: mapping.publish_suggestion(file, actor=operator(request), sight=sight_of(request)),
            _("Published a template from {file}: it can be synced now."),
        )

    @admin.action(description=_("Export quarantined rows (xlsx)"), permissions=("view",))
    def export_quarantine(self, request: HttpRequest, queryset: QuerySet[Any]) -> FileResponse | None:
        """Download the quarantined rows of the chosen files, with reasons."""
        chosen = quarantine.Filters(file_ids=list(queryset.values_list("pk", flat=True)))
        rows = quarantine.rows(chosen, sight=sight_of(request))
        if not rows.exists():
            messages.info(request, _("These files have no quarantined rows."))
            return None
        return export_response(request, rows, format="xlsx")

    def _submit(self, request: HttpRequest, queryset: QuerySet[Any], **flags: bool) -> None:
        """Queue the chosen files and say what came of it, with a link to the task."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST_FILES + 1])
        if len(ids) > MOST_FILES:
            messages.error(request, _("Choose %(most)s files at most.") % {"most": f"{MOST_FILES:,}"})
            return
        try:
            submission = runs.submit_by_ids(file_ids=ids, owner=operator(request), sight=sight_of(request), **flags)
        except SyncError as error:
            report_error(request, error)
            return
        report_busy(request, submission.busy_file_ids)
        count = submission.task.total_files
        queued = ngettext("Queued %(count)s file:", "Queued %(count)s files:", count) % {"count": count}
        messages.success(request, format_html("{} {}", queued, link(submission.task)))

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Any], work: Callable[[CatalogFile], object], done: Any
    ) -> None:
        """Do something with each chosen file; one that fails does not stop the others."""
        for file in queryset.exclude(state=FileState.DELETED):
            try:
                work(file)
            except SyncError as error:
                report_error(request, error, about=file.original_name)
            else:
                messages.success(request, format_html(str(done), file=link(file, file.original_name)))
