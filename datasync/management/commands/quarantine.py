"""Rows that cannot be trusted: look at them, export them, correct them, let them in or keep them out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice, QuarantineState
from datasync.exceptions import InvalidRequest
from datasync.management import quarantine_words as words
from datasync.management.arguments import file_id, find_file, find_task, find_user, whole_number
from datasync.management.base import ActionsCommand, Exit, Outcome
from datasync.management.tables import facts, table
from datasync.quarantine import export, figures, selectors, services
from datasync.quarantine.words import label
from datasync.reasons import Reason

MOST_LISTED = 10_000


class Command(ActionsCommand):
    summary = gettext_lazy("List, export, correct, release and discard rows that could not be trusted.")

    def add_actions(self) -> None:
        """Declare the actions."""
        listed = self.add_action("list", self.list, _("list rows, and how many stand under which reason"))
        _add_filters(listed)
        listed.add_argument(
            "--limit", type=whole_number(1, MOST_LISTED), default=50, help=_("rows to list (default %(default)s)")
        )
        show = self.add_action("show", self.show, _("show one row with its cells and its history"))
        show.add_argument("row_id", type=file_id, metavar="ID", help=_("id of the row, see “list”"))
        _add_filters(self.add_action("stats", self.stats, _("count rows by state, reason, shop and file")))
        exported = self.add_action("export", self.export, _("write rows to a spreadsheet, with their reasons"))
        _add_filters(exported)
        exported.add_argument("--format", choices=export.FORMATS, help=_("by default what the file's name says"))
        exported.add_argument("--output", type=Path, help=_("file to write; by default in the current folder"))
        imported = self.add_action("import", self.import_, _("take the corrections of an exported spreadsheet"))
        imported.add_argument("path", type=Path, help=_("the spreadsheet"))
        _add_writing(imported)
        correct = self.add_action("correct", self.correct, _("say what a cell of the rows should hold"))
        correct.add_argument("header", help=_("the column as the file names it, or “#3” for the third one"))
        correct.add_argument("replacement", help=_("what the cell should hold; blank: nothing"))
        correct.add_argument("--value", help=_("only rows whose cell holds this text now"))
        correct.add_argument("--code", choices=[reason.value for reason in Reason], default="", metavar="CODE",
                             help=_("only rows with this reason in the column"))  # fmt: skip
        confirm = self.add_action(
            "confirm", self.confirm, _("let stand what only the reader of the file doubted, such as a rounded number")
        )
        release = self.add_action("release", self.release, _("load rows, as far as they can be trusted now"))
        release.add_argument("--note", default="", help=_("kept in the audit"))
        discard = self.add_action(
            "discard",
            self.discard,
            _("keep rows out, as long as they stand unchanged in their file; an older fact of the same row stays"),
        )
        discard.add_argument("--note", required=True, help=_("why; it stays with the rows"))
        for parser in (correct, confirm, release, discard):
            _add_filters(parser)
            parser.add_argument("--id", type=file_id, action="append", default=[], help=_("only this row"))
            parser.add_argument("--all", action="store_true", help=_("every undecided row, when nothing else is said"))
            _add_writing(parser)

    def list(self, options: dict[str, Any]) -> Outcome:
        """The rows by file and row, and the reasons by number."""
        found = selectors.rows(_filters(options), sight=EVERYTHING)
        total, reasons = found.count(), selectors.reason_counts(found)
        rows = list(found[: options["limit"]])
        document = {"total": total, "reasons": reasons, "rows": [words.row_document(row) for row in rows]}
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

    def show(self, options: dict[str, Any]) -> Outcome:
        """One row."""
        row = selectors.one(options["row_id"], sight=EVERYTHING)
        return Outcome(words.whole_document(row), words.whole_lines(row))

    def stats(self, options: dict[str, Any]) -> Outcome:
        """Figures of the rows that match."""
        counted = figures.figures(selectors.rows(_filters(options), sight=EVERYTHING))
        lines = [*facts([(_("rows"), counted.total), (_("oldest undecided"), counted.oldest)])]
        for title, numbers in (
            (_("state"), counted.states), (_("domain"), counted.domains), (_("reason"), counted.reasons),
            (_("platform"), counted.platforms),
        ):  # fmt: skip
            lines += ["", *table((title, _("rows")), ((name or "–", number) for name, number in numbers.items()))]
        lines += ["", *table((_("file"), _("rows")), ((file["file"], file["rows"]) for file in counted.files))]
        return Outcome(asdict(counted), lines)

    def export(self, options: dict[str, Any]) -> Outcome:
        """Write the rows that match to a file."""
        path: Path = options["output"] or Path(
            f"quarantine-{timezone.now():%Y%m%d-%H%M%S}.{options['format'] or 'xlsx'}"
        )
        chosen = options["format"] or path.suffix.removeprefix(".").lower()
        found = selectors.rows(_filters(options), sight=EVERYTHING)
        if not found.exists():
            return Outcome({"path": None, "rows": 0, "sheets": 0}, [_("No quarantined rows match; nothing written.")])
        try:
            written = export.write(found, path, format=chosen)
        except OSError as error:
            told = _("%(path)s cannot be written: %(why)s") % {"path": path, "why": error.strerror}
            raise InvalidRequest(detail=told) from error
        document = {"path": str(path), "rows": written.rows, "sheets": written.sheets}
        return Outcome(document, [_("%(rows)s rows written to %(path)s") % document])

    def import_(self, options: dict[str, Any]) -> Outcome:
        """Take the corrections of a spreadsheet, all or none. Ends with 2 when rows keep it from being taken."""
        path, dry_run = options["path"], options["dry_run"]
        if not path.is_file():
            raise InvalidRequest(detail=_("There is no file %(path)s.") % {"path": path})
        result = services.import_corrections(
            source=path, actor=find_user(options["user"]), sight=EVERYTHING, dry_run=dry_run
        )
        told = [
            (row.sheet, row.row, str(row.id or ""), label(row.outcome), ", ".join(row.columns)) for row in result.rows
        ]
        lines = words.counted(result.counts.items())
        if told:
            lines += ["", *table((_("sheet"), _("row"), "id", _("outcome"), _("columns")), told)]
        for sheet, columns in result.unknown_columns.items():
            lines.append(_("%(sheet)s: unknown columns: %(columns)s") % {"sheet": sheet, "columns": ", ".join(columns)})
        if result.ignored_sheets:
            lines.append(_("Sheets without ids: %(sheets)s") % {"sheets": ", ".join(result.ignored_sheets)})
        if result.refused:
            counted = ngettext(
                "%(count)s row keeps the sheet from being taken.",
                "%(count)s rows keep the sheet from being taken.",
                result.refused,
            )
            lines.append(counted % {"count": f"{result.refused:,}"})
        if dry_run:
            lines.append(_("Nothing was changed: this was a rehearsal."))
        return Outcome(asdict(result) | {"dry_run": dry_run}, lines, Exit.USAGE if result.refused else Exit.OK)

    def correct(self, options: dict[str, Any]) -> Outcome:
        """One correction for all rows that match."""
        result = services.correct_many(
            filters=_chosen(options),
            header=options["header"],
            replacement=options["replacement"],
            code=options["code"],
            value=options["value"],
            actor=find_user(options["user"]),
            sight=EVERYTHING,
            dry_run=options["dry_run"],
        )
        counts = {"corrected": result.corrected, "unchanged": result.unchanged, "skipped": result.skipped}
        return _outcome(counts, result.reached, options)

    def confirm(self, options: dict[str, Any]) -> Outcome:
        """Let rows stand where only the reader of the file doubted them."""
        result = services.confirm_many(
            filters=_chosen(options),
            actor=find_user(options["user"]),
            sight=EVERYTHING,
            dry_run=options["dry_run"],
        )
        counts = {"corrected": result.corrected, "unchanged": result.unchanged}
        return _outcome(counts, result.reached, options)

    def release(self, options: dict[str, Any]) -> Outcome:
        """Load the rows that match. Ends with 3 when rows are still rejected, 4 when files could not be worked on."""
        result = services.release(
            filters=_chosen(options),
            actor=find_user(options["user"]),
            sight=EVERYTHING,
            note=options["note"],
            dry_run=options["dry_run"],
        )
        counts = {"released": result.released, **result.outcomes, "rejected": result.rejected}
        document = {"released": result.released, "outcomes": result.outcomes, "rejected": result.rejected}
        outcome = _outcome(counts, result.reached, options, document=document)
        kept = [asdict(row) for row in result.kept]
        told = [(str(row.id), row.sheet_row, export.in_one_line(row.reasons)) for row in result.kept]
        lines = [*outcome.lines, *(["", *table(("id", _("row"), _("reasons")), told)] if told else [])]
        ended = outcome.exit or (Exit.QUARANTINED if result.rejected else Exit.OK)
        return Outcome({**outcome.document, "kept": kept}, lines, ended)

    def discard(self, options: dict[str, Any]) -> Outcome:
        """Keep the rows that match out."""
        result = services.discard(
            filters=_chosen(options),
            note=options["note"],
            actor=find_user(options["user"]),
            sight=EVERYTHING,
            dry_run=options["dry_run"],
        )
        return _outcome({"discarded": result.discarded}, result.reached, options)


def _outcome(
    counts: dict[str, int], reached: Any, options: dict[str, Any], *, document: dict[str, Any] | None = None
) -> Outcome:
    """What an act came to; a file that could not be worked on makes the command end with 4."""
    dry_run = options["dry_run"]
    told = {**(document or counts), **words.reached_document(reached, dry_run=dry_run)}
    lines = words.counted(counts.items()) or [_("No undecided rows match.")]
    lines += words.reached_lines(reached, dry_run=dry_run)
    return Outcome(told, lines, Exit.REFUSED if reached.refused else Exit.OK)


def _add_writing(parser: CommandParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help=_("say what would happen, and change nothing"))
    parser.add_argument("--user", help=_("in whose name"))


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
    parser.add_argument("--platform", action="append", default=[], help=_("only of this platform"))
    parser.add_argument("--shop", action="append", default=[], help=_("only of this shop (the platform's id of it)"))
    parser.add_argument("--search", default="", help=_("only with this text in a cell or in the file's name"))


def _chosen(options: dict[str, Any]) -> selectors.Filters:
    """The rows to work on; all of them only where that is said."""
    filters = _filters(options)
    if filters == selectors.Filters() and not options["all"]:
        raise InvalidRequest(detail=_("Say which rows: by --id, by a filter, or --all."))
    return filters


def _filters(options: dict[str, Any]) -> selectors.Filters:
    """What to look for; files and tasks that do not exist are refused, instead of having no rows."""
    for pk in options["file_id"]:
        find_file(pk)
    if options["task"]:
        find_task(options["task"])
    return selectors.Filters(
        ids=tuple(options.get("id", ())),
        file_ids=tuple(options["file_id"]),
        task_id=options["task"],
        domains=tuple(options["domain"]),
        reasons=tuple(options["reason"]),
        states=tuple(options["state"]),
        platforms=tuple(options["platform"]),
        shops=tuple(options["shop"]),
        search=options["search"],
    )
