"""Cancel a task that waits or runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.choices import TaskState
from datasync.management.arguments import find_task, whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.progress import add_progress_option, progress_wanted
from datasync.management.tables import facts
from datasync.management.watching import watch
from datasync.runs.cancel import Cancellation, as_it_stands, cancel_task


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Cancel a task: files that wait are stopped at once, those in hand within seconds; what is finished stays. "
        "Exit code 2 when there is no such task, or when it has ended already."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Which task, and whether to wait until the last file has stopped."""
        parser.add_argument("task_id", help=_("id of the task, see “manage.py task_status”"))
        parser.add_argument("--wait", action="store_true", help=_("wait until the files in hand have stopped"))
        parser.add_argument("--timeout", type=whole_number(1, 10**6), help=_("wait no longer than so many seconds"))
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """Cancel it, and say what was stopped."""
        cancelled = cancel_task(find_task(options["task_id"]))
        if options["wait"]:
            watch(cancelled.task, shown=progress_wanted(options), timeout=options["timeout"])
            cancelled = as_it_stands(cancelled.task)
        return Outcome(_document(cancelled), _lines(cancelled))


def _document(cancelled: Cancellation) -> dict[str, Any]:
    files = {name: asdict(getattr(cancelled, name)) for name in ("stopped", "finished", "stopping")}
    task = cancelled.task
    return {"task_id": task.task_id, "celery_task_id": task.celery_task_id, "status": task.state, **files}


def _lines(cancelled: Cancellation) -> Iterator[str]:
    yield from facts(
        [
            (_("task"), cancelled.task.task_id),
            (_("state"), TaskState(cancelled.task.state).label),
            (_("files stopped"), cancelled.stopped.files),
            (_("files finished before"), cancelled.finished.files),
            (_("files in hand, which stop within seconds"), cancelled.stopping.files),
        ]
    )
