"""What the pages of files show of a file."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import NOTHING, error_text, filled, grid, link, list_link, pairs_table, state_badge
from datasync.choices import FILE_COLOURS
from datasync.models import QuarantinedRow, SyncTaskFile
from datasync.runs.words import error_in_words

_LISTED = ("inserted", "updated", "unchanged", "quarantined")


class FileColumns:
    """Read-only columns of ``CatalogFile``, for the list and the page."""

    @admin.display(description=gettext_lazy("file"), ordering="original_name")
    def short_name(self, file: Any) -> SafeString:
        """The name, cut where it is long; the whole of it is read when pointing at it."""
        return format_html('<span class="short-name" title="{0}">{0}</span>', file.original_name)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, file: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(file, FILE_COLOURS)

    @admin.display(description=gettext_lazy("rows of the last sync"))
    def row_summary(self, file: Any) -> str:
        """Where the rows went, without what is zero."""
        names = {"inserted": _("inserted"), "updated": _("updated"), "unchanged": _("unchanged")}
        names["quarantined"] = _("quarantined")
        shown = (filled(names[name], file.rows.get(name, 0)) for name in _LISTED)
        return ", ".join(part for part in shown if part) or NOTHING

    @admin.display(description=gettext_lazy("error"))
    def last_error_code(self, file: Any) -> SafeString | str:
        """The code of the last error; what it means is read when pointing at it."""
        if not file.last_error:
            return ""
        told = error_in_words(file.last_error)
        return format_html('<span title="{} {}">{}</span>', told["message"], told["recovery"], told["code"])

    @admin.display(description=gettext_lazy("last error"))
    def error(self, file: Any) -> SafeString | str:
        """What went wrong and what to do."""
        return error_text(file.last_error)

    @admin.display(description=gettext_lazy("rows of the last sync"))
    def row_table(self, file: Any) -> SafeString | str:
        """All counts of the last sync."""
        return pairs_table((_(name), f"{count:,}") for name, count in file.rows.items())

    @admin.display(description=gettext_lazy("template"))
    def template_link(self, file: Any) -> SafeString | str:
        """The template that fits, and in what the header differs from it."""
        differences = ((name, _joined(file.match[name])) for name in _DIFFERENCES if file.match.get(name))
        return format_html("{} {}", link(file.template), pairs_table(differences) if file.match else "")

    @admin.display(description=gettext_lazy("suggested mapping"))
    def suggestion_table(self, file: Any) -> SafeString | str:
        """What each column would feed, how sure that is, and why."""
        columns = file.suggestion.get("columns", []) if file.suggestion else []
        rows = (
            (
                column.get("header", ""),
                column.get("field") or NOTHING,
                column.get("kind", ""),
                f"{column.get('confidence', 0):.0%}",
                column.get("reason", ""),
            )
            for column in columns
        )
        return grid((_("header"), _("field"), _("kind"), _("confidence"), _("reason")), rows)

    @admin.display(description=gettext_lazy("column profile"))
    def profile_table(self, file: Any) -> SafeString | str:
        """Type, emptiness, range and examples of each column."""
        if not file.profile:
            return NOTHING
        headers = list(file.profile[0])
        return grid(headers, ([_joined(column.get(name)) for name in headers] for column in file.profile))

    @admin.display(description=gettext_lazy("who said so"))
    def sources(self, file: Any) -> SafeString | str:
        """Where each part of the description comes from."""
        return pairs_table(file.description_sources.items())

    @admin.display(description=gettext_lazy("syncs"))
    def tasks(self, file: Any) -> SafeString:
        """A link to every sync of the file."""
        return list_link(SyncTaskFile, _("all syncs of this file"), file__id__exact=file.pk)

    @admin.display(description=gettext_lazy("quarantined rows"))
    def quarantined(self, file: Any) -> SafeString:
        """A link to the file's quarantined rows."""
        return list_link(QuarantinedRow, f"{file.quarantined.count():,}", file__id__exact=file.pk)


_DIFFERENCES = ("outcome", "added", "missing", "missing_required", "renamed", "likely_renamed", "contradictions")


def _joined(value: Any) -> str:
    """A value of a JSON document in one line."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(" → ".join(map(str, part)) if isinstance(part, list | tuple) else str(part) for part in value)
    return str(value)
