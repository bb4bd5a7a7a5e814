"""Find export files and bring the catalogue up to date."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState
from datasync.exceptions import InvalidRequest
from datasync.management.arguments import find_user
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.progress import Counter, add_progress_option, progress_wanted
from datasync.management.tables import table
from datasync.models import CatalogFile


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Scan the configured roots (DATA_ROOTS) for export files, or only some folders or files inside them. "
        "New and changed files become pending; nothing outside the roots is touched."
    )

    def add_options(self, parser: CommandParser) -> None:
        """What to scan, and for whom."""
        parser.add_argument("paths", nargs="*", type=Path, help=_("folders or files inside a root; none: all roots"))
        parser.add_argument("--root", type=Path, help=_("this root only; relative paths are taken inside it"))
        parser.add_argument("--user", help=_("in whose name"))
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """Scan folders, catalogue single files, say what was found."""
        actor = find_user(options["user"])
        folders, single = _split(options["paths"], options["root"])
        files = [services.catalogue_path(path, actor=actor) for path in single]
        document: dict[str, Any] = {"files": [_file_document(file) for file in files]}
        lines = [f"{file.pk}  {file.original_name}  {file.get_state_display()}" for file in files]
        if folders or not files:
            counts = _scan(folders, actor=actor, shown=progress_wanted(options))
            document |= counts
            lines += _scan_lines(counts)
        return Outcome(document, lines)


def _split(paths: list[Path], root: Path | None) -> tuple[list[Path], list[Path]]:
    """The folders and the single files that were named."""
    if root is None:
        named = paths
    else:
        root = root.absolute()
        named = [root / path for path in paths] or [root]
        for path in named:
            if not path.is_relative_to(root):
                raise InvalidRequest(detail=_("%(path)s is not inside %(root)s.") % {"path": path, "root": root})
    return [path for path in named if path.is_dir()], [path for path in named if not path.is_dir()]


def _scan(folders: list[Path], *, actor: Any, shown: bool) -> dict[str, Any]:
    """Scan the folders, all roots when there is none."""
    counter = Counter(unit=_("files"), shown=shown)
    try:
        result = services.scan(
            sight=EVERYTHING,
            roots=folders or None,
            progress=lambda found: counter.reached(found.seen),
            actor=actor,
        )
    finally:
        counter.close()
    return asdict(result)


def _file_document(file: CatalogFile) -> dict[str, Any]:
    return {"file_id": file.pk, "name": file.original_name, "state": file.state, "error": file.last_error or None}


def _scan_lines(counts: dict[str, Any]) -> list[str]:
    """What was found, what could not be taken, and what to do next."""
    found = [(name.replace("_", " "), count) for name, count in counts.items() if isinstance(count, int) and count]
    lines = list(table((_("what"), _("files")), found)) if found else [_("No export files were found.")]
    if counts["errors"]:
        errors = ((error["name"], error["reason"]) for error in counts["errors"])
        lines += ["", *table((_("not taken"), _("reason")), errors)]
    undescribed = CatalogFile.objects.filter(state=FileState.NEEDS_DESCRIPTION).count()
    if undescribed:
        lines += ["", _("%s files need a description before they can be synced; see the admin.") % undescribed]
    return lines
