"""The quality gate: how complete what a task brought is, for each platform, shop and domain. It never blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from datasync.choices import ITEM_TERMINAL
from datasync.models import QualityReport, SyncProgressTask, SyncTaskFile
from datasync.quality.measure import Measure, measure
from datasync.quality.score import percent_change, score

SHARP_CHANGE_PERCENT = 50.0


@dataclass(frozen=True, slots=True)
class _Scope:
    platform_id: str
    shop_id: int | None
    domain: str


@dataclass(slots=True)
class _Group:
    """What is known of one scope: rows from the tables, and the books of the files."""

    measured: Measure = field(default_factory=Measure)
    read: int = 0
    kept: int = 0
    duplicates: int = 0
    parse_failures: int = 0


def run_gate(task: SyncProgressTask) -> list[QualityReport]:
    """Assess the task and store the reports."""
    return QualityReport.objects.bulk_create(assess(task))


def assess(task: SyncProgressTask) -> list[QualityReport]:
    """A report, not yet stored, for each platform, shop and domain that the files of the task brought rows of."""
    return [_report(task, scope, group) for scope, group in _groups(task).items()]


def quality_check(reports: Iterable[QualityReport]) -> dict[str, Any]:
    """The reports in short, as a task shows them: the lowest score counts."""
    groups = [
        {
            "platform": report.platform_id,
            "shop_id": report.shop_id,
            "domain": report.domain,
            "score": report.score,
            "missing_fields": report.missing_fields,
        }
        for report in reports
    ]
    scores = [group["score"] for group in groups if group["score"] is not None]
    return {"score": min(scores, default=None), "groups": groups} if groups else {}


def _groups(task: SyncProgressTask) -> dict[_Scope, _Group]:
    """What the task's files brought, by scope.

    The books of a file whose rows name several shops cannot be told apart by shop: they stand under no shop.
    """
    items = list(
        SyncTaskFile.objects.filter(task=task, state__in=ITEM_TERMINAL, rows_read__gt=0)
        .exclude(Q(file__platform=None) | Q(file__domain=""))
        .select_related("file")
    )
    by_domain: dict[str, list[int]] = {}
    for item in items:
        by_domain.setdefault(item.file.domain, []).append(item.file_id)
    measures: dict[int, dict[int | None, Measure]] = {}
    for domain, file_ids in by_domain.items():
        for (file_id, shop_id), measured in measure(domain, sorted(file_ids)).items():
            measures.setdefault(file_id, {})[shop_id] = measured

    groups: dict[_Scope, _Group] = {}
    for item in items:
        shops = measures.get(item.file_id, {})
        for shop_id, measured in shops.items():
            _group(groups, item, shop_id).measured.add(measured)
        only_shop = next(iter(shops)) if len(shops) == 1 else item.file.shop_id
        _add_books(_group(groups, item, only_shop), item)
    return groups


def _group(groups: dict[_Scope, _Group], item: SyncTaskFile, shop_id: int | None) -> _Group:
    scope = _Scope(platform_id=item.file.platform_id or "", shop_id=shop_id, domain=item.file.domain)
    return groups.setdefault(scope, _Group())


def _add_books(group: _Group, item: SyncTaskFile) -> None:
    group.read += item.rows_read
    group.kept += item.rows_inserted + item.rows_updated + item.rows_unchanged + item.rows_stale
    group.duplicates += item.rows_duplicates
    group.parse_failures += item.rows_quarantined


def _report(task: SyncProgressTask, scope: _Scope, group: _Group) -> QualityReport:
    """The report of one scope.

    Rows that a file only confirmed were measured when they were loaded: where a sync changed nothing, what the shop's
    last report says of them still holds.
    """
    measured = group.measured
    earlier = QualityReport.objects.filter(platform=scope.platform_id, shop=scope.shop_id, domain=scope.domain)
    last = earlier.order_by("-id").first() if group.kept and not measured.rows else None
    completeness = last.completeness if last else measured.completeness(scope.domain)
    report = QualityReport(
        task=task,
        platform_id=scope.platform_id,
        shop_id=scope.shop_id,
        domain=scope.domain,
        period_start=last.period_start if last else measured.period_start,
        period_end=last.period_end if last else measured.period_end,
        rows=max(group.kept, measured.rows),
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
    if last:
        report.change = last.change
    else:
        sums = {name: float(amount) for name, amount in measured.sums.items()}
        report.change = _change(report, earlier, totals={"rows": float(report.rows), **sums})
    return report


def _change(report: QualityReport, earlier: QuerySet[QualityReport], *, totals: dict[str, float]) -> dict[str, Any]:
    """Rows and core sums now, and against the shop's previous period; without one, against its previous report."""
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
