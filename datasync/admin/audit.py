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

_OF_FILES = frozenset({"handed_over"})
"""Details that name other files than the one it was done to."""


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
        """What is needed to follow it up; other files are not named to who may not see them."""
        told = {
            name: value for name, value in entry.detail.items() if not (name in _OF_FILES and looker(entry).limited)
        }
        return format_html("<pre>{}</pre>", json.dumps(told, ensure_ascii=False, indent=1)[:_SHOWN])
