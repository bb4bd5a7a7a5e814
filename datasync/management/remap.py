"""The ``remap`` action of the command ``templates``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.management.arguments import file_id, find_user, whole_number
from datasync.management.base import Outcome
from datasync.management.progress import add_progress_option, progress_wanted
from datasync.management.tables import facts, table
from datasync.management.watching import task_outcome, watch
from datasync.runs.deadline import LEAST_SECONDS, MOST_SECONDS
from datasync.runs.remap.preview import SAMPLE_ROWS
from datasync.runs.remap.services import RemapPreview, remap_preview, start_remap
from datasync.runs.words import error_in_words


def add_remap_action(add_action: Callable[[str, Callable[[dict[str, Any]], Outcome], str], CommandParser]) -> None:
    """Declare the action."""
    parser = add_action("remap", remap, _("type the stored rows of a template again, after it was corrected"))
    parser.add_argument("template_id", type=file_id, help=_("id of the template, see “list”"))
    parser.add_argument("--dry-run", action="store_true", help=_("say what would happen; write nothing"))
    parser.add_argument(
        "--sample", type=whole_number(1, SAMPLE_ROWS), default=SAMPLE_ROWS, help=_("rows that a dry run looks at")
    )
    parser.add_argument("--wait", action="store_true", help=_("follow the task until it is finished"))
    parser.add_argument("--priority", type=whole_number(1, 10), default=5, help=_("1 to 10; 10 goes first"))
    parser.add_argument(
        "--deadline", type=whole_number(LEAST_SECONDS, MOST_SECONDS), metavar=_("SECONDS"),
        help=_("leave out files that no worker has begun by then (default: none)"),
    )  # fmt: skip
    parser.add_argument("--user", help=_("in whose name"))
    add_progress_option(parser)


def remap(options: dict[str, Any]) -> Outcome:
    """Type the stored rows of a template again, or say what that would do."""
    if options["dry_run"]:
        preview = remap_preview(options["template_id"], sight=EVERYTHING, sample=options["sample"])
        return Outcome(asdict(preview), _preview_lines(preview))
    owner = find_user(options["user"])
    started = start_remap(
        options["template_id"],
        owner=owner,
        sight=EVERYTHING,
        priority=options["priority"],
        deadline_seconds=options["deadline"],
    )
    if started is None:
        return Outcome({"task_id": None, "busy_file_ids": []}, [_("No stored row is concerned.")])
    if options["wait"]:
        watch(started.task, shown=progress_wanted(options))
    return task_outcome(started.task, finished=options["wait"], busy_file_ids=started.busy_file_ids)


def _preview_lines(preview: RemapPreview) -> Iterator[str]:
    yield from facts(
        [
            (_("template"), preview.template),
            (_("files"), preview.files),
            (_("busy files, left out"), len(preview.busy_file_ids)),
            (_("stored rows"), preview.rows),
            (_("rows looked at"), preview.rows_sampled),
        ]
    )
    yield ""
    headers = (_("updated"), _("unchanged"), _("merged"), _("quarantined"))
    yield from table(headers, [(preview.updated, preview.unchanged, preview.merged, preview.quarantined)])
    if preview.quarantined_by_reason:
        yield ""
        yield from table((_("reason"), _("rows")), preview.quarantined_by_reason.items())
    if preview.samples:
        yield ""
        rows = (
            (sample.sheet_row, one.field, one.stored, one.new)
            for sample in preview.samples
            for one in sample.differences
        )
        yield from table((_("row"), _("field"), _("stored"), _("new")), rows)
    for refused in preview.refused_files:
        yield f"{refused.file}: {error_in_words(refused.error)['message']}"
