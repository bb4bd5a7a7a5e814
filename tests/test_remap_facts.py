"""After a remap the facts are what a sync of the same files under the corrected template would have made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from datasync.choices import FileState, TaskState
from datasync.ingest.plan import NumberFormat
from datasync.mapping.template import Template
from datasync.models import OrderLine, TrafficMetric
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    day,
    facts,
    from_scratch,
    inbox,
    line,
    remapped,
    sync_again,
    synced,
    template_of,
    with_column,
    write_orders,
    write_traffic,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[Template], Template]


def _with_totals_on_first_lines(template: Template) -> Template:
    return replace(template, totals_on_every_line=False)


ORDER_CHANGES: dict[str, Change] = {
    "date format": with_column("Order Paid Time", format="%Y-%d-%m %H:%M"),
    "another column": lambda told: with_column("Original Price", field="unit_price")(
        with_column("Deal Price", field="original_price")(told)
    ),
    "a column less": with_column("Deal Price", field=None),
    "a column more": with_column("Recipient", field="buyer_name"),
    "required": with_column("Deal Price", required=True),
    "an amount of the order less": with_column("Total Amount", field=None),
    "an amount of the order more": with_column("Total Amount", field="settled_amount"),
    "totals": _with_totals_on_first_lines,
}
LINES = [
    line("A1", sku="S1", date="2026-03-06 13:16"),
    line("A1", sku="S2", date="2026-03-06 13:16", price="1.5"),
    line("A1", sku="S2", date="2026-03-06 13:16", price="2"),
    line("B1", recipient=""),
    line("C1", recipient='A "quoted" \\ name, 名'),
    line("A1", sku="S3"),
]


@pytest.mark.parametrize("change", ORDER_CHANGES.values(), ids=ORDER_CHANGES.keys())
def test_orders(inbox: Path, bell: Bell, change: Change) -> None:
    for one in LINES:
        one[4] = "2026-03-07 13:20"
    first = synced(write_orders(inbox, LINES))
    second = synced(write_orders(inbox, [line("D1")], name="20260307_100000"))
    new = corrected(template_of("orders", granularity="daily"), change)
    before = facts()
    task = remapped(new)
    assert task.state == TaskState.COMPLETED, task.errors
    assert counts(task) == {"read": 7, "updated": 7}
    after = facts()
    assert after != before
    for file in (first, second):
        file.refresh_from_db()
        assert (file.template_id, file.state) == (new.pk, FileState.INGESTED)
        item = sync_again(file)
        assert counts(item) == {"read": item.rows_read, "unchanged": item.rows_read}
    assert facts() == after
    assert from_scratch(first, second) == after


@pytest.mark.parametrize(
    "change",
    [
        with_column("访客数", field="store_page_views"),
        with_column("跳出率", field=None),
        with_column("日期", format="%m/%d/%Y"),
    ],
    ids=["another field", "a column less", "date format"],
)
def test_statistics(inbox: Path, bell: Bell, change: Change) -> None:
    days = [day("03/04/2026"), day("04/03/2026"), day("05/05/2026"), day("03/05/2026")]
    file = synced(write_traffic(inbox, days))
    assert TrafficMetric.objects.count() == 4
    new = corrected(template_of("analytics", granularity="monthly"), change)
    task = remapped(new)
    assert counts(task) == {"read": 4, "updated": 4}, task.errors
    after = facts()
    item = sync_again(file)
    assert (item.template_id, counts(item)) == (new.pk, {"read": 4, "unchanged": 4})
    assert facts() == after
    assert from_scratch(file) == after


def test_a_number_format(inbox: Path, bell: Bell) -> None:
    lines = [line("A1"), line("B1")]
    for one in lines:
        one[7:12] = ["1.250", "1.200", "1", "1.200", "1.000"]
    file = synced(write_orders(inbox, lines))
    new = corrected(
        template_of("orders", granularity="daily"), lambda told: replace(told, number_format=NumberFormat.COMMA)
    )
    task = remapped(new)
    assert counts(task) == {"read": 2, "updated": 2}, task.errors
    assert set(OrderLine.objects.values_list("unit_price", flat=True)) == {1200}
    after = facts()
    assert from_scratch(file) == after


def test_the_same_version_changes_nothing(inbox: Path, bell: Bell) -> None:
    synced(write_orders(inbox, LINES))
    before = facts()
    task = remapped(template_of("orders", granularity="daily"))
    assert counts(task) == {"read": 6, "unchanged": 6}
    assert facts() == before
    assert OrderLine.objects.count() == 6
