"""Rows that a file brings late, after its template was corrected, hold nothing that only the earlier template fed."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.mapping.template import Template
from datasync.quarantine import services
from tests.quarantine_files import facts, of, row_of
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    inbox,
    line,
    sync_again,
    synced,
    template_of,
    with_column,
    write_orders,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
MANY = [line(f"G{number}") for number in range(40)]


def without_variation(template: Template) -> Template:
    return with_column("Variation Name", field=None)(template)


def test_a_row_that_the_file_lacked_at_the_first_sync_by_the_new_template(inbox: Path, bell: Bell) -> None:
    synced(write_orders(inbox, [line("A1"), line("B1"), *MANY]))
    corrected(template_of("orders", granularity="daily"), without_variation)
    synced(write_orders(inbox, [line("B1"), *MANY]))
    assert facts("order_id", "variation", sku="S1", order_id__in=["A1", "B1"]) == [("A1", "Red"), ("B1", None)]
    synced(write_orders(inbox, [line("A1"), line("B1"), *MANY]))
    assert facts("variation", order_id="A1") == [(None,)]


def test_a_row_that_was_released_since(inbox: Path, bell: Bell) -> None:
    file = synced(write_orders(inbox, [line("A1", recipient=""), *MANY]))
    corrected(
        template_of("orders", granularity="daily"),
        lambda told: with_column("Recipient", field="buyer_name", required=True)(without_variation(told)),
    )
    sync_again(file)
    row = row_of(file, 2)
    services.correct(row_id=row.pk, given={"Recipient": "Ana"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"updated": 1}
    assert facts("variation", "buyer_name", order_id="A1") == [(None, "Ana")]
