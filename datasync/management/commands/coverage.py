"""Which families of exports the catalogue has seen, and whether templates cover them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice
from datasync.management.arguments import require_platform
from datasync.management.base import ConsoleCommand, Exit, Outcome
from datasync.management.tables import table
from datasync.mapping.coverage import Coverage, FamilyCoverage, coverage, coverage_percent, filter_families


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Say which families of exports published templates cover. Exit code 4: some are missing or need an update."
    )

    def add_options(self, parser: CommandParser) -> None:
        """What to look at, and when to complain."""
        parser.add_argument("--platform", default="", help=_("only of this platform"))
        parser.add_argument("--domain", choices=DomainChoice.values, default="", help=_("only of this domain"))
        parser.add_argument(
            "--fail-under", type=_percent, metavar="PERCENT",
            help=_("exit with 4 only where fewer files than this are covered"),
        )  # fmt: skip

    def work(self, options: dict[str, Any]) -> Outcome:
        """Count, and judge."""
        require_platform(options["platform"])
        families = filter_families(coverage(sight=EVERYTHING), platform=options["platform"], domain=options["domain"])
        percent = coverage_percent(families)
        document = {"coverage": percent, "families": [_document(one) for one in families]}
        exit_code = _verdict(families, percent, least=options["fail_under"])
        if percent is None:
            return Outcome(document, [_("No described files yet; scan the folders first.")], exit_code)
        headers = (
            _("family"), _("status"), _("files"), _("covered"), _("blocked"), _("without"), _("drifted"), _("example"),
            _("newest template"),
        )  # fmt: skip
        rows = (
            (one.family.key, str(one.status), one.files, one.covered, one.blocked, one.unmatched, one.drifted,
             str(one.example_file_id), one.newest.name if one.newest else "–")
            for one in families
        )  # fmt: skip
        total = _("Covered: %(percent)s of the described files.") % {"percent": f"{percent}%"}
        return Outcome(document, [*table(headers, rows), "", total], exit_code)


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        raise ArgumentTypeError(_("“%(text)s” is no share in percent") % {"text": text})
    return number


def _verdict(families: list[FamilyCoverage], percent: float | None, *, least: float | None) -> Exit:
    if least is not None:
        return Exit.REFUSED if percent is not None and percent < least else Exit.OK
    return Exit.OK if all(one.status is Coverage.COVERED for one in families) else Exit.REFUSED


def _document(one: FamilyCoverage) -> dict[str, Any]:
    return {
        "family": one.family.key,
        "status": str(one.status),
        "files": one.files,
        "covered": one.covered,
        "blocked": one.blocked,
        "unmatched": one.unmatched,
        "drifted": one.drifted,
        "variants": one.variants,
        "newest_template": one.newest.name if one.newest else None,
        "example_file_id": one.example_file_id,
    }
