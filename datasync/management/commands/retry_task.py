"""Sync the files of a task that were not synced once more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.management.arguments import find_task, whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.progress import add_progress_option
from datasync.management.watching import follow
from datasync.runs.again import retry_task
from datasync.runs.deadline import LEAST_SECONDS, MOST_SECONDS


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Make one new task over the failed files of a task that has ended; run again, it names the same new task. "
        "Exit code 2 when there is nothing to retry or the task still runs, 5 when the broker did not take the work; "
        "with --wait as sync_files."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Which task, which of its files, and whether to wait."""
        parser.add_argument("task_id", help=_("id of the task, see “manage.py task_status”"))
        parser.add_argument(
            "--unfinished", action="store_true", help=_("also files that were stopped or not started in time")
        )
        parser.add_argument(
            "--deadline", type=whole_number(LEAST_SECONDS, MOST_SECONDS), metavar=_("SECONDS"),
            help=_("leave out files that no worker has begun by then (default: as long as the task had)"),
        )  # fmt: skip
        parser.add_argument("--wait", action="store_true", help=_("wait until all is done, and exit as it ended"))
        parser.add_argument("--timeout", type=whole_number(1, 10**6), help=_("wait no longer than so many seconds"))
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """Retry it, and wait where asked to."""
        parent = find_task(options["task_id"])
        retried = retry_task(
            parent, sight=EVERYTHING, only_failed=not options["unfinished"], deadline_seconds=options["deadline"]
        )
        busy = list(retried.busy_file_ids)
        if busy:
            self.stderr.write(_("Busy: %s") % ", ".join(map(str, busy)))
        return follow(retried.task, options, retry_of=parent.task_id, busy_file_ids=busy)
