"""How complete the data of each shop and domain is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice
from datasync.management.arguments import find_task, require_platform, require_shop, whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.tables import table
from datasync.models import QualityReport
from datasync.quality.selectors import reports


class Command(ConsoleCommand):
    summary = gettext_lazy("Show the quality gate's scores by shop and domain: of one task, or the newest of each.")

    def add_options(self, parser: CommandParser) -> None:
        """What reports can be chosen by."""
        parser.add_argument("--task", help=_("the reports of this task"))
        parser.add_argument("--platform", help=_("only of this platform"))
        parser.add_argument("--domain", choices=DomainChoice.values, help=_("only of this domain"))
        parser.add_argument("--shop", help=_("only of this shop: its id on the platform"))
        parser.add_argument("--below", type=whole_number(0, 100), help=_("only scores below this"))

    def work(self, options: dict[str, Any]) -> Outcome:
        """The reports as a table."""
        reports = _chosen(options)
        document = [_as_document(report) for report in reports]
        if not document:
            return Outcome([], [_("No quality report matches. One is made when a sync ends.")])
        headers = (
            _("platform"), _("shop"), _("domain"), _("from"), _("to"), _("score"), _("rows"), _("duplicates"),
            _("not parsed"), _("missing fields"),
        )  # fmt: skip
        return Outcome(document, table(headers, (_line(entry) for entry in document)))


def _chosen(options: dict[str, Any]) -> list[QualityReport]:
    """The reports asked for; without a task the newest of each platform, shop and domain."""
    require_platform(options["platform"])
    require_shop(options["shop"], platform=options["platform"])
    task = find_task(options["task"]) if options["task"] else None
    listed = reports(
        sight=EVERYTHING, platform=options["platform"], domain=options["domain"], task_id=task.pk if task else None
    )
    found = listed.select_related("task")
    if options["shop"]:
        found = found.filter(shop__shop_id=options["shop"])
    chosen = list(found) if task else _newest(found)
    if options["below"] is not None:
        chosen = [report for report in chosen if report.score is not None and report.score < options["below"]]
    return sorted(
        chosen, key=lambda report: (report.platform_id, report.shop.shop_id if report.shop else "", report.domain)
    )


def _newest(found: Iterable[QualityReport]) -> list[QualityReport]:
    """The first, that is the newest, of each platform, shop and domain."""
    newest: dict[tuple[str, int | None, str], QualityReport] = {}
    for report in found:
        newest.setdefault((report.platform_id, report.shop_id, report.domain), report)
    return list(newest.values())


def _as_document(report: QualityReport) -> dict[str, Any]:
    return {
        "platform": report.platform_id,
        "shop": report.shop.shop_id if report.shop else None,
        "domain": report.domain,
        "period_start": report.period_start,
        "period_end": report.period_end,
        "score": report.score,
        "rows": report.rows,
        "duplicates": report.duplicates,
        "parse_failures": report.parse_failures,
        "missing_fields": report.missing_fields,
        "completeness": report.completeness,
        "change": report.change,
        "task_id": report.task.task_id if report.task else None,
        "created_at": report.created_at,
    }


def _line(entry: dict[str, Any]) -> tuple[Any, ...]:
    shown = (
        "platform",
        "shop",
        "domain",
        "period_start",
        "period_end",
        "score",
        "rows",
        "duplicates",
        "parse_failures",
    )
    return (*(entry[name] for name in shown), ", ".join(entry["missing_fields"]))
