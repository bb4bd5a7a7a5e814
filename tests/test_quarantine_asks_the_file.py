"""Where what is stored does not tell which lines a file has, a release asks the file itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.quarantine import services
from tests.quarantine_files import AMOUNT, bad, facts, of, row_of, tell_templates
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
LINE = ("line_ordinal", "sheet_row", "unit_price")


def require_recipient(*, required: bool) -> None:
    template = template_of("orders", granularity="daily")
    corrected(template, with_column("Recipient", field="buyer_name", required=required))


@pytest.mark.parametrize("time", ["20260306_100000", "20260307_100000"])
def test_a_line_that_a_later_sync_has_overwritten_keeps_its_number(inbox: Path, bell: Bell, time: str) -> None:
    other = write_orders(inbox, [line("A1", price="3")], name=time)
    (other.parent / "more").mkdir()
    other = other.rename(other.parent / "more" / other.name)
    synced(write_orders(inbox, [line("A1", price="1")], name="20260305_100000"))
    file = synced(write_orders(inbox, [line("A1", price="2"), bad("A1x"), *MANY]))
    synced(other)
    row = row_of(file, 3)
    services.correct(row_id=row.pk, given={"Order ID": "A1", AMOUNT: "7"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert facts(*LINE, order_id="A1") == [(1, 2, 3), (2, 3, 7)]


def test_a_row_gives_way_to_none_that_is_still_in_quarantine(inbox: Path, bell: Bell) -> None:
    tell_templates(ordinal=False)
    synced(write_orders(inbox, [line("A1"), line("A2"), *MANY]))
    require_recipient(required=True)
    waiting = [line("A2", recipient="", price=price) for price in ("5", "9")]
    file = synced(write_orders(inbox, [line("A1"), waiting[0], *MANY, waiting[1]]))
    require_recipient(required=False)
    above, below = row_of(file, 3), row_of(file, 44)
    assert services.release(filters=of(above), actor=None, sight=EVERYTHING).outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A2") == [(1, 3, 5)]
    services.discard(filters=of(below), note="x", actor=None, sight=EVERYTHING)
    sync_again(file)
    assert (file.rows["unchanged"], file.rows["quarantined"]) == (1, 1)  # the others are typed by the new template
    assert facts(*LINE, order_id="A2") == [(1, 3, 5)]
