"""The quality gate: completeness counts values that are there, by shop, over what a task really brought."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from datasync.choices import ItemState, TaskKind
from datasync.models import (
    CatalogFile,
    HeaderSet,
    OrderLine,
    ProductMetric,
    QualityReport,
    Shop,
    SyncProgressTask,
    SyncTaskFile,
)
from datasync.quality.gate import assess, quality_check, run_gate
from datasync.quality.score import percent_change, score
from datasync.quality.selectors import reports
from tests.runs_support import make_file

pytestmark = pytest.mark.django_db


def _shop(name: str) -> Shop:
    return Shop.objects.get_or_create(platform_id="shopee", shop_id=name)[0]


def _task(**items: tuple[CatalogFile, dict[str, int]]) -> SyncProgressTask:
    """A task whose files ended with these books."""
    task = SyncProgressTask.objects.create(
        task_id=uuid.uuid4().hex, celery_task_id=uuid.uuid4().hex, kind=TaskKind.BATCH_BY_IDS
    )
    for position, (file, counts) in enumerate(items.values()):
        books = {f"rows_{name}": number for name, number in counts.items()}
        SyncTaskFile.objects.create(
            task=task, file=file, position=position, state=ItemState.COMPLETED, file_sha256="", **books
        )
    return task


def _order(file: CatalogFile, shop: Shop, order: str, *, amount: str | None = None, **values: Any) -> None:
    now = timezone.now()
    defaults: dict[str, Any] = {
        "order_status": "Completed", "ordered_at": datetime(2026, 3, 6, 12, tzinfo=UTC), "quantity": 1
    }  # fmt: skip
    OrderLine.objects.create(
        record_key=uuid.uuid4(), content_hash=uuid.uuid4(), platform_id="shopee", shop=shop, granularity="daily",
        collected_at=now, file_first=file, file_last=file, sheet_row=2, created_at=now, updated_at=now, raw="[]",
        header_set=HeaderSet.objects.get_or_create(digest="x", defaults={"headers": []})[0],
        order_id=order, order_amount_cny=amount, **(defaults | values),
    )  # fmt: skip


def test_a_field_is_as_complete_as_its_rows_hold_values() -> None:
    file = make_file()
    shop = _shop("sg1")
    _order(file, shop, "A", amount="10")
    _order(file, shop, "A")  # the order's second line bears no order-level money
    _order(file, shop, "B", amount="30")
    _order(file, shop, "C", order_status=None)
    task = _task(one=(file, {"read": 6, "inserted": 4, "quarantined": 1, "duplicates": 1}))

    (report,) = assess(task)

    assert (report.platform_id, report.shop_id, report.domain, report.rows) == ("shopee", shop.pk, "orders", 4)
    assert report.completeness == {
        "order_id": 1.0, "ordered_at": 1.0, "order_amount_cny": pytest.approx(0.6667, abs=1e-4),
        "order_status": 0.75, "platform": 1.0, "shop": 1.0,
    }  # fmt: skip
    assert (report.missing_fields, report.duplicates, report.parse_failures) == ([], 1, 1)
    assert (report.period_start, report.period_end) == (date(2026, 3, 6), date(2026, 3, 6))
    assert report.change["totals"] == {"rows": 4.0, "order_amount_cny": 40.0, "quantity": 4.0}


def test_a_field_without_any_value_is_missing_though_its_header_exists() -> None:
    file = make_file()
    _order(file, _shop("sg1"), "A")
    (report,) = assess(_task(one=(file, {"read": 1, "inserted": 1})))
    assert report.missing_fields == ["order_amount_cny"]
    assert report.score is not None
    assert report.score < 90


def test_shops_named_by_rows_get_a_report_each_and_the_books_stand_apart() -> None:
    file = make_file()
    for shop in ("sg1", "my1", "my1"):
        _order(file, _shop(shop), shop, amount="1")
    found = {
        report.shop_id: report for report in assess(_task(one=(file, {"read": 5, "inserted": 3, "quarantined": 2})))
    }
    assert found[_shop("sg1").pk].rows == 1
    assert found[_shop("my1").pk].rows == 2
    assert found[_shop("my1").pk].parse_failures == 0
    assert found[None].parse_failures == 2


def test_other_files_rows_do_not_count() -> None:
    mine, other = make_file(), make_file()
    _order(mine, _shop("sg1"), "A", amount="1")
    _order(other, _shop("sg1"), "B")
    (report,) = assess(_task(one=(mine, {"read": 1, "inserted": 1})))
    assert report.completeness["order_amount_cny"] == 1.0


def test_change_is_against_the_previous_period() -> None:
    shop = _shop("sg1")
    march, april = make_file(shop=shop), make_file(shop=shop)
    _order(march, shop, "A", amount="100")
    run_gate(_task(one=(march, {"read": 1, "inserted": 1})))
    for number in range(3):
        _order(april, shop, str(number), amount="50", ordered_at=datetime(2026, 4, 2, tzinfo=UTC))
    (report,) = run_gate(_task(one=(april, {"read": 3, "inserted": 3})))
    assert report.change["previous"]["period_start"] == "2026-03-06"
    assert report.change["percent"] == {"rows": 200.0, "order_amount_cny": 50.0, "quantity": 200.0}
    assert report.change["sharp"] == ["order_amount_cny", "quantity", "rows"]
    assert QualityReport.objects.count() == 2
    assert [found.pk for found in reports(shop_id=shop.pk, domain="orders")] == sorted(
        QualityReport.objects.values_list("pk", flat=True), reverse=True
    )


def test_a_file_that_only_confirms_keeps_the_last_measure() -> None:
    shop = _shop("sg1")
    first, second = make_file(shop=shop), make_file(shop=shop)
    _order(first, shop, "A", amount="1")
    run_gate(_task(one=(first, {"read": 1, "inserted": 1})))
    (report,) = assess(_task(one=(second, {"read": 1, "unchanged": 1})))
    assert (report.rows, report.completeness["order_amount_cny"], report.period_start) == (1, 1.0, date(2026, 3, 6))


def test_domains_are_told_apart() -> None:
    orders, products = make_file(), make_file(domain="products")
    _order(orders, _shop("sg1"), "A", amount="1")
    now = timezone.now()
    ProductMetric.objects.create(
        record_key=uuid.uuid4(), content_hash=uuid.uuid4(), platform_id="shopee", shop=_shop("sg1"),
        granularity="monthly", collected_at=now, file_first=products, file_last=products, sheet_row=2, created_at=now,
        updated_at=now, raw="[]", header_set=HeaderSet.objects.get(digest="x"), product_id="P", visitors=5,
        period_start=date(2026, 3, 1), period_end=date(2026, 3, 31),
    )  # fmt: skip
    counts = {"read": 1, "inserted": 1}
    found = {report.domain: report for report in assess(_task(one=(orders, counts), two=(products, counts)))}
    assert found["products"].completeness["visitors"] == 1.0
    assert "rating" in found["products"].missing_fields
    assert (found["products"].period_start, found["products"].period_end) == (date(2026, 3, 1), date(2026, 3, 31))
    check = quality_check(found.values())
    assert check["score"] == min(report.score for report in found.values() if report.score is not None)


@pytest.mark.parametrize(
    ("completeness", "read", "failures", "duplicates", "expected"),
    [
        ({"a": 1.0, "b": 1.0}, 10, 0, 0, 100.0),
        ({"a": 1.0, "b": 0.0}, 10, 0, 0, 65.0),
        ({"a": 1.0}, 10, 5, 0, 90.0),
        ({"a": 1.0}, 10, 0, 10, 90.0),
        ({}, 10, 10, 10, 0.0),
        ({}, 0, 0, 0, None),
    ],
)
def test_the_score_is_the_documented_sum(
    completeness: dict[str, float], read: int, failures: int, duplicates: int, expected: float | None
) -> None:
    assert score(completeness=completeness, read=read, parse_failures=failures, duplicates=duplicates) == expected


def test_a_change_from_nothing_has_no_percentage() -> None:
    assert percent_change(5, 0) is None
    assert percent_change(5, 10) == -50.0
