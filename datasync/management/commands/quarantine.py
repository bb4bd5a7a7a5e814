"""Rows that cannot be trusted: list them, export them to be corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.choices import DomainChoice, QuarantineState
from datasync.exceptions import InvalidRequest
from datasync.management.arguments import file_id, find_file, find_task, whole_number
from datasync.management.base import ActionsCommand, Outcome
from datasync.management.tables import table
from datasync.models import QuarantinedRow
from datasync.quarantine import export, selectors
from datasync.reasons import Reason

MOST_LISTED = 10_000


class Command(ActionsCommand):
    summary = gettext_lazy("List quarantined rows, or export them with their reasons so that they can be corrected.")

    def add_actions(self) -> None:
        """Declare the actions."""
        listed = self.add_action("list", self.list, _("list rows, and how many stand under which reason"))
        _add_filters(listed)
        listed.add_argument(
            "--limit", type=whole_number(1, MOST_LISTED), default=50, help=_("rows to list (default %(default)s)")
        )
        exported = self.add_action("export", self.export, _("write rows to a spreadsheet, with their reasons"))
        _add_filters(exported)
        exported.add_argument("--format", choices=export.FORMATS, help=_("by default what the file's name says"))
        exported.add_argument("--output", type=Path, help=_("file to write; by default in the current folder"))

    def list(self, options: dict[str, Any]) -> Outcome:
        """The rows by file and row, and the reasons by number."""
        found = selectors.rows(_filters(options))
        total, reasons = found.count(), selectors.reason_counts(found)
        rows = list(found[: options["limit"]])
        document = {"total": total, "reasons": reasons, "rows": [_as_document(row) for row in rows]}
        if not total:
            return Outcome(document, [_("No quarantined rows match.")])
        headers = ("id", _("file"), _("row"), _("domain"), _("state"), _("reasons"))
        listed = (
            (str(row.pk), row.file.original_name, row.sheet_row, row.domain, row.state, export.reasons_text(row))
            for row in rows
        )
        lines = [*table(headers, listed), "", *table((_("reason"), _("rows")), reasons.items())]
        if total > len(rows):
            counted = {"listed": f"{len(rows):,}", "total": f"{total:,}"}
            lines += ["", _("%(listed)s of %(total)s rows; --limit shows more, “export” writes all.") % counted]
        return Outcome(document, lines)

    def export(self, options: dict[str, Any]) -> Outcome:
        """Write the rows that match to a file."""
        path: Path = options["output"] or Path(
            f"quarantine-{timezone.now():%Y%m%d-%H%M%S}.{options['format'] or 'xlsx'}"
        )
        chosen = options["format"] or path.suffix.removeprefix(".").lower()
        found = selectors.rows(_filters(options))
        if not found.exists():
            return Outcome({"path": None, "rows": 0, "sheets": 0}, [_("No quarantined rows match; nothing written.")])
        try:
            written = export.write(found, path, format=chosen)
        except OSError as error:
            raise InvalidRequest(detail=f"{path}: {error.strerror}") from error
        document = {"path": str(path), "rows": written.rows, "sheets": written.sheets}
        return Outcome(document, [_("%(rows)s rows written to %(path)s") % document])


def _add_filters(parser: CommandParser) -> None:
    """What rows can be chosen by; an option given twice means either."""
    parser.add_argument("--file-id", type=file_id, action="append", default=[], help=_("only of this file"))
    parser.add_argument("--task", default="", help=_("only those that this task quarantined"))
    parser.add_argument(
        "--domain", choices=DomainChoice.values, action="append", default=[], help=_("only of this domain")
    )
    parser.add_argument(
        "--reason", choices=[reason.value for reason in Reason], action="append", default=[], metavar="CODE",
        help=_("only with this reason code"),
    )  # fmt: skip
    parser.add_argument(
        "--state", choices=QuarantineState.values, action="append", default=[], help=_("only in this state")
    )


def _filters(options: dict[str, Any]) -> selectors.Filters:
    """What to look for; files and tasks that do not exist are refused, instead of having no rows."""
    for pk in options["file_id"]:
        find_file(pk)
    if options["task"]:
        find_task(options["task"])
    return selectors.Filters(
        file_ids=options["file_id"],
        task_id=options["task"],
        domains=options["domain"],
        reasons=options["reason"],
        states=options["state"],
    )


def _as_document(row: QuarantinedRow) -> dict[str, Any]:
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
