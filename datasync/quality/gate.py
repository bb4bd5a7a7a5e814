"""The quality gate: how complete what a task brought is, for each platform, shop and domain. It never blocks.

It adds up what was measured while the files were loaded, and reads no fact: its cost grows with a task's files, not
with the rows that a shop has gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from datasync.access import Sight
from datasync.choices import ITEM_TERMINAL
from datasync.fields import Domain
from datasync.ingest.measure import Measure, from_document
from datasync.models import QualityReport, SyncProgressTask, SyncTaskFile
from datasync.quality.score import percent_change, score

SHARP_CHANGE_PERCENT = 50.0
_BOOKS = ("rows_read", "rows_duplicates", "rows_quarantined")


@dataclass(frozen=True, slots=True)
class _Scope:
    platform_id: str
    shop_id: int | None
    domain: str


@dataclass(slots=True)
class _Group:
    """What is known of one scope: the measure of its rows, and the books of the files."""

    measured: Measure = field(default_factory=Measure)
    read: int = 0
    duplicates: int = 0
    parse_failures: int = 0


def run_gate(task: SyncProgressTask) -> list[QualityReport]:
    """Assess the task and store the reports."""
    return QualityReport.objects.bulk_create(assess(task))


def assess(task: SyncProgressTask) -> list[QualityReport]:
    """A report, not yet stored, for each platform, shop and domain that the files of the task brought rows of."""
    return [_report(task, scope, group) for scope, group in _groups(task).items()]


def quality_check(reports: Iterable[QualityReport]) -> dict[str, Any]:
    """The reports in short, as a task keeps them."""
    return _in_short(
        {
            "platform": report.platform_id,
            "shop_id": report.shop_id,
            "domain": report.domain,
            "score": report.score,
            "missing_fields": report.missing_fields,
        }
        for report in reports
    )


def quality_in_sight(check: Mapping[str, Any], *, sight: Sight) -> dict[str, Any]:
    """What is told of a task's quality check: the shops in sight. A file's rows may be of others too."""
    return _in_short(group for group in check.get("groups", ()) if sight.sees_shop(group["shop_id"]))


def _in_short(told: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The groups; the lowest score counts."""
    groups = list(told)
    scores = [group["score"] for group in groups if group["score"] is not None]
    return {"score": min(scores, default=None), "groups": groups} if groups else {}


def _groups(task: SyncProgressTask) -> dict[_Scope, _Group]:
    """What the task's files brought, by scope."""
    items = (
        SyncTaskFile.objects.filter(task=task, state__in=ITEM_TERMINAL, rows_read__gt=0)
        .exclude(Q(file__platform=None) | Q(file__domain=""))
        .select_related("file")
        .only("measured", *_BOOKS, "file__platform", "file__domain", "file__shop")
    )
    groups: dict[_Scope, _Group] = {}
    for item in items:
        measures = from_document(item.measured)
        for shop_id, measured in measures.items():
            _group(groups, item, shop_id).measured.add(measured)
        books = _group(groups, item, _shop_of_the_books(item, measures))
        books.read += item.rows_read
        books.duplicates += item.rows_duplicates
        books.parse_failures += item.rows_quarantined
    return groups


def _shop_of_the_books(item: SyncTaskFile, measures: Mapping[int | None, Measure]) -> int | None:
    """The shop that a file's counts belong to: of rows of several shops they cannot be told apart."""
    if not measures:
        return item.file.shop_id
    return next(iter(measures)) if len(measures) == 1 else None


def _group(groups: dict[_Scope, _Group], item: SyncTaskFile, shop_id: int | None) -> _Group:
    scope = _Scope(platform_id=item.file.platform_id or "", shop_id=shop_id, domain=item.file.domain)
    return groups.setdefault(scope, _Group())


def _report(task: SyncProgressTask, scope: _Scope, group: _Group) -> QualityReport:
    measured = group.measured
    completeness = measured.completeness(Domain(scope.domain))
    report = QualityReport(
        task=task,
        platform_id=scope.platform_id,
        shop_id=scope.shop_id,
        domain=scope.domain,
        period_start=measured.period_start,
        period_end=measured.period_end,
        rows=measured.rows,
        completeness=completeness,
        missing_fields=[name for name, share in completeness.items() if share == 0],
        duplicates=group.duplicates,
        parse_failures=group.parse_failures,
        score=score(
            completeness=completeness,
            read=group.read,
            parse_failures=group.parse_failures,
            duplicates=group.duplicates,
        ),
    )
    report.change = _change(report, totals={"rows": float(measured.rows), **measured.sums})
    return report


def _change(report: QualityReport, *, totals: dict[str, float]) -> dict[str, Any]:
    """Rows and core sums now, and against the shop's previous period; without one, against its previous report."""
    earlier = QualityReport.objects.filter(platform=report.platform_id, shop=report.shop_id, domain=report.domain)
    previous = None
    if report.period_start:
        previous = earlier.filter(period_start__lt=report.period_start).order_by("-period_start", "-id").first()
    previous = previous or earlier.order_by("-id").first()
    if previous is None:
        return {"totals": totals}
    before = previous.change.get("totals", {})
    percent = {name: percent_change(now, before.get(name, 0.0)) for name, now in totals.items()}
    return {
        "totals": totals,
        "previous": {
            "report": previous.pk,
            "period_start": previous.period_start and previous.period_start.isoformat(),
            "period_end": previous.period_end and previous.period_end.isoformat(),
            "totals": before,
        },
        "percent": percent,
        "sharp": sorted(name for name, value in percent.items() if abs(value or 0.0) >= SHARP_CHANGE_PERCENT),
    }
