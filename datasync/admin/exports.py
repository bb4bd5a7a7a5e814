"""Archives that people asked for: how far each is, and its download."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import IntegerField, QuerySet, Value
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import NOTHING, HistoryAdmin, error_text, operator, progress_bar, state_badge
from datasync.choices import EXPORT_COLOURS
from datasync.exports.services import download_url, exports_visible_to
from datasync.models import ExportArchive


@admin.register(ExportArchive)
class ExportArchiveAdmin(HistoryAdmin):
    list_display = ("id", "what", "badge", "files", "download", "asked_by", "created_at", "expires_at")
    list_filter = ("state", "what")
    list_select_related = ("owner",)
    fields = (
        "what", "badge", "error_shown", "files", "download", "size", "asked_by", "created_at", "finished_at",
        "expires_at",
    )  # fmt: skip
    empty_hint = gettext_lazy("No archives yet: they are asked for by the API, or by “manage.py files export”.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportArchive]:
        """What the API shows the same person, each with whom its link is for."""
        archives: QuerySet[ExportArchive] = super().get_queryset(request)
        person = operator(request)
        seen = archives.filter(pk__in=exports_visible_to(person).order_by().values("pk"))
        return seen.annotate(shown_to=Value(person.pk, IntegerField()))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, archive: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(archive, EXPORT_COLOURS)

    @admin.display(description=gettext_lazy("files"))
    def files(self, archive: Any) -> SafeString:
        """How many are in it by now."""
        return progress_bar(archive.done_files, len(archive.file_ids))

    @admin.display(description=gettext_lazy("download"))
    def download(self, archive: Any) -> SafeString | str:
        """The link, as long as it holds."""
        address = download_url(archive, person_id=archive.shown_to)
        return format_html('<a href="{}">{}</a>', address, _("Download")) if address else NOTHING

    @admin.display(description=gettext_lazy("owner"), ordering="owner")
    def asked_by(self, archive: Any) -> str:
        """Who asked for it; on the command line it may be nobody."""
        return str(archive.owner or _("command line"))

    @admin.display(description=gettext_lazy("error"))
    def error_shown(self, archive: Any) -> SafeString | str:
        """Why it could not be made."""
        return error_text(archive.error)
