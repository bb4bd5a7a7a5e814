"""What the pages of the quarantine show of a row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import NOTHING, badge, grid, link, short_name
from datasync.admin.reason_names import reason_in_words
from datasync.admin.sight import if_seen
from datasync.choices import QuarantineState
from datasync.models import FACT_MODELS
from datasync.quarantine import export, selectors, values
from datasync.quarantine.words import label

QUARANTINE_COLOURS = {
    QuarantineState.OPEN: "amber",
    QuarantineState.CORRECTED: "blue",
    QuarantineState.RELEASED: "green",
    QuarantineState.DISCARDED: "grey",
}


class RowColumns:
    """Columns of the list, and read-only fields of a row's page."""

    @admin.display(description=_("file"), ordering="file")
    def file_link(self, row: Any) -> object:
        """The file, linked."""
        return link(row.file)

    @admin.display(description=_("file, row"), ordering="file")
    def place(self, row: Any) -> SafeString:
        """Where the row stands; it leads to the row's page."""
        return format_html("{} <strong>{}</strong>", short_name(row.file), row.sheet_row)

    @admin.display(description=_("file of a task"))
    def item_link(self, row: Any) -> object:
        """The sync that put the row into quarantine, linked."""
        return link(if_seen(row.item, row))

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, row: Any) -> SafeString:
        """The state, coloured."""
        return badge(row.get_state_display(), QUARANTINE_COLOURS[row.state])

    @admin.display(description=_("reasons"))
    def reasons_text(self, row: Any) -> str:
        """The reasons in one line."""
        return export.reasons_text(row)

    @admin.display(description=_("reasons"))
    def reasons_table(self, row: Any) -> SafeString | str:
        """Column, reason and value, one a line."""
        reasons = (
            (reason["header"] or _("whole row"), reason_in_words(reason["code"]), reason["value"])
            for reason in row.reasons
        )
        return grid((_("column"), _("reason"), _("value")), reasons)

    @admin.display(description=_("original row"))
    def cells(self, row: Any) -> SafeString | str:
        """Every cell under its header, and what it should have held."""
        given = values.corrections(row)
        cells = enumerate(zip(row.header_set.headers, values.original(row), strict=True))
        shown = (
            (header, text or "", (given[at] or _("(blank)")) if at in given else "") for at, (header, text) in cells
        )
        return grid((_("column"), _("value"), _("corrected")), shown)

    @admin.display(description=_("fact"))
    def fact(self, row: Any) -> SafeString | str:
        """The fact that a released row became, linked, and how."""
        if not row.record_key:
            return NOTHING
        page = f"admin:datasync_{FACT_MODELS[row.domain]._meta.model_name}_change"
        address = reverse(page, args=(row.record_key,))
        return format_html('<a href="{}">{}</a> ({})', address, row.record_key, label(row.outcome))

    @admin.display(description=_("audit"))
    def audit(self, row: Any) -> SafeString | str:
        """What people did about the row."""
        acts = (
            (entry.at, entry.actor_name or _("command line"), entry.get_action_display(), entry.note)
            for entry in selectors.history(row)
        )
        return grid((_("when"), _("who"), _("what"), _("reason")), acts)
