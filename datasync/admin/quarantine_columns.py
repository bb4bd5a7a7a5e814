"""What the pages of the quarantine show of a row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import badge, grid, link
from datasync.choices import QuarantineState
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
        reasons = ((reason["header"] or _("whole row"), reason["code"], reason["value"]) for reason in row.reasons)
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
    def fact(self, row: Any) -> str:
        """The key of the fact that a released row became, and how."""
        return f"{row.record_key} ({label(row.outcome)})" if row.record_key else "–"

    @admin.display(description=_("audit"))
    def audit(self, row: Any) -> SafeString | str:
        """What people did about the row."""
        acts = (
            (entry.at, entry.actor_name or _("command line"), entry.get_action_display(), entry.note)
            for entry in selectors.history(row)
        )
        return grid((_("when"), _("who"), _("what"), _("reason")), acts)
