"""A row of a file is one fact, whatever it was stored as before it came into quarantine, and however often it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.services import describe_file
from datasync.mapping.template import Template
from datasync.models import OrderLine, QuarantinedRow, Shop
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, facts, of, row_of, tell_templates
from tests.remap_support import (
    Bell,
    bell,
    corrected,
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
MANY = [line(f"G{number}") for number in range(40)]
LINE = ("order_id", "line_ordinal", "sheet_row", "sku", "order_amount")


def remap(change: Callable[[Template], Template]) -> None:
    remapped(corrected(template_of("orders", granularity="daily"), change))


def settled(file_rows: dict[str, int]) -> None:
    assert (file_rows["inserted"], file_rows["updated"], file_rows["quarantined"]) == (0, 0, 0)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_numbered_line_whose_identity_changed_leaves_its_old_key(inbox: Path, bell: Bell, one_by_one: bool) -> None:
    lines = [line("A1", sku="S1"), line("A1", sku="S1"), line("A1", sku="S2"), line("B1", sku="S2")]
    file = synced(write_orders(inbox, lines))
    before = facts("sheet_row", "order_amount")
    remap(lambda told: replace(told, identity=("order_id",)))
    rows = list(QuarantinedRow.objects.order_by("sheet_row"))
    assert [row.reasons[0]["code"] for row in rows] == ["IDENTITY_CHANGED"] * 4
    rehearsed = services.release(filters=of(*rows), actor=None, dry_run=True, sight=EVERYTHING)
    for chosen in [[row] for row in rows] if one_by_one else [rows]:
        services.release(filters=of(*chosen), actor=None, sight=EVERYTHING)
    assert rehearsed.released == 4
    assert facts("order_id", "line_ordinal", "sheet_row") == [("A1", 1, 2), ("A1", 2, 3), ("A1", 3, 4), ("B1", 1, 5)]
    assert facts("sheet_row", "order_amount") == before
    sync_again(file)
    settled(file.rows)


def test_a_line_that_is_the_same_under_the_template_of_before_stays(inbox: Path, bell: Bell) -> None:
    synced(write_orders(inbox, [line("A1"), line("A1"), line("B1")]))
    before = facts("record_key", *LINE)
    old = template_of("orders", granularity="daily").identity
    remap(lambda told: replace(told, identity=("order_id",)))
    corrected(template_of("orders", granularity="daily"), lambda told: replace(told, identity=tuple(old)))
    assert services.release(filters=Filters(), actor=None, sight=EVERYTHING).outcomes == {"unchanged": 3}
    assert facts("record_key", *LINE) == before


@pytest.mark.parametrize("ordinal", [True, False])
def test_a_stored_row_whose_order_is_corrected_is_that_order_s(inbox: Path, bell: Bell, ordinal: bool) -> None:
    tell_templates(ordinal=ordinal)
    file = synced(write_orders(inbox, [line("A1", recipient=""), line("B1"), *MANY]))
    remap(with_column("Recipient", field="buyer_name", required=True))
    row = row_of(file, 2)
    assert OrderLine.objects.filter(order_id="A1").exists()
    services.correct(row_id=row.pk, given={"Recipient": "Ana", "Order ID": "A7"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert facts("order_id", "sheet_row", "order_amount", sheet_row=2) == [("A7", 2, 20)]
    sync_again(file)
    settled(file.rows)


def test_a_stored_row_that_is_corrected_elsewhere_keeps_its_number(inbox: Path, bell: Bell) -> None:
    file = synced(write_orders(inbox, [line("A1", recipient=""), line("A1"), *MANY]))
    remap(with_column("Recipient", field="buyer_name", required=True))
    QuarantinedRow.objects.update(context=None)  # nothing is said of its number
    row = row_of(file, 2)
    services.correct(row_id=row.pk, given={"Recipient": "Ana"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"updated": 1}
    assert facts("line_ordinal", "sheet_row", order_id="A1") == [(1, 2), (2, 3)]


@pytest.mark.parametrize("ordinal", [True, False])
@pytest.mark.parametrize("order", ["together", "older first", "newer first"])
def test_of_one_row_in_two_contents_the_newer_counts(inbox: Path, bell: Bell, ordinal: bool, order: str) -> None:
    tell_templates(ordinal=ordinal)
    file = synced(write_orders(inbox, [line("A1"), bad("A2"), *MANY]))
    older = row_of(file, 3)
    newer = row_of(file, 3)
    newer.pk = None
    newer.save()
    for row, price in ((older, "5"), (newer, "9")):
        services.correct(row_id=row.pk, given={AMOUNT: price}, actor=None, sight=EVERYTHING)
    chosen = {"together": [[older, newer]], "older first": [[older], [newer]], "newer first": [[newer], [older]]}
    for rows in chosen[order]:
        services.release(filters=of(*rows), actor=None, sight=EVERYTHING)
    assert facts("line_ordinal", "unit_price", "order_amount", order_id="A2") == [(1, 9, 20)]
    newer.refresh_from_db()
    assert newer.outcome == ("inserted" if order == "newer first" else "updated")


@pytest.mark.parametrize(
    "told", [{"shop_id": "9"}, {"period_start": date(2026, 2, 1), "period_end": date(2026, 2, 28)}]
)
def test_what_a_file_said_as_it_was_described_before_stays(inbox: Path, bell: Bell, told: dict[str, Any]) -> None:
    corrected(
        template_of("orders", granularity="daily"), with_column("Order Creation Date", field=None, required=False)
    )
    file = synced(write_orders(inbox, [line("A1", recipient=""), *MANY]))
    Shop.objects.create(platform_id="shopee", shop_id="9")
    describe_file(file, **told, sight=EVERYTHING)
    corrected(template_of("orders", granularity="daily"), with_column("Recipient", field="buyer_name", required=True))
    sync_again(file)
    row = row_of(file, 2)
    services.correct(row_id=row.pk, given={"Recipient": "Ana", "Order ID": "A7"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert facts("order_id", "sheet_row", sheet_row=2) == [("A1", 2), ("A7", 2)]


@pytest.mark.parametrize("readable", [True, False])
def test_a_remap_does_not_take_another_content_s_row_for_the_one_that_waits(
    inbox: Path, bell: Bell, readable: bool
) -> None:
    synced(write_orders(inbox, [line("A1"), line("", sku="S2", recipient=""), *MANY]))
    file = synced(write_orders(inbox, [line("", sku="S1"), line("", sku="S2", recipient=""), *MANY]))
    before = row_of(file, 3)
    remap(with_column("Recipient", field="buyer_name", required=not readable))
    row = row_of(file, 3)
    assert (row.state, row.reasons, row.context) == ("open", before.reasons, before.context)
    assert facts("order_id", "sheet_row", sku="S2") == [("A1", 3)]
