"""Released lines among the lines of their order and of their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.models import OrderLine
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, facts, inbox, line, of, row_of, run, synced, tell_templates
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


def test_rows_below_a_broken_order_id_get_the_order_one_by_one(inbox: Path) -> None:
    file = synced(inbox, line("A1"), line("2.79849E+18", sku="S1"), line("", sku="S2"), line("B1"))
    assert [row.sheet_row for row in file.quarantined.all()] == [3, 4]
    both = Filters(file_ids=[file.pk])
    assert services.release(filters=both, actor=None, sight=EVERYTHING).rejected == 2
    services.correct_many(filters=both, header="Order ID", replacement="279849460150", actor=None, sight=EVERYTHING)
    assert services.release(filters=both, actor=None, sight=EVERYTHING).outcomes == {"inserted": 2}
    lines = facts("sku", "order_amount", order_id="279849460150")
    assert [(sku, amount is None) for sku, amount in lines] == [("S1", False), ("S2", True)]


def test_a_later_line_that_is_moved_to_an_order_of_its_own_keeps_its_amounts(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A1", sku="S2"))
    given = {AMOUNT: "1", "Order ID": "A7"}
    services.correct(row_id=row_of(file, 3).pk, given=given, actor=None, sight=EVERYTHING)
    services.release(filters=of(row_of(file, 3)), actor=None, sight=EVERYTHING)
    assert OrderLine.objects.get(order_id="A7").order_amount == 20


def test_where_lines_are_not_numbered_the_last_of_the_sheet_wins(inbox: Path) -> None:
    tell_templates(ordinal=False)
    file = synced(inbox, line("A1"), bad("B1"), line("A2"), bad("B2"))
    for number, order in ((3, "A2"), (5, "A1")):
        given = {AMOUNT: "7", "Order ID": order}
        services.correct(row_id=row_of(file, number).pk, given=given, actor=None, sight=EVERYTHING)
    done = services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING)
    assert done.outcomes == {"duplicates": 2}
    assert facts("order_id", "unit_price", "sheet_row") == [("A1", 7, 5), ("A2", 20, 4)]
    file.refresh_from_db()
    assert (file.rows["duplicates"], file.rows["quarantined"], file.rows["inserted"]) == (2, 0, 2)


def test_two_released_rows_with_one_key_are_one_fact(inbox: Path) -> None:
    tell_templates(ordinal=False)
    file = synced(inbox, line("A1"), bad("B1"), bad("B1"))
    for number in (3, 4):
        services.correct(row_id=row_of(file, number).pk, given={AMOUNT: str(number)}, actor=None, sight=EVERYTHING)
    done = services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING)
    assert done.outcomes == {"inserted": 1, "duplicates": 1}
    assert facts("unit_price", "sheet_row", order_id="B1") == [(4, 4)]


def test_a_correction_survives_the_next_sync(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    services.correct(row_id=row_of(file, 3).pk, given={AMOUNT: "12.50"}, actor=None, sight=EVERYTHING)
    run(file)
    row = row_of(file, 3)
    assert (row.state, row.corrected) == ("corrected", {"8": "12.50"})
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
