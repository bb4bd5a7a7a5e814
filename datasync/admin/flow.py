"""Where the rows of a file or a task are now, for their pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import NOTHING, badge, pairs_table
from datasync.admin.sight import looker
from datasync.quality.loss import Flow, flow


class FileFlow:
    """A read-only field of the page of ``CatalogFile``."""

    @admin.display(description=gettext_lazy("where the rows are now"))
    def row_flow(self, file: Any) -> SafeString | str:
        """The books of the last sync, released rows counted as what they became."""
        return flow_table(flow(sight=looker(file), file_id=file.pk))


class TaskFlow:
    """A read-only field of the page of ``SyncProgressTask``."""

    @admin.display(description=gettext_lazy("where the rows are now"))
    def row_flow(self, task: Any) -> SafeString | str:
        """The books of the task, released rows counted as what they became."""
        return flow_table(flow(sight=looker(task), task_id=task.pk))


def flow_table(found: Flow) -> SafeString | str:
    """The equation, one count a line, and whether it adds up."""
    if not found.files:
        return NOTHING
    verdict = badge(_("balanced"), "green") if found.balanced else badge(_("not balanced"), "red")
    lost = _("%(percent)s %% lost") % {"percent": f"{found.lost_percent:g}"}
    return format_html("{} {} {}", verdict, lost, pairs_table(_lines(found)))


def _lines(found: Flow) -> Iterator[tuple[str, str]]:
    names = {
        "read": _("read"),
        "inserted": _("inserted"),
        "updated": _("updated"),
        "unchanged": _("unchanged"),
        "stale": _("stale"),
        "quarantined": _("quarantined"),
        "totals": _("totals"),
        "duplicates": _("duplicates"),
    }
    for name, count in found.counts.as_dict().items():
        if count or name == "read":
            yield names[name], f"{count:,}"
    kept = (
        (_("open"), found.open),
        (_("corrected"), found.corrected),
        (_("discarded"), found.discarded),
        (_("judged again by a later sync"), found.judged_again),
        (_("released since"), found.released),
    )
    for label, count in kept:
        if count:
            yield f"– {label}", f"{count:,}"
