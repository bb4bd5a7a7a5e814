"""The whole way of real files through the runs room: read, bound, loaded, finished, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path, scan
from datasync.choices import FileState, ItemState, TaskState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine, QualityReport, SyncProgressTask
from datasync.quality.loss import flow
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.runs_support import Bell, bell

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
SHOP = "shopee/shopee_ana_sg"
HEADER = (
    "Order ID,Order Status,Tracking Number*,Order Creation Date,Order Paid Time,SKU Reference No.,Variation Name,"
    "Original Price,Deal Price,Quantity,Total Amount,Buyer Paid Shipping Fee,Recipient"
)


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return tmp_path


def write_export(inbox: Path, number: int, *, rows: int = 3, price: str = "20.00") -> Path:
    """An English Shopee order export of a day of its own."""
    path = inbox / SHOP / f"shopee_orders_daily_202603{number + 1:02d}_100000.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"26030{number}{line:06d},Completed,TN{line},2026-03-06 13:16,2026-03-06 13:20,SKU-{line},Red,"
        f"25.00,{price},1,{price},1.00,Ana"
        for line in range(rows)
    ]
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    return path


def _run(task: SyncProgressTask) -> SyncProgressTask:
    take_turn()
    task.refresh_from_db()
    return task


def test_a_real_file_is_loaded_once_and_then_unchanged(inbox: Path, bell: Bell) -> None:
    file = catalogue_path(write_export(inbox, 1, rows=5))
    first = _run(services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING))
    file.refresh_from_db()
    assert (first.state, first.errors, first.rows_inserted, file.state) == (
        TaskState.COMPLETED, [], 5, FileState.INGESTED
    )  # fmt: skip
    assert OrderLine.objects.filter(file_last=file).count() == 5
    again = _run(services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING))
    assert (again.rows_inserted, again.rows_unchanged) == (0, 5)
    assert flow(file_id=file.pk, sight=EVERYTHING).as_dict()["balanced"]
    report = QualityReport.objects.filter(task=first).get()
    assert (report.domain, report.rows, report.completeness["order_id"]) == ("orders", 5, 1.0)


def test_bad_rows_are_quarantined_or_the_file_refused(inbox: Path, bell: Bell) -> None:
    path = write_export(inbox, 2, rows=3)
    path.write_text(path.read_text().replace("20.00,1,20.00", "abc,1,abc", 1))
    file = catalogue_path(path)
    refused = _run(services.submit_single(file_id=file.pk, owner=None, allow_quarantine=False, sight=EVERYTHING))
    assert (refused.state, refused.errors[0]["code"]) == (TaskState.FAILED, "ROWS_REJECTED")
    assert not OrderLine.objects.filter(file_last=file).exists()
    kept = _run(services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING))
    file.refresh_from_db()
    assert (kept.state, kept.rows_inserted, kept.rows_quarantined) == (TaskState.PARTIAL, 2, 1)
    assert file.state == FileState.PARTIAL
    assert file.quarantined.count() == 1


def test_a_file_changed_after_it_was_queued_is_not_read(inbox: Path, bell: Bell) -> None:
    path = write_export(inbox, 3)
    file = catalogue_path(path)
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    path.write_text(path.read_text() + "\n")
    _run(task)
    assert (task.state, task.errors[0]["code"]) == (TaskState.FAILED, "FILE_CHANGED")


def test_a_file_touched_but_equal_is_read(inbox: Path, bell: Bell) -> None:
    path = write_export(inbox, 4)
    file = catalogue_path(path)
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    path.touch()
    assert _run(task).state == TaskState.COMPLETED


def test_an_unknown_header_is_skipped_and_gets_a_suggestion(inbox: Path, bell: Bell) -> None:
    path = inbox / SHOP / "shopee_orders_daily_20260320_100000.csv"
    path.parent.mkdir(parents=True)
    path.write_text("Bestellnummer,Datum,Betrag\nA1,2026-03-20,3.00\n", encoding="utf-8")
    file = catalogue_path(path)
    task = _run(services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING))
    file.refresh_from_db()
    assert (task.items.get().state, task.warnings[0]["code"]) == (ItemState.SKIPPED, "NO_TEMPLATE")
    assert file.state == FileState.PENDING
    assert file.suggestion


def test_a_small_file_costs_at_most_twelve_statements(inbox: Path, bell: Bell, settings: Any) -> None:
    """Counted over a batch, so that what a task costs once is not charged to a file; transactions' own words apart."""
    settings.SLICE_SECONDS = 600.0
    counted = {}
    for files in (3, 13):
        for number in range(1, files + 1):
            write_export(inbox, number, price=f"{files}.{number:02d}")
        scan(sight=EVERYTHING)
        pending = list(CatalogFile.objects.filter(state=FileState.PENDING).values_list("pk", flat=True))
        assert len(pending) == files
        task = services.submit_by_ids(file_ids=pending, owner=None, sight=EVERYTHING).task
        with CaptureQueriesContext(
            connection,
        ) as captured:
            _run(task)
        assert (task.state, task.errors) == (TaskState.COMPLETED, [])
        work = [
            query["sql"]
            for query in captured
            if not query["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))
        ]
        counted[files] = work
        for path in inbox.rglob("*.csv"):
            path.unlink()
    each = (len(counted[13]) - len(counted[3])) / 10
    assert each <= 12, "\n".join(sql[:150] for sql in counted[3])
