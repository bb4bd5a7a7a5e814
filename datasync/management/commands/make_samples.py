"""Make realistic sample exports to try the product with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.exceptions import InvalidRequest
from datasync.management.arguments import whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.progress import Counter, add_progress_option, progress_wanted
from datasync.management.tables import table
from datasync.samples import SampleSet, make_samples


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Make realistic sample exports of all kinds, messy ones too, in a folder; by default the first data root."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Where, how many, and which."""
        parser.add_argument("folder", nargs="?", type=Path, help=_("folder to write to (default: the first data root)"))
        parser.add_argument(
            "--rows", type=whole_number(1, 10_000_000), default=100_000,
            help=_("rows in all files together, about (default %(default)s)"),
        )  # fmt: skip
        parser.add_argument(
            "--seed", type=whole_number(0, 2**63 - 1), default=20260101, help=_("the same seed gives the same bytes")
        )
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """Write the files and say what is in them."""
        folder: Path = options["folder"] or settings.DATA_ROOTS[0]
        counter = Counter(unit=_("files"), shown=progress_wanted(options))
        try:
            samples = make_samples(folder, rows=options["rows"], seed=options["seed"], progress=counter.reached)
        except OSError as error:
            raise InvalidRequest(detail=f"{folder}: {error.strerror}") from error
        finally:
            counter.close()
        return Outcome(_as_document(samples), _lines(samples))


def _as_document(samples: SampleSet) -> dict[str, Any]:
    return {
        "folder": str(samples.folder),
        "files": len(samples.files),
        "rows": sum(file.rows_read for file in samples.files),
        "facts": samples.facts,
        "expected": [
            {
                "path": str(file.path.relative_to(samples.folder)),
                "outcome": file.outcome.value,
                "code": file.code,
                "rows_read": file.rows_read,
                "good": file.good,
                "quarantined": file.quarantined,
                "totals": file.totals,
                "duplicates": file.duplicates,
            }
            for file in samples.files
        ],
    }


def _lines(samples: SampleSet) -> list[str]:
    """How many files must come to which outcome, and what to do next."""
    outcomes: dict[str, tuple[int, int]] = {}
    for file in samples.files:
        files, rows = outcomes.get(file.outcome.value, (0, 0))
        outcomes[file.outcome.value] = (files + 1, rows + file.rows_read)
    listed = ((outcome, *counts) for outcome, counts in sorted(outcomes.items()))
    lines = list(table((_("expected outcome"), _("files"), _("rows")), listed))
    return [*lines, "", _("Next: manage.py scan_files, then manage.py sync_files --all --wait")]
