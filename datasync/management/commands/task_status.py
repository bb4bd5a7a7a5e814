"""How far a sync is, and what came of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.choices import TaskState
from datasync.management.arguments import find_task, whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.progress import add_progress_option, progress_wanted
from datasync.management.tables import table
from datasync.management.watching import task_outcome, watch
from datasync.models import SyncProgressTask
from datasync.runs.selectors import with_live_counts
from datasync.runs.words import summary


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Show one task with its files; without an id the newest tasks. --watch follows it until it is finished."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Which task, and whether to watch it."""
        parser.add_argument("task_id", nargs="?", help=_("id of the task; with --watch none means the newest"))
        parser.add_argument("--watch", action="store_true", help=_("follow it until it is finished, exit as it ended"))
        parser.add_argument("--timeout", type=whole_number(1, 10**6), help=_("watch no longer than so many seconds"))
        parser.add_argument("--state", choices=TaskState.values, help=_("list only tasks in this state"))
        parser.add_argument(
            "--limit", type=whole_number(1, 1000), default=20, help=_("tasks to list (default %(default)s)")
        )
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """One task, or the newest ones."""
        if not options["task_id"] and not options["watch"]:
            return _newest(options["state"], options["limit"])
        task = find_task(options["task_id"])
        if options["watch"]:
            watch(task, shown=progress_wanted(options), timeout=options["timeout"])
        return task_outcome(task, finished=options["watch"])


def _newest(state: str | None, limit: int) -> Outcome:
    """The newest tasks as a table."""
    tasks = SyncProgressTask.objects.select_related("owner")
    tasks = tasks.filter(state=state) if state else tasks
    document = [_as_document(task) for task in with_live_counts(tasks[:limit])]
    if not document:
        return Outcome([], [_("No task yet. “manage.py sync_files” makes one.")])
    headers = (
        _("task"),
        _("state"),
        _("owner"),
        _("files"),
        _("failed"),
        _("rows read"),
        _("quarantined"),
        _("created"),
    )
    names = ("task_id", "state", "owner", "total_files", "failed_files", "rows_read", "rows_quarantined")
    rows = (
        (*_shown(entry, names), timezone.localtime(entry["created_at"]).strftime("%Y-%m-%d %H:%M:%S"))
        for entry in document
    )
    return Outcome(document, table(headers, rows))


def _shown(entry: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """An entry as a line, its state in words."""
    told = entry | {"state": TaskState(entry["state"]).label}
    return tuple(told[name] for name in names)


def _as_document(task: SyncProgressTask) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "kind": task.kind,
        "state": task.state,
        "owner": task.owner.get_username() if task.owner else None,
        "total_files": task.total_files,
        "succeeded_files": task.succeeded_files,
        "failed_files": task.failed_files,
        "skipped_files": task.skipped_files,
        "rows_read": task.rows_read,
        "rows_quarantined": task.rows_quarantined,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
        "message": summary(task),
    }
