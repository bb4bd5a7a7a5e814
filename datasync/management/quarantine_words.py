"""What the command ``quarantine`` says: documents for machines and lines for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from datasync.management.base import console_error
from datasync.management.tables import facts, table
from datasync.models import QuarantinedRow
from datasync.quarantine import values
from datasync.quarantine.batches import Reached
from datasync.quarantine.export import reasons_text
from datasync.quarantine.selectors import history
from datasync.quarantine.words import label


def row_document(row: QuarantinedRow) -> dict[str, Any]:
    """A row in a list."""
    return {
        "id": row.pk,
        "file_id": row.file_id,
        "file": row.file.original_name,
        "task_id": row.item.task.task_id if row.item else None,
        "sheet_row": row.sheet_row,
        "domain": row.domain,
        "state": row.state,
        "reasons": row.reasons,
        "values": row.values,
    }


def whole_document(row: QuarantinedRow) -> dict[str, Any]:
    """Everything about a row."""
    given = values.corrections(row)
    return row_document(row) | {
        "headers": row.header_set.headers,
        "corrected": {f"#{position + 1}": text for position, text in given.items()},
        "record_key": row.record_key,
        "outcome": row.outcome,
        "note": row.note,
        "decided_by": row.decided_by.get_username() if row.decided_by else None,
        "decided_at": row.decided_at,
        "history": [
            {"at": entry.at, "actor": entry.actor_name, "action": entry.action, "note": entry.note}
            for entry in history(row)
        ],
    }


def whole_lines(row: QuarantinedRow) -> list[str]:
    """Everything about a row, readable."""
    given = values.corrections(row)
    about = [
        (_("file"), row.file.original_name),
        (_("row"), row.sheet_row),
        (_("state"), row.get_state_display()),
        (_("reasons"), reasons_text(row)),
        (_("reason of the decision"), row.note),
    ]
    cells = zip(row.header_set.headers, values.original(row), strict=True)
    shown = [
        (f"#{at + 1}", header, value or "", (given[at] or _("(blank)")) if at in given else "")
        for at, (header, value) in enumerate(cells)
    ]
    acts = [
        (f"{entry.at:%Y-%m-%d %H:%M}", entry.actor_name, entry.get_action_display(), entry.note)
        for entry in history(row)
    ]
    lines = [*facts((name, value) for name, value in about if value != ""), ""]
    lines += table(("", _("header"), _("value"), _("corrected")), shown)
    return [*lines, "", *table((_("when"), _("who"), _("what"), _("reason")), acts)] if acts else lines


def reached_document(reached: Reached, *, dry_run: bool) -> dict[str, Any]:
    """Which rows an act did not reach."""
    return {
        "dry_run": dry_run,
        "already_decided": reached.decided,
        "missing_ids": reached.missing_ids,
        "busy_file_ids": reached.busy_file_ids,
        "refused_files": [{"file_id": pk, **error.document} for pk, error in reached.refused.items()],
    }


def reached_lines(reached: Reached, *, dry_run: bool) -> list[str]:
    """The same, readable; nothing where all rows were reached."""
    lines: list[str] = []
    if reached.decided:
        lines.append(_("%(count)s rows had been decided already.") % {"count": f"{reached.decided:,}"})
    if reached.missing_ids:
        lines.append(_("Unknown ids: %(ids)s") % {"ids": ", ".join(map(str, reached.missing_ids))})
    for pk, error in reached.refused.items():
        told = console_error(error)
        lines.append(_("File %(id)s: %(why)s") % {"id": pk, "why": told.message if told else error.message})
    return [*lines, _("Nothing was changed: this was a rehearsal.")] if dry_run else lines


def counted(counts: Iterable[tuple[str, int]]) -> list[str]:
    """``name  number`` lines for what is not zero."""
    return list(facts((label(name), number) for name, number in counts if number))
