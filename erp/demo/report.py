"""What the demo shows at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from datasync.ingest.plan import COUNT_NAMES
from datasync.management.tables import table
from datasync.models import QualityReport, QuarantinedRow, SyncProgressTask
from erp.demo.books import counts_of

_NEXT = (
    ("make demo-serve", "the console and the API over this data"),
    ("make demo", "again: nothing may change"),
    ("make serve", "an empty installation of your own"),
    ("make test", "every check and every test"),
)


def document(task: SyncProgressTask) -> dict[str, Any]:
    """The outcome as one document."""
    seconds = sync_seconds(task)
    return {
        "task_id": task.task_id,
        "seconds": round(seconds, 2),
        "rows_per_second": round(task.rows_read / seconds) if seconds else None,
        "files": dict(_files_by_outcome(task)),
        "rows": counts_of(task),
        "quarantine": dict(_quarantine_by_reason(task)),
    }


def sync_seconds(task: SyncProgressTask) -> float:
    """From the first claim to the close."""
    if task.started_at is None or task.finished_at is None:
        return 0.0
    return (task.finished_at - task.started_at).total_seconds()


def report(task: SyncProgressTask, differences: Sequence[str]) -> Iterator[str]:
    """All of it, as lines."""
    yield from _section(_("Files by outcome"), table([_("outcome"), _("files")], _files_by_outcome(task)))
    yield from _section(_("Rows by domain"), table([_("domain"), *COUNT_NAMES], _rows_by_domain(task)))
    yield from _section(_("Quarantine by reason"), table([_("reason"), _("rows")], _quarantine_by_reason(task)))
    headers = [_("platform"), _("shop"), _("domain"), _("score"), _("rows"), _("missing")]
    yield from _section(_("Quality by shop"), table(headers, _quality(task)))
    seconds = sync_seconds(task)
    yield ""
    yield _("%(rows)s rows of %(files)s files in %(seconds).1f s: %(speed)s rows/s") % {
        "rows": f"{task.rows_read:,}",
        "files": task.total_files,
        "seconds": seconds,
        "speed": f"{task.rows_read / seconds:,.0f}" if seconds else "-",
    }
    yield from _verdict(differences)
    yield ""
    width = max(len(command) for command, _meaning in _NEXT)
    yield from (f"{command:<{width}}  {meaning}" for command, meaning in _NEXT)


def _verdict(differences: Sequence[str]) -> Iterator[str]:
    if not differences:
        yield _("The books balance: every row of every file is accounted for.")
        return
    yield _("The books do not balance:")
    yield from (f"  {difference}" for difference in differences)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in lines)


def _files_by_outcome(task: SyncProgressTask) -> list[tuple[str, int]]:
    """Files by state, and by error code where there is one."""
    counted: Counter[str] = Counter()
    for item in task.items.select_related("file"):
        code = item.error.get("code", "")
        counted[f"{item.file.state}: {code}" if code else item.file.state] += 1
    return counted.most_common()


def _rows_by_domain(task: SyncProgressTask) -> list[tuple[Any, ...]]:
    sums = [Sum(f"rows_{name}") for name in COUNT_NAMES]
    domains = task.items.order_by("file__domain").values_list("file__domain").annotate(*sums)
    rows = [(domain or "-", *counts) for domain, *counts in domains]
    return [*rows, (_("all"), *counts_of(task).values())]


def _quarantine_by_reason(task: SyncProgressTask) -> list[tuple[str, int]]:
    """Rows by reason; a row with two reasons counts for both."""
    counted: Counter[str] = Counter()
    files = task.items.values("file")
    for reasons in QuarantinedRow.objects.filter(file__in=files).values_list("reasons", flat=True):
        counted.update({reason["code"] for reason in reasons})
    return counted.most_common()


def _quality(task: SyncProgressTask) -> Iterator[tuple[Any, ...]]:
    reports = QualityReport.objects.filter(task=task).select_related("platform", "shop")
    for one in reports.order_by("platform", "shop__name", "domain"):
        missing = ", ".join(one.missing_fields)
        yield one.platform_id, str(one.shop or "-"), one.domain, one.score, one.rows, missing
