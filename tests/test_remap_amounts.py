"""Amounts of orders after a remap: what one export says on several lines stands, whichever export stored each line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datasync.mapping.template import Template
from datasync.models import HeaderTemplate, OrderLine
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
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
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
TOTAL = "Total Amount"


def _amounts() -> dict[str | None, object]:
    return dict(OrderLine.objects.order_by("sku").values_list("sku", "order_amount"))


def _on_every_line(template: Template) -> Template:
    """Amounts stay on all lines that have them."""
    return replace(template, totals_on_every_line=False)


@pytest.fixture
def every_line(inbox: Path) -> HeaderTemplate:
    """A template by which amounts stay where the export has them."""
    return corrected(template_of("orders", granularity="daily"), _on_every_line)


@pytest.mark.parametrize("changed", ["S1", "S2"])
def test_a_newer_export_repeats_one_line_and_changes_the_other(
    inbox: Path, bell: Bell, every_line: HeaderTemplate, changed: str
) -> None:
    first = synced(write_orders(inbox, [line("A1", sku="S1"), line("A1", sku="S2")]))
    lines = [line("A1", sku=sku, price="1.5" if sku == changed else "20.00") for sku in ("S1", "S2")]
    second = synced(write_orders(inbox, lines, name="20260307_100000"))
    assert _amounts() == {"S1": 20, "S2": 20}
    task = remapped(corrected(every_line, with_column("Recipient", field="buyer_name")))
    assert counts(task) == {"read": 2, "updated": 2}, task.errors
    assert _amounts() == {"S1": 20, "S2": 20}
    after = facts()
    for file in (first, second):
        assert not {"inserted", "updated"} & set(counts(sync_again(file)))
    assert facts() == after
    assert from_scratch(first, second) == after


def test_a_newer_export_that_lacks_a_line_takes_its_amount(inbox: Path, bell: Bell, every_line: HeaderTemplate) -> None:
    first = synced(write_orders(inbox, [line("A1", sku="S1"), line("A1", sku="S2")]))
    second = synced(write_orders(inbox, [line("A1", sku="S1", price="1.5")], name="20260307_100000"))
    assert _amounts() == {"S1": 20, "S2": None}
    remapped(corrected(every_line, with_column("Recipient", field="buyer_name")))
    assert _amounts() == {"S1": 20, "S2": None}
    after = facts()
    assert from_scratch(first, second) == after


@pytest.mark.parametrize("lacking", [False, True])
def test_an_amount_that_is_read_now(inbox: Path, bell: Bell, every_line: HeaderTemplate, *, lacking: bool) -> None:
    blank = corrected(every_line, with_column(TOTAL, field=None))
    first = synced(write_orders(inbox, [line("A1", sku="S1"), line("A1", sku="S2")]))
    lines = [line("A1", sku="S1", price="1.5"), line("A1", sku="S2")][: 1 if lacking else 2]
    second = synced(write_orders(inbox, lines, name="20260307_100000"))
    remapped(corrected(blank, with_column(TOTAL, field="order_amount")))
    assert _amounts() == {"S1": 20, "S2": None if lacking else 20}
    after = facts()
    assert from_scratch(first, second) == after


def test_an_amount_that_only_an_earlier_content_of_the_file_has_told_stays(inbox: Path, bell: Bell) -> None:
    template = template_of("orders", granularity="daily")
    synced(write_orders(inbox, [line("A1"), line("B1")]))
    synced(write_orders(inbox, [[*line("A1", price="1.5")[:10], "", *line("A1")[11:]], line("B1")]))
    assert dict(OrderLine.objects.values_list("order_id", "order_amount")) == {"A1": 20, "B1": 20}
    remapped(corrected(template, with_column("Recipient", field="buyer_name")))
    assert dict(OrderLine.objects.values_list("order_id", "order_amount")) == {"A1": 20, "B1": 20}
