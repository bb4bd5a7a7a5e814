"""The catalogue: list files, look into them, describe, delete and restore them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.catalog import selectors, services
from datasync.catalog.deletion import delete_files, restore_file
from datasync.catalog.impact import delete_impacts
from datasync.catalog.preview import MOST_HEADER_ROW, PREVIEW_ROWS, preview
from datasync.choices import DomainChoice, ExportKind, FileState, Granularity, RowsFate, SubDomain
from datasync.exceptions import InvalidRequest
from datasync.exports.make import export_here
from datasync.exports.services import clean_exports, take_up_again
from datasync.management import file_words as words
from datasync.management.arguments import file_id, find_file, find_user, require_platform, require_shop, whole_number
from datasync.management.base import ActionsCommand, Exit, Outcome
from datasync.management.progress import Counter, add_progress_option, progress_wanted
from datasync.management.tables import facts

MOST_LISTED = 10_000
_TEXTS = ("platform", "source_platform", "shop_id", "domain", "sub_domain", "granularity", "account")


class Command(ActionsCommand):
    summary = gettext_lazy(
        "List catalogued files, look into them, correct what is known of them, delete and restore them."
    )

    def add_actions(self) -> None:
        """Declare the actions."""
        listed = self.add_action("list", self.list, _("list files, newest first"))
        _add_filters(listed)
        self._with_file("show", self.show, _("show all that is known of a file"))
        described = self._with_file("describe", self.describe, _("correct what is known of a file"))
        _add_description(described)
        described.add_argument("--user", help=_("in whose name"))
        self._with_file("profile", self.profile, _("show what the columns of a file hold"))
        seen = self._with_file("preview", self.preview, _("show the beginning of a file and how its header fits"))
        seen.add_argument(
            "--header-row", type=whole_number(0, MOST_HEADER_ROW), help=_("counted from 0; by default as detected")
        )
        seen.add_argument("--rows", type=whole_number(0, PREVIEW_ROWS), default=10, help=_("rows to show"))
        impact = self.add_action("delete-impact", self.delete_impact, _("say what would go if files were deleted"))
        impact.add_argument("file_ids", nargs="+", type=file_id, help=_("ids of files"))
        deleted = self.add_action(
            "delete", self.delete, _("delete files; one whose deletion was interrupted is gone on with")
        )
        deleted.add_argument("file_ids", nargs="+", type=file_id, help=_("ids of files"))
        deleted.add_argument(
            "--rows", choices=RowsFate.values, default=RowsFate.KEEP.value,
            help=_("what becomes of the rows that the files wrote last (default %(default)s)"),
        )  # fmt: skip
        deleted.add_argument("--dry-run", action="store_true", help=_("change nothing: say what would happen"))
        deleted.add_argument("--user", help=_("in whose name"))
        add_progress_option(deleted)
        restored = self._with_file("restore", self.restore, _("bring a deleted file back; it is pending again"))
        restored.add_argument("--user", help=_("in whose name"))
        exported = self.add_action("export", self.export, _("write an archive of files or of their rows"))
        exported.add_argument("file_ids", nargs="+", type=file_id, help=_("ids of files"))
        exported.add_argument(
            "--what", choices=ExportKind.values, default=ExportKind.ORIGINALS.value,
            help=_("the files, their clean rows, or their quarantined rows (default %(default)s)"),
        )  # fmt: skip
        exported.add_argument("--output", required=True, metavar="FILE", type=Path, help=_("the ZIP to write"))
        exported.add_argument("--user", help=_("in whose name"))
        self.add_action(
            "clean-exports", self.clean_exports, _("remove expired archives, and take up those whose worker died")
        )

    def _with_file(self, name: str, work: Any, summary: str) -> CommandParser:
        parser = self.add_action(name, work, summary)
        parser.add_argument("file_id", type=file_id, help=_("id of the file"))
        return parser

    def list(self, options: dict[str, Any]) -> Outcome:
        """The files that match."""
        require_platform(options["platform"])
        require_shop(options["shop"], platform=options["platform"])
        names = selectors.Filters.__dataclass_fields__
        wanted = selectors.Filters(**{name: options[name] for name in names})
        found = selectors.matching_files(wanted, sight=EVERYTHING)
        total, files = found.count(), list(selectors.listed(found)[: options["limit"]])
        document = {"total": total, "files": [words.file_document(file) for file in files]}
        return Outcome(document, words.file_lines(files, total) if files else [_("No files match.")])

    def show(self, options: dict[str, Any]) -> Outcome:
        """One file."""
        file = find_file(options["file_id"])
        document = words.file_document(file) | {
            "header": file.header,
            "match": file.match or None,
            "suggestion": file.suggestion or None,
            "description_sources": file.description_sources,
        }
        shown = ((name, value) for name, value in words.file_document(file).items() if value not in (None, "", {}))
        return Outcome(document, facts((name, _plain(value)) for name, value in shown))

    def describe(self, options: dict[str, Any]) -> Outcome:
        """Correct the description, and say what the file is now."""
        named = (*_TEXTS, "period_start", "period_end", "collected_at")
        told = {name: options[name] for name in named if options[name] is not None}
        if not told:
            raise InvalidRequest(detail=_("Name at least one field to correct."))
        for name in ("period_start", "period_end", "collected_at"):
            told |= {name: None} if told.get(name) == "" else {}
        file = services.describe_file(
            find_file(options["file_id"]), sight=EVERYTHING, actor=find_user(options["user"]), **told
        )
        return Outcome(words.file_document(file), words.file_lines([file], 1))

    def profile(self, options: dict[str, Any]) -> Outcome:
        """What the columns hold."""
        file = services.profiled(find_file(options["file_id"]))
        return Outcome(words.profile_document(file), words.profile_lines(file))

    def preview(self, options: dict[str, Any]) -> Outcome:
        """The beginning of the file."""
        found = preview(find_file(options["file_id"]), header_row=options["header_row"])
        return Outcome(found, words.preview_lines(found, options["rows"]))

    def delete_impact(self, options: dict[str, Any]) -> Outcome:
        """What hangs on the files."""
        impacts, missing = delete_impacts(options["file_ids"], sight=EVERYTHING)
        document = {
            "files": [words.impact_document(impact) for impact in impacts],
            "missing_file_ids": list(missing),
        }
        return Outcome(document, words.impact_lines(impacts), Exit.USAGE if missing else Exit.OK)

    def delete(self, options: dict[str, Any]) -> Outcome:
        """Delete the files here, however many rows they have."""
        counter, gone = Counter(unit=_("rows"), shown=progress_wanted(options)), 0

        def progress(count: int) -> None:
            nonlocal gone
            gone += count
            counter.reached(gone)

        try:
            deletion = delete_files(
                file_ids=options["file_ids"],
                rows=RowsFate(options["rows"]),
                actor=find_user(options["user"]),
                sight=EVERYTHING,
                dry_run=options["dry_run"],
                here=True,
                progress=progress,
            )
        finally:
            counter.close()
        left_out = deletion.missing_file_ids or deletion.busy_file_ids
        document, lines = words.deletion_document(deletion), words.deletion_lines(deletion)
        return Outcome(document, lines, Exit.USAGE if left_out else Exit.OK)

    def restore(self, options: dict[str, Any]) -> Outcome:
        """Bring a file back."""
        file = restore_file(file_id=options["file_id"], actor=find_user(options["user"]), sight=EVERYTHING)
        return Outcome(words.file_document(file), words.file_lines([file], 1))

    def export(self, options: dict[str, Any]) -> Outcome:
        """Write an archive."""
        try:
            requested = export_here(
                file_ids=options["file_ids"],
                what=ExportKind(options["what"]),
                owner=find_user(options["user"]),
                path=options["output"],
            )
        except OSError as error:
            raise InvalidRequest(detail=f"{options['output']}: {error.strerror}") from error
        archive, missing = requested.archive, list(requested.missing_file_ids)
        document = {
            "id": archive.pk,
            "what": archive.what,
            "files": len(archive.file_ids),
            "missing_file_ids": missing,
            "path": str(options["output"]),
            "size": archive.size,
        }
        shown = {"files": f"{len(archive.file_ids):,}", "path": options["output"]}
        lines = [_("%(files)s files written to %(path)s") % shown]
        lines += [f"{_('no such file')}: {', '.join(map(str, missing))}"] if missing else []
        return Outcome(document, lines, Exit.USAGE if missing else Exit.OK)

    def clean_exports(self, options: dict[str, Any]) -> Outcome:  # noqa: ARG002 - every action takes its options
        """Remove what has expired, and ring again for what nobody makes."""
        document = {"removed": clean_exports(), "taken_up": take_up_again()}
        return Outcome(document, facts([(_("removed"), document["removed"]), (_("taken up"), document["taken_up"])]))


def _add_filters(parser: CommandParser) -> None:
    parser.add_argument("--platform", help=_("only of this platform"))
    parser.add_argument("--domain", choices=DomainChoice.values, help=_("only of this domain"))
    parser.add_argument("--sub-domain", choices=SubDomain.values, help=_("only of this sub-domain"))
    parser.add_argument("--granularity", choices=Granularity.values, help=_("only of this granularity"))
    parser.add_argument("--shop", help=_("only of this shop: its id on the platform"))
    parser.add_argument("--status", choices=FileState.values, help=_("only in this state; deleted ones are found so"))
    parser.add_argument(
        "--template-status", choices=sorted(selectors.TEMPLATE_STATUS), help=_("whether a published template fits")
    )
    parser.add_argument("--search", help=_("part of the file's name"))
    parser.add_argument(
        "--limit", type=whole_number(1, MOST_LISTED), default=50, help=_("files to list (default %(default)s)")
    )


def _add_description(parser: CommandParser) -> None:
    """The fields of a description; an empty text clears one."""
    parser.add_argument("--platform", help=_("whose data it is"))
    parser.add_argument("--source-platform", help=_("who exported it"))
    parser.add_argument("--shop", dest="shop_id", help=_("the platform's id of the shop"))
    parser.add_argument("--domain", choices=[*DomainChoice.values, ""], help=_("what a row is"))
    parser.add_argument("--sub-domain", choices=[*SubDomain.values, ""], help=_("of services: which export"))
    parser.add_argument("--granularity", choices=[*Granularity.values, ""], help=_("how much time a row covers"))
    parser.add_argument("--account", help=_("by which account it was collected"))
    parser.add_argument("--period-start", type=_day, metavar="DAY", help=_("first day, as 2026-03-05"))
    parser.add_argument("--period-end", type=_day, metavar="DAY", help=_("last day"))
    parser.add_argument(
        "--collected-at", type=_moment, metavar="MOMENT", help=_("as 2026-03-06T13:16:50, local unless it names a zone")
    )


def _day(text: str) -> date | str:
    found: date | str = _parsed(parse_date, text)
    return found


def _moment(text: str) -> datetime | str:
    moment: datetime | str = _parsed(parse_datetime, text)
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=settings.COLLECTION_TIME_ZONE)
    return moment


def _parsed(parse: Any, text: str) -> Any:
    """The value of a text; an empty one clears the field."""
    if not text:
        return ""
    try:
        found = parse(text)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(
            _("“%(text)s” is no date or moment such as 2026-03-05 or 2026-03-06T13:16:50") % {"text": text}
        )
    return found


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return str(value)
