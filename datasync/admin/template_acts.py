"""What is done with templates from their list. Publishing and archiving say first what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasync.access import Sight
from datasync.admin.base import NOTHING, error_text, grid, link, operator
from datasync.admin.messages import report_error
from datasync.admin.sight import sight_of
from datasync.exceptions import SyncError
from datasync.mapping import services
from datasync.mapping.publishing import Archiving, Publishing
from datasync.mapping.store import family_of
from datasync.mapping.versions import exported, find_template
from datasync.models import HeaderTemplate

_CONFIRMED = "confirmed"


class TemplateActs:
    """For the page of header templates."""

    admin_site: Any
    opts: Any

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """What acts on the files and rows of all shops is for who may change templates and sees all shops."""
        return bool(self.has_change_permission(request)) and not sight_of(request).limited  # type: ignore[attr-defined]

    @admin.action(description=_("Publish …"), permissions=("publish",))
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Show what publishing the chosen drafts would do; asked again from there, publish them."""
        rows = list(queryset.order_by("version", "pk"))
        if _CONFIRMED not in request.POST:
            headers = (
                gettext("template"), gettext("archived by it"), gettext("files that get it"),
                gettext("files that lose their template"), gettext("left to a worker"),
            )  # fmt: skip
            table = grid(headers, (_told(row, _publishing, sight_of(request)) for row in rows))
            return self._question(request, rows, title=gettext("Publish"), action="publish", table=table)
        for row in rows:
            try:
                done = services.publish_draft(row.pk, actor=operator(request), sight=sight_of(request))
            except SyncError as error:
                report_error(request, error, about=str(row))
                continue
            told = {"name": row, "files": f"{done.files:,}", "deferred": f"{done.deferred:,}"}
            if done.deferred:
                text = _("Published %(name)s. A worker looks at the %(deferred)s files that wait for one.")
            else:
                text = _("Published %(name)s. Waiting files that got it: %(files)s.")
            messages.success(request, text % told)
        return None

    @admin.action(description=_("Archive …"), permissions=("publish",))
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Show what archiving the chosen templates would do; asked again from there, archive them."""
        rows = list(queryset.order_by("version", "pk"))
        if _CONFIRMED not in request.POST:
            headers = (
                gettext("template"), gettext("files that lose it"), gettext("of them get another"),
                gettext("left to a worker"), gettext("published templates left in its family"),
            )  # fmt: skip
            table = grid(headers, (_told(row, _archiving, sight_of(request)) for row in rows))
            return self._question(request, rows, title=gettext("Archive"), action="archive", table=table)
        for row in rows:
            done = services.archive_template(row.pk, actor=operator(request), sight=sight_of(request))
            counts = {"files": f"{done.pending_files:,}", "rematched": f"{done.rematched:,}"}
            text = _("Archived %(name)s. Files that lost it: %(files)s; of them got another: %(rematched)s.")
            messages.success(request, text % {"name": row, **counts})
        return None

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
        done = services.recheck_soon(families={family_of(row) for row in queryset}, sight=sight_of(request))
        told = {"files": f"{done.matched:,}", "deferred": f"{done.deferred:,}"}
        text = _("Waiting files that got a template: %(files)s; left to a worker: %(deferred)s.")
        messages.success(request, text % told)

    def _question(
        self, request: HttpRequest, rows: Iterable[HeaderTemplate], *, title: str, action: str, table: SafeString | str
    ) -> TemplateResponse:
        """What an act would do to each template, and the button that does it."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "table": table,
            "action": action,
            "confirmed": _CONFIRMED,
            "checkbox": ACTION_CHECKBOX_NAME,
            "template_ids": [row.pk for row in rows],
        }
        return TemplateResponse(request, "admin/datasync/template_question.html", context)


def _told(row: HeaderTemplate, tell: Callable[[int, Sight], tuple[object, ...]], sight: Sight) -> tuple[object, ...]:
    """A line on one template; one with which it cannot be done does not hide the others."""
    try:
        return link(row), *tell(row.pk, sight)
    except SyncError as error:
        return link(row), error_text(error.document)


def _publishing(template_id: int, sight: Sight) -> tuple[object, ...]:
    told: Publishing = services.publishing_of(template_id, sight=sight)
    archived = ", ".join(str(row) for row in told.archived) or NOTHING
    return archived, f"{told.files:,}", f"{told.losing:,}", f"{told.deferred:,}"


def _archiving(template_id: int, sight: Sight) -> tuple[object, ...]:
    told: Archiving = services.archiving_of(template_id, sight=sight)
    return tuple(f"{count:,}" for count in (told.pending_files, told.rematched, told.deferred, told.other_variants))
