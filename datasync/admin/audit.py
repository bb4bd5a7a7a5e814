"""The audit: who did what, newest first."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin, link, short_name, template_name
from datasync.admin.sight import looker
from datasync.models import AuditEntry

_SHOWN = 20_000
"""Characters of the detail: a batch of a thousand corrected rows is longer than anybody reads."""

_OF_THE_FILE = frozenset(
    {"rows", "name", "state", "stored_rows", "sheet_rows", "outcomes", "shared", "changes", "changed"}
)
"""Details that tell of the file it was done to alone: others name tasks, files and what was asked for."""
_OF_OTHERS = frozenset({"shop", "account"})
"""Changes of a description that may name a shop which the file was of before."""


@admin.register(AuditEntry)
class AuditEntryAdmin(HistoryAdmin):
    list_display = ("at", "who", "action", "about", "rows", "note")
    list_filter = ("action", "at")
    list_select_related = ("file", "template__platform")
    search_fields = ("actor_name", "note", "file__original_name")
    fields = ("at", "who", "action", "file_link", "template", "rows", "note", "detail_text")
    empty_hint = _("Nothing yet: corrections, releases, deletions and changes of templates are written down here.")

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, entry: Any) -> str:
        """The person's name at that time."""
        return entry.actor_name or str(_("command line"))

    @admin.display(description=_("about"))
    def about(self, entry: Any) -> object:
        """The file or the template that it was done to."""
        return short_name(entry.file) if entry.file else template_name(entry.template)

    @admin.display(description=_("file"))
    def file_link(self, entry: Any) -> object:
        """The file, linked."""
        return link(entry.file)

    @admin.display(description=_("detail"))
    def detail_text(self, entry: Any) -> SafeString:
        """What is needed to follow it up; to whoever is limited to shops, what tells of nothing else."""
        told = _of_the_file(entry.detail) if looker(entry).limited else entry.detail
        return format_html("<pre>{}</pre>", json.dumps(told, ensure_ascii=False, indent=1)[:_SHOWN])


def _of_the_file(detail: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in detail.items() if name in _OF_THE_FILE}
    if "changed" in told:
        told["changed"] = {name: value for name, value in told["changed"].items() if name not in _OF_OTHERS}
    return told
