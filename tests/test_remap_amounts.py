"""Amounts of orders after a remap: what one export says on several lines stands, whichever export stored each line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.correct import describe_file
from datasync.catalog.services import catalogue_path
from datasync.mapping.store import to_template
from datasync.mapping.template import Template
from datasync.models import CatalogFile, HeaderTemplate, OrderLine
from tests.remap_support import (
    Bell,
    bell,
    column,
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
from tests.sheets import COLLECTED

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


@pytest.mark.parametrize("blank_since", [False, True])
def test_of_two_exports_of_one_time_the_one_that_was_synced_last_keeps_its_amounts(
    inbox: Path, bell: Bell, *, blank_since: bool
) -> None:
    template = template_of("orders", granularity="daily")
    blank = [*line("A1", sku="S7")[:10], "", *line("A1")[11:]]
    rows = [line("A1", sku="S6"), line("A1", sku="S7"), blank]
    paths = [write_orders(inbox, [row], name=f"2026030{day}_100000") for day, row in enumerate(rows, 6)]
    one, other, last = (describe_file(catalogue_path(path), collected_at=COLLECTED, sight=EVERYTHING) for path in paths)
    for file in (one, other, last) if blank_since else (other, one):
        sync_again(file)
    expected = {"S6": None, "S7": 20} if blank_since else {"S6": 20, "S7": None}
    assert _amounts() == expected
    remapped(corrected(template, with_column("Recipient", field="buyer_name")))
    assert _amounts() == expected


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


def _replaced(inbox: Path, lines: list[list[str]], then: list[list[str]]) -> CatalogFile:
    """A file that was synced with some lines, and with others since."""
    synced(write_orders(inbox, lines))
    return synced(write_orders(inbox, then))


def _changes_nothing(file: CatalogFile) -> bool:
    """Whether another sync of the file finds all as it is."""
    before = facts()
    item = sync_again(file)
    return facts() == before and counts(item).keys() <= {"read", "unchanged"}


@pytest.mark.parametrize("above", [[], [line("B1")]], ids=["in its row", "above"])
def test_a_line_of_an_earlier_content_is_not_the_first_of_its_order(
    inbox: Path, bell: Bell, above: list[list[str]]
) -> None:
    template = template_of("orders", granularity="daily")
    file = _replaced(inbox, [line("A1", sku="S1")], [*above, line("A1", sku="S2"), line("A1", sku="S3")])
    remapped(corrected(template, with_column("Recipient", field="buyer_name")))
    assert dict(OrderLine.objects.filter(order_id="A1").values_list("sku", "order_amount")) == {
        "S1": None, "S2": 20, "S3": None
    }  # fmt: skip
    assert _changes_nothing(file)


@pytest.mark.parametrize("far_apart", [False, True])
def test_a_line_that_gave_up_its_amounts_does_not_get_one_that_is_read_anew(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, *, far_apart: bool
) -> None:
    template = template_of("orders", granularity="daily")
    others = [line(f"B{number}") for number in range(4 if far_apart else 0)]
    file = _replaced(inbox, [line("A1", sku="S1")], [*others, line("A1", sku="S2")])
    if far_apart:
        monkeypatch.setattr("datasync.runs.remap.parts.CHUNK_ROWS", 2)
    blank = corrected(template, with_column(TOTAL, field=None))
    remapped(blank)
    assert _changes_nothing(file)
    remapped(corrected(blank, with_column(TOTAL, field="order_amount")))
    assert dict(OrderLine.objects.filter(order_id="A1").values_list("sku", "order_amount")) == {"S1": None, "S2": 20}
    assert _changes_nothing(file)


def test_of_lines_that_never_said_an_amount_one_does(inbox: Path, bell: Bell) -> None:
    template = template_of("orders", granularity="daily")
    for header in (TOTAL, "Buyer Paid Shipping Fee"):
        template = corrected(template, with_column(header, field=None))
    _replaced(inbox, [line("A1", sku="S1")], [line("A1", sku="S2")])
    remapped(corrected(template, with_column(TOTAL, field="order_amount")))
    assert sorted(map(str, _amounts().values())) == ["20.0000", "None"]


def test_lines_that_become_one_order_have_one_first_line(inbox: Path, bell: Bell) -> None:
    right = corrected(template_of("orders", granularity="daily"), lambda one: replace(one, ordinal=False))
    order = column(right, "Order ID")

    def by_recipient(template: Template) -> Template:
        unfed = with_column("Order ID", field=None, required=False)(template)
        return with_column("Recipient", field="order_id", kind=order.kind)(unfed)

    wrong = corrected(right, by_recipient)
    file = synced(write_orders(inbox, [line("A1", sku=sku, recipient=f"of {sku}") for sku in ("S1", "S2")]))
    assert _amounts() == {"S1": 20, "S2": 20}
    remapped(corrected(wrong, lambda _: to_template(right)))
    assert dict(OrderLine.objects.values_list("sku", "context")) == {"S1": None, "S2": '{"l":1}'}
    assert "updated" not in counts(sync_again(file))
