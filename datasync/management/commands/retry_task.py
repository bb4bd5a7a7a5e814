"""Sync the files of a task that were not synced once more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.arguments import find_task, whole_number
from datasync.management.base import ConsoleCommand, Exit, Outcome
from datasync.management.progress import add_progress_option, progress_wanted
from datasync.management.watching import task_outcome, watch
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
        task = retry_task(parent, only_failed=not options["unfinished"], deadline_seconds=options["deadline"])
        heard = not task.fallback
        if options["wait"] and heard:
            watch(task, shown=progress_wanted(options), timeout=options["timeout"])
        outcome = task_outcome(task, finished=options["wait"] and heard, retry_of=parent.task_id)
        return outcome if heard else replace(outcome, exit=Exit.UNAVAILABLE)
