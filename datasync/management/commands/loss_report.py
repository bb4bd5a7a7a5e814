"""Where the rows went, and whether too many were lost."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice
from datasync.management.arguments import file_id, find_file, find_task
from datasync.management.base import ConsoleCommand, Exit, Outcome
from datasync.management.tables import table
from datasync.quality.alerts import recovery
from datasync.quality.breakdown import Part, parts, parts_with_flows
from datasync.quality.loss import Flow, Selection, flow

MOST_PARTS = 20
"""How many files or domains a terminal shows, the most quarantined first."""


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Show where the rows of a file, a task, a domain or of all went. Exit code 3: more were lost than tolerated."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Whose rows, and how many may be lost."""
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--file-id", type=file_id, help=_("the rows of this file at its last sync"))
        whose.add_argument("--task", help=_("the rows of this task"))
        whose.add_argument("--domain", choices=DomainChoice.values, help=_("the rows of this domain"))
        parser.add_argument(
            "--threshold",
            type=_percent,
            default=settings.LOSS_ALERT_PERCENT,
            help=_("the share of rows in percent that may be lost (default: %(default)s)"),
        )

    def work(self, options: dict[str, Any]) -> Outcome:
        """The equation of the books, and its parts."""
        selection = _selection(options)
        whole = flow(sight=EVERYTHING, file_id=selection.file_id, task_id=selection.task_id, domain=selection.domain)
        shown = parts_with_flows(selection, parts(selection)[:MOST_PARTS])
        threshold: float = options["threshold"]
        above = 100 * whole.lost > threshold * whole.counts.read
        document = {
            **whole.as_dict(),
            "threshold": threshold,
            "above_threshold": above,
            "recovery_suggestion": recovery(whole) if above else "",
            "parts": [part.as_dict() for part in shown],
        }
        lines = _lines(whole, shown, above=above, threshold=threshold)
        return Outcome(document, lines, exit=Exit.QUARANTINED if above else Exit.OK)


def _selection(options: dict[str, Any]) -> Selection:
    file_id = find_file(options["file_id"]).pk if options["file_id"] else None
    task_id = find_task(options["task"]).pk if options["task"] else None
    return Selection(sight=EVERYTHING, file_id=file_id, task_id=task_id, domain=options["domain"])


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ArgumentTypeError(_("“%(text)s” is no number") % {"text": text}) from None
    if not 0 <= number <= 100:
        bounds = {"text": text, "least": 0, "most": 100}
        raise ArgumentTypeError(_("%(text)s is not between %(least)s and %(most)s") % bounds)
    return number


def _lines(whole: Flow, shown: list[Part], *, above: bool, threshold: float) -> Iterator[str]:
    if not whole.files:
        yield _("No file has been synced yet.")
        return
    yield from table((_("rows"), _("count")), _equation(whole))
    if not whole.balanced:
        yield _("The books do not balance: this is a bug, please report it.")
    if len(shown) > 1:
        yield ""
        headers = (_("read"), _("quarantined"), _("undecided"), _("lost %"), _("of"))
        yield from table(headers, (_part(part) for part in shown))
    if above:
        shares = {"lost": f"{whole.lost_percent:g}", "threshold": f"{threshold:g}"}
        yield ""
        yield _("%(lost)s %% of the rows were lost; tolerated are %(threshold)s %%.") % shares
        yield recovery(whole)


def _equation(whole: Flow) -> Iterator[tuple[str, int]]:
    for name, count in whole.counts.as_dict().items():
        yield _(name), count
        if name == "quarantined":
            yield from ((f"  {label}", rows) for label, rows in _kept(whole) if rows)


def _kept(whole: Flow) -> tuple[tuple[str, int], ...]:
    return (
        (_("open"), whole.open),
        (_("corrected"), whole.corrected),
        (_("discarded"), whole.discarded),
        (_("judged again by a later sync"), whole.judged_again),
    )


def _part(part: Part) -> tuple[Any, ...]:
    whole = part.flow
    name = part.file or part.domain or _("not described")
    return whole.counts.read, whole.lost, whole.undecided, whole.lost_percent, name
