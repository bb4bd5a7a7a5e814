"""The action that types stored rows again: first what it would do, then a button that starts it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import error_text, grid, link, operator, pairs_table
from datasync.admin.messages import report_error
from datasync.admin.reason_names import reason_in_words
from datasync.admin.sight import sight_of
from datasync.exceptions import SyncError
from datasync.runs.remap.services import RemapPreview, remap_preview, start_remap


class RemapAction:
    """For the page of header templates."""

    admin_site: Any
    opts: Any

    @admin.action(description=_("Type stored rows again"), permissions=("publish",))
    def remap(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Show what a remap of the chosen template would do; asked again from there, start it."""
        if queryset.count() != 1:
            messages.error(request, _("Choose one template to remap."))
            return None
        template = queryset.get()
        try:
            if "start" in request.POST:
                _start(request, template.pk)
                return None
            preview = remap_preview(template.pk, sight=sight_of(request))
        except SyncError as error:
            report_error(request, error, about=str(template))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Type stored rows again"),
            "opts": self.opts,
            "template": template,
            "checkbox": ACTION_CHECKBOX_NAME,
            "preview": preview,
            "rows": f"{preview.rows:,}",
            "sampled": f"{preview.rows_sampled:,}",
            **_tables(preview),
        }
        return TemplateResponse(request, "admin/datasync/template_remap.html", context)


def _start(request: HttpRequest, template_id: int) -> None:
    started = start_remap(template_id, owner=operator(request), sight=sight_of(request))
    if started is None:
        messages.info(request, _("No stored row is concerned."))
        return
    told = {"task": link(started.task), "files": started.task.total_files}
    messages.success(request, format_html(str(_("Started {task} over {files} files.")), **told))
    if started.busy_file_ids:
        text = _("Files left out because something else is being done with them: %(count)s.")
        messages.warning(request, text % {"count": len(started.busy_file_ids)})


def _tables(preview: RemapPreview) -> dict[str, object]:
    """What the preview says, as tables."""
    outcomes = (
        (_("updated"), preview.updated),
        (_("unchanged"), preview.unchanged),
        (_("merged with another row"), preview.merged),
        (_("kept, and shown in quarantine"), preview.quarantined),
        *((reason_in_words(code), count) for code, count in preview.quarantined_by_reason.items()),
    )
    differences = [
        (sample.sheet_row, one.header or one.field, one.stored, one.new)
        for sample in preview.samples
        for one in sample.differences
    ]
    refused = [(refused.file, error_text(refused.error)) for refused in preview.refused_files]
    return {
        "outcomes": pairs_table((name, f"{count:,}") for name, count in outcomes),
        "differences": grid((_("row"), _("column"), _("stored"), _("new")), differences) if differences else "",
        "refused": pairs_table(refused) if refused else "",
    }
