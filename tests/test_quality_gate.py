"""The quality gate: completeness counts values that are there, by shop, over what a task really brought."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskKind
from datasync.fields import Domain
from datasync.ingest.measure import Measure, as_document
from datasync.ingest.pipeline import IngestResult, ingest
from datasync.ingest.plan import ShopOf
from datasync.models import CatalogFile, HeaderSet, Platform, QualityReport, Shop, SyncProgressTask, SyncTaskFile
from datasync.quality.gate import assess, quality_check, run_gate
from datasync.quality.score import percent_change, score
from datasync.quality.selectors import reports
from tests.runs_support import make_file
from tests.sheets import ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db
FIELDS = ("order_id", "line_id", "order_status", "quantity", "order_amount_cny", "ordered_at", "shop_label")
MARCH, APRIL = date(2026, 3, 6), date(2026, 4, 2)


def _shop(name: str = "sg1") -> Shop:
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    return Shop.objects.get_or_create(platform_id="shopee", shop_id=name)[0]


def _task() -> SyncProgressTask:
    return SyncProgressTask.objects.create(
        task_id=uuid.uuid4().hex, celery_task_id=uuid.uuid4().hex, kind=TaskKind.BATCH_BY_IDS
    )


def _item(
    task: SyncProgressTask, file: CatalogFile, measures: dict[int | None, Measure], **counts: int
) -> SyncTaskFile:
    """A file of the task that ended with these books."""
    books = {f"rows_{name}": number for name, number in counts.items()}
    return SyncTaskFile.objects.create(
        task=task, file=file, position=task.items.count(), state=ItemState.COMPLETED, file_sha256="",
        measured=as_document(measures), **books,
    )  # fmt: skip


def _orders(rows: int, *, amounts: int | None = None, total: float = 0.0, day: date = MARCH) -> Measure:
    """Orders of one line each, of which ``amounts`` hold an amount."""
    names = ("order_id", "ordered_at", "order_status", "platform", "shop")
    present = {**dict.fromkeys(names, rows), "order_amount_cny": rows if amounts is None else amounts}
    sums = {"order_amount_cny": total, "quantity": float(rows)}
    return Measure(rows=rows, orders=rows, present=present, sums=sums, period_start=day, period_end=day)


def _sync(task: SyncProgressTask, rows: Sequence[Row], *, size: int = 1000, **scope: Any) -> IngestResult:
    """Really load the rows as a file of the task."""
    file = make_file()
    header = HeaderSet.objects.get_or_create(digest="x", defaults={"headers": list(FIELDS)})[0]
    plan = make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "line_id"), file_id=file.pk,
                     header_set_id=header.pk, **scope)  # fmt: skip
    result = ingest(
        sheet=ListSheet(FIELDS, rows, size=size), plan=plan, item_id=None, template_id=None, allow_quarantine=True,
        before_commit=lambda result: None,
    )  # fmt: skip
    _item(task, file, result.measures, **result.counts.as_dict())
    return result


def _line(order: str, line: str, amount: str | None, *, shop: str = "sg", day: str = "2026-03-06") -> Row:
    return (order, line, "paid", "1", amount, f"{day} 10:00:00", shop)


def test_a_field_is_as_complete_as_the_rows_of_all_files_hold_values() -> None:
    shop, task = _shop(), _task()
    _item(task, make_file(shop=shop), {shop.pk: _orders(3, amounts=2, total=40.5)}, read=5, inserted=3, quarantined=1,
          duplicates=1)  # fmt: skip
    _item(task, make_file(shop=shop), {shop.pk: _orders(1, amounts=0, day=APRIL)}, read=1, unchanged=1)

    (report,) = assess(task)

    assert (report.platform_id, report.shop_id, report.domain, report.rows) == ("shopee", shop.pk, "orders", 4)
    assert report.completeness == {
        "order_id": 1.0, "ordered_at": 1.0, "order_amount_cny": 0.5, "order_status": 1.0, "platform": 1.0, "shop": 1.0,
    }  # fmt: skip
    assert (report.missing_fields, report.duplicates, report.parse_failures) == ([], 1, 1)
    assert (report.period_start, report.period_end) == (MARCH, APRIL)
    assert report.change["totals"] == {"rows": 4.0, "order_amount_cny": 40.5, "quantity": 4.0}


def test_a_field_without_any_value_is_missing_though_its_header_exists() -> None:
    task = _task()
    _sync(task, [_line("A", "1", None)], shop_id=_shop().pk)
    (report,) = assess(task)
    assert report.missing_fields == ["order_amount_cny"]
    assert report.score is not None
    assert report.score < 90


@pytest.mark.parametrize("size", [1000, 2, 1])
def test_what_was_really_loaded_is_measured_by_shop_whatever_the_batches(size: int) -> None:
    task, singapore, malaysia = _task(), _shop("sg1").pk, _shop("my1").pk
    rows = [
        _line("A", "1", "10"), _line("A", "2", None), _line("A", "3", None),
        _line("B", "1", None, shop="my"), _line("B", "2", "30", shop="my", day="2026-03-09"),
        _line("C", "1", None), _line("D", "1", "5", day="?"),
    ]  # fmt: skip
    _sync(task, rows, size=size, shop_id=None, shops={"sg": ShopOf(singapore), "my": ShopOf(malaysia)})

    found = {report.shop_id: report for report in assess(task)}

    assert set(found) == {singapore, malaysia, None}
    assert (found[singapore].rows, found[malaysia].rows) == (4, 2)
    assert found[singapore].completeness["order_amount_cny"] == 0.5
    assert found[malaysia].completeness["order_amount_cny"] == 1.0
    assert (found[malaysia].period_start, found[malaysia].period_end) == (date(2026, 3, 6), date(2026, 3, 9))
    assert found[malaysia].change["totals"] == {"rows": 2.0, "order_amount_cny": 30.0, "quantity": 2.0}
    assert (found[singapore].parse_failures, found[malaysia].parse_failures) == (0, 0)
    assert (found[None].rows, found[None].parse_failures, found[None].completeness) == (0, 1, {})


def test_a_file_that_only_confirms_is_measured_like_the_first() -> None:
    shop, first, second = _shop().pk, _task(), _task()
    rows = [_line("A", "1", "10"), _line("B", "1", None)]
    _sync(first, rows, shop_id=shop)
    assert _sync(second, rows, shop_id=shop).counts.unchanged == 2
    (before,), (again,) = assess(first), assess(second)
    assert (again.rows, again.completeness, again.period_start, again.score) == (
        before.rows, before.completeness, before.period_start, before.score)  # fmt: skip
    assert again.rows == 2


def test_a_file_of_which_nothing_can_be_trusted_stands_under_its_own_shop() -> None:
    shop, task = _shop(), _task()
    _item(task, make_file(shop=shop), {}, read=4, quarantined=4)
    (report,) = assess(task)
    assert (report.shop_id, report.rows, report.parse_failures, report.completeness) == (shop.pk, 0, 4, {})
    assert report.score == pytest.approx(33.3)


def test_no_fact_is_read() -> None:
    task = _task()
    for _ in range(3):
        _sync(task, [_line("A", "1", "10")], shop_id=_shop().pk)
    with CaptureQueriesContext(connection) as queries:
        assess(task)
    assert not [query["sql"] for query in queries if "orderline" in query["sql"]]
    assert len(queries) <= 3


def test_change_is_against_the_previous_period() -> None:
    shop, march, april = _shop(), _task(), _task()
    _item(march, make_file(shop=shop), {shop.pk: _orders(1, total=100)}, read=1, inserted=1)
    run_gate(march)
    _item(april, make_file(shop=shop), {shop.pk: _orders(3, total=150, day=APRIL)}, read=3, inserted=3)
    (report,) = run_gate(april)
    assert report.change["previous"]["period_start"] == "2026-03-06"
    assert report.change["percent"] == {"rows": 200.0, "order_amount_cny": 50.0, "quantity": 200.0}
    assert report.change["sharp"] == ["order_amount_cny", "quantity", "rows"]
    assert QualityReport.objects.count() == 2
    assert [found.pk for found in reports(shop_id=shop.pk, domain="orders", sight=EVERYTHING)] == sorted(
        QualityReport.objects.values_list("pk", flat=True), reverse=True
    )


def test_domains_are_told_apart() -> None:
    shop, task = _shop(), _task()
    products = Measure(rows=1, present={"visitors": 1}, period_start=date(2026, 3, 1), period_end=date(2026, 3, 31))
    _item(task, make_file(), {shop.pk: _orders(1)}, read=1, inserted=1)
    _item(task, make_file(domain="products"), {shop.pk: products}, read=1, inserted=1)
    found = {report.domain: report for report in assess(task)}
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
