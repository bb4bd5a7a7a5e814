"""Free what dead workers held, and set going again what was lost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.base import ConsoleCommand, Exit, Outcome
from datasync.runs.sweep import Swept, sweep


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Queue files of dead workers again, close tasks that nobody closed, and call workers where messages were lost. "
        "Workers and the clock do this by themselves; it may run as often as you like."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Whether to do it, or only to say it."""
        parser.add_argument("--dry-run", action="store_true", help=_("say what would be done, and do nothing"))

    def work(self, options: dict[str, Any]) -> Outcome:
        """One sweep."""
        swept = sweep(dry_run=options["dry_run"])
        document = asdict(swept) | {"dry_run": options["dry_run"]}
        return Outcome(document, _in_words(swept), Exit.UNAVAILABLE if swept.failed else Exit.OK)


def _in_words(swept: Swept) -> list[str]:
    counts = {
        _("database sessions of dead workers ended"): swept.sessions,
        _("files queued again"): swept.freed,
        _("files given up, because their workers died with them"): swept.given_up,
        _("files of cancelled tasks stopped"): swept.stopped,
        _("files not started before their task's deadline"): swept.not_started,
        _("tasks closed"): swept.closed,
        _("turns given to workers"): swept.turns,
        _("steps, files or tasks left to the next sweep; the log says why"): swept.failed,
    }
    lines = [f"{count:>6}  {what}" for what, count in counts.items() if count]
    return lines or [_("There is nothing to recover.")]
