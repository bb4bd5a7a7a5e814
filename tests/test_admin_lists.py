"""The operators' lists stay fast: a fixed number of statements, and no counting of large tables."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasync import models
from datasync.admin import facts, runs
from datasync.choices import ItemState, TaskState
from tests.admin_rows import make_fact
from tests.quarantine_rows import make_file, make_row, make_task

pytestmark = pytest.mark.django_db
LISTS = (
    "catalogfile", "syncprogresstask", "synctaskfile", "quarantinedrow", "orderline", "productmetric", "qualityreport",
    "headertemplate", "shop",
)  # fmt: skip


def fill(number: int) -> None:
    """One more row in every list, each with a shop, a file and a task of its own."""
    platform, _ = models.Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    shop = models.Shop.objects.create(platform=platform, shop_id=f"shop{number}")
    template = models.HeaderTemplate.objects.create(
        platform=platform, source_platform=platform, domain="orders", granularity="daily", version=number,
        fingerprint="f",
    )  # fmt: skip
    file = make_file(f"{number}.csv", shop=shop, template=template)
    task = make_task(file, task_id=f"batch_{number}")
    make_row(file, 2, "A", "x", "", item=task.items.get())
    models.QualityReport.objects.create(task=task, platform=platform, shop=shop, domain="orders", score=90, rows=1)
    for model in (models.OrderLine, models.ProductMetric):
        make_fact(model, file)


def statements(client: Client, name: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(reverse(f"admin:datasync_{name}_changelist")).status_code == 200
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("name", LISTS)
def test_number_of_statements_does_not_grow_with_the_rows(admin_client: Client, name: str) -> None:
    fill(1)
    few = len(statements(admin_client, name))
    for number in range(2, 8):
        fill(number)
    assert len(statements(admin_client, name)) == few


def test_facts_are_never_counted_whole(admin_client: Client) -> None:
    fill(1)
    counting = [sql for sql in statements(admin_client, "orderline") if "COUNT(" in sql and "orderline" in sql]
    assert counting
    assert all(f"LIMIT {facts.LISTED_AT_MOST}" in sql for sql in counting)


def test_facts_beyond_the_cap_are_told(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "LISTED_AT_MOST", 2)
    for number in range(1, 6):
        fill(number)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE datasync_orderline")
    page = admin_client.get(reverse("admin:datasync_orderline_changelist"))
    assert "about 5 rows; the first 2 are listed" in page.content.decode()
    assert page.context["cl"].result_count == 2


def test_original_row_of_a_fact_stands_under_its_headers_escaped(admin_client: Client) -> None:
    fact = make_fact(models.OrderLine, make_file(), order_id="A1")
    page = admin_client.get(reverse("admin:datasync_orderline_change", args=(fact.pk,))).content.decode()
    assert "<th>Amount</th><td>12.50</td>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)</script>" not in page
    assert json.loads(fact.raw)[2] == "<script>alert(1)</script>"


def test_exact_search_of_facts(admin_client: Client) -> None:
    file = make_file()
    make_fact(models.OrderLine, file, order_id="260306DRVKC6W4")
    address = reverse("admin:datasync_orderline_changelist")
    assert admin_client.get(address, {"q": "260306DRVKC6W4"}).context["cl"].result_count == 1
    assert admin_client.get(address, {"q": "260306"}).context["cl"].result_count == 0


def test_quarantine_by_reason(admin_client: Client) -> None:
    file = make_file()
    make_row(file, 2, "A", "x", "", code="INVALID_DATE")
    make_row(file, 3, "A", "x", "", code="INVALID_NUMBER")
    address = reverse("admin:datasync_quarantinedrow_changelist")
    listed = admin_client.get(address, {"reason": "INVALID_DATE"}).context["cl"]
    assert [row.sheet_row for row in listed.result_list] == [2]


def test_running_task_shows_its_finished_files(admin_client: Client) -> None:
    files = [make_file(f"{number}.csv") for number in range(4)]
    task = make_task(*files, state=TaskState.PROCESSING)
    task.items.filter(position__gte=3).update(state=ItemState.PROCESSING)
    page = admin_client.get(reverse("admin:datasync_syncprogresstask_changelist")).content.decode()
    assert '<progress value="3" max="4"></progress> 3 / 4' in page
    assert 'class="badge badge-blue"' in page


def test_page_of_a_large_task_shows_failed_files_first(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "INLINE_ITEMS", 2)
    files = [make_file(f"file{number}.csv") for number in range(5)]
    task = make_task(*files)
    task.items.filter(position=4).update(state=ItemState.FAILED)
    address = reverse("admin:datasync_syncprogresstask_change", args=(task.pk,))
    with CaptureQueriesContext(connection) as captured:
        page = admin_client.get(address).content.decode()
    assert [name for name in (file.original_name for file in files) if name in page] == ["file0.csv", "file4.csv"]
    assert page.index("file4.csv") < page.index("file0.csv")
    assert len(captured) < 15
