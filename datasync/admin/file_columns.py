"""What the pages of files show of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from datasync.admin.base import (
    NOTHING,
    error_text,
    filled,
    grid,
    link,
    list_link,
    pairs_table,
    short_name,
    state_badge,
    template_name,
)
from datasync.admin.field_names import FIELD_NAMES
from datasync.choices import FILE_COLOURS
from datasync.models import QuarantinedRow, SyncTaskFile
from datasync.runs.words import error_in_words

_LISTED = ("inserted", "updated", "unchanged", "quarantined")


class FileColumns:
    """Read-only columns of ``CatalogFile``, for the list and the page."""

    @admin.display(description=gettext_lazy("file"), ordering="original_name")
    def short_name(self, file: Any) -> SafeString:
        """The name, cut where it is long."""
        return short_name(file)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, file: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(file, FILE_COLOURS)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_and_error(self, file: Any) -> SafeString:
        """The state, and below it the code of the last error, whose meaning is read when pointing at it."""
        state = state_badge(file, FILE_COLOURS)
        if not file.last_error:
            return state
        told = error_in_words(file.last_error)
        return format_html(
            '{} <span class="error-code" title="{} {}">{}</span>',
            state, told["message"], told["recovery"], told["code"],
        )  # fmt: skip

    @admin.display(description=gettext_lazy("template"), ordering="template")
    def template_name(self, file: Any) -> SafeString | str:
        """The template that fits."""
        return template_name(file.template)

    @admin.display(description=gettext_lazy("rows of the last sync"))
    def row_summary(self, file: Any) -> str:
        """Where the rows went, without what is zero."""
        names = {"inserted": _("inserted"), "updated": _("updated"), "unchanged": _("unchanged")}
        names["quarantined"] = _("quarantined")
        shown = (filled(names[name], file.rows.get(name, 0)) for name in _LISTED)
        return ", ".join(part for part in shown if part) or NOTHING

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
        return format_html("{} {}", link(file.template), pairs_table(_differences(file.match)) if file.match else "")

    @admin.display(description=gettext_lazy("suggested mapping"))
    def suggestion_table(self, file: Any) -> SafeString | str:
        """What each column would feed, how sure that is, and why."""
        columns = file.suggestion.get("columns", []) if file.suggestion else []
        rows = (
            (
                column.get("header", ""),
                _field(column.get("field")),
                _(column["kind"]) if column.get("kind") else "",
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
        return grid(
            [_(_PROFILE.get(name, name)) for name in headers],
            ([_joined(column.get(name)) for name in headers] for column in file.profile),
        )

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


_OUTCOMES = {
    "exact": gettext_lazy("fits exactly"),
    "compatible": gettext_lazy("fits"),
    "noted": gettext_lazy("fits, with differences"),
    "blocked": gettext_lazy("blocked: the template has to be updated"),
    "none": gettext_lazy("no template is about such a header"),
}
_DIFFERENCES = {
    "added": gettext_lazy("new columns"),
    "missing": gettext_lazy("columns gone"),
    "missing_required": gettext_lazy("columns gone that are needed"),
    "renamed": gettext_lazy("reworded columns"),
    "likely_renamed": gettext_lazy("perhaps reworded"),
}
_PROFILE = {"empty": gettext_noop("empty %")}


def _differences(match: dict[str, Any]) -> Iterator[tuple[object, object]]:
    """What a match says, in words."""
    yield _("outcome"), _OUTCOMES.get(match.get("outcome", ""), match.get("outcome", ""))
    yield from ((label, _joined(match[name])) for name, label in _DIFFERENCES.items() if match.get(name))
    for one in match.get("contradictions", ()):
        yield _("values do not fit"), f"{one['header']}: {_(one['reason'])} ({', '.join(one['examples'])})"


def _field(name: str | None) -> SafeString | str:
    """A standard field as people call it, and below it its name."""
    return format_html('{} <span class="help">{}</span>', FIELD_NAMES.get(name, name), name) if name else NOTHING


def _joined(value: Any) -> str:
    """A value of a JSON document in one line."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(" → ".join(map(str, part)) if isinstance(part, list | tuple) else str(part) for part in value)
    return str(value)
