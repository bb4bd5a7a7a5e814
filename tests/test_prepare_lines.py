"""The lines of an order: to which order a line belongs, and on which line an amount of the whole order stands."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise

import pytest

from datasync.fields import Domain
from datasync.ingest.plan import CellProblem, Plan
from datasync.ingest.prepare import Preparer, batches
from datasync.reasons import Reason
from tests.sheets import ListSheet, Row, make_plan, prepare, reasons

FIELDS = ("order_id", "sku", "ordered_at", "buyer_name", "order_status", "profit")
SIZES = pytest.mark.parametrize("size", [1000, 3, 2, 1])
DAY = "2026-03-02 10:00:00"


def plan() -> Plan:
    return make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "sku"), required=("order_id",), ordinal=True)


def line(order: str | None, sku: str, *, day: str | None = None, buyer: str | None = None, status: str | None = None,
         profit: str | None = None) -> Row:  # fmt: skip
    return (order, sku, day, buyer, status, profit)


FIRST = line("A1", "S1", day=DAY, buyer="Ana", status="paid", profit="5.00")


@SIZES
@pytest.mark.parametrize(
    ("problem", "cell"),
    [
        (Reason.CELL_ERROR, None),
        (Reason.CELL_ERROR, "#REF!"),
        (Reason.FORMULA_WITHOUT_VALUE, None),
        (Reason.PRECISION_LOST, "1729384756102938000"),
        (None, "1.72938475610294E+18"),
    ],
)
def test_lines_below_an_order_whose_id_is_lost_are_not_taken_for_the_order_above(
    problem: Reason | None, cell: str | None, size: int
) -> None:
    rows = [FIRST, line(None, "S2"), line(cell, "S3", day=DAY, buyer="Bob"), line(None, "S9"), line(None, "S10"),
            line("A3", "S1", day=DAY), line(None, "S4")]  # fmt: skip
    problems = [CellProblem(4, 0, problem, cell or "")] if problem else []
    prepared = prepare(plan(), rows, size=size, problems=problems)
    assert prepared.rows.select("order_id", "sku").rows() == [("A1", "S1"), ("A1", "S2"), ("A3", "S1"), ("A3", "S4")]
    assert reasons(prepared) == {
        4: {("order_id", str(problem or Reason.PRECISION_LOST))},
        5: {("order_id", "REQUIRED_MISSING")},
        6: {("order_id", "REQUIRED_MISSING")},
    }


def test_a_row_that_is_damaged_as_a_whole_gives_its_order_to_no_other() -> None:
    rows = [FIRST, line("A2", "S1", day=DAY), line(None, "S9")]
    prepared = prepare(plan(), rows, problems=[CellProblem(3, None, Reason.WRONG_COLUMN_COUNT, "9")])
    assert prepared.rows["sku"].to_list() == ["S1"]
    assert set(reasons(prepared)) == {3, 4}


def test_a_problem_in_another_cell_keeps_the_lines_together() -> None:
    rows = [FIRST, line("A2", "S1", day=DAY, profit="5"), line(None, "S9")]
    prepared = prepare(plan(), rows, problems=[CellProblem(3, 5, Reason.CELL_ERROR, "#N/A")])
    assert prepared.rows.select("order_id", "sku").rows() == [("A1", "S1"), ("A2", "S9")]


@SIZES
@pytest.mark.parametrize("other", [{"day": "2026-03-09 10:00:00"}, {"buyer": "Zed"}])
def test_a_line_that_names_another_date_or_buyer_is_of_no_order_above(other: dict[str, str], size: int) -> None:
    rows = [FIRST, line(None, "S9", **other), line(None, "S10"), line("D2", "S1", day=DAY)]
    prepared = prepare(plan(), rows, size=size)
    assert prepared.rows.select("order_id", "sku").rows() == [("A1", "S1"), ("D2", "S1")]
    assert reasons(prepared) == {3: {("order_id", "REQUIRED_MISSING")}, 4: {("order_id", "REQUIRED_MISSING")}}


@SIZES
@pytest.mark.parametrize("order", [None, "1.72938475610294E+18"])
def test_nothing_is_filled_down_from_a_line_of_an_unknown_order(order: str | None, size: int) -> None:
    rows = [FIRST, line(order, "S9", day="2026-03-09 10:00:00", buyer="Zed"), line(None, "S10"), line(None, "S11")]
    prepared = prepare(plan(), rows, size=size)
    assert [(row.row, row.context) for row in prepared.rejected] == [(3, None), (4, None), (5, None)]


@SIZES
def test_a_line_that_repeats_what_its_order_says_or_has_a_status_of_its_own_belongs_to_it(size: int) -> None:
    rows = [FIRST, line(None, "S2", day=DAY, buyer="Ana"), line(None, "S3", status="returned")]
    prepared = prepare(plan(), rows, size=size)
    assert prepared.rejected == []
    assert prepared.rows["order_id"].to_list() == ["A1"] * 3
    assert prepared.rows["order_status"].to_list() == ["paid", "paid", "returned"]


@SIZES
def test_an_amount_goes_to_the_first_line_that_can_be_trusted(size: int) -> None:
    every = replace(plan(), totals_on_every_line=True)
    rows = [line("K1", "S1", day="31/02/2026", profit="30"), *(line("K1", sku, day=DAY, profit="30") for sku in "xyz")]
    prepared = prepare(every, rows, size=size)
    assert [row.row for row in prepared.rejected] == [2]
    assert prepared.rows["profit"].to_list() == ["30", None, None]


@SIZES
def test_an_order_whose_lines_stand_apart_has_its_amount_once(size: int) -> None:
    every = replace(plan(), totals_on_every_line=True)
    rows = [line(order, sku, day=DAY, profit="30") for order, sku in ("A1", "B1", "C1", "A2", "B2")]
    assert prepare(every, rows, size=size).rows["profit"].to_list() == ["30", "30", "30", None, None]


def test_the_line_that_an_amount_stands_on_is_part_of_its_content() -> None:
    every = replace(plan(), totals_on_every_line=True)
    one, two = (line("A1", sku, day=DAY, profit="30") for sku in ("S1", "S2"))
    before = dict(prepare(every, [one, two]).rows.select("sku", "content_hash").rows())
    after = dict(prepare(every, [two, one]).rows.select("sku", "content_hash").rows())
    assert all(before[sku] != after[sku] for sku in ("S1", "S2"))


def batches_of_orders(size: int) -> list[list[str]]:
    rows = [line(order, f"S{at}", day=DAY) for at, order in enumerate(("A", "A", "B", "C", "C", "D", "E", "E", "E"))]
    problems = [CellProblem(row, 5, Reason.CELL_ERROR) for row in (3, 6)]
    parts = Preparer(plan()).parts(ListSheet(FIELDS, rows, size=size, problems=problems))
    return [part.rows["order_id"].to_list() for part in parts]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_lines_of_an_order_lie_in_one_batch(size: int) -> None:
    parts = batches_of_orders(size)
    assert list(chain(*parts)) == ["A", "B", "C", "D", "E", "E", "E"]
    assert len(parts) > 1
    assert not any(before and after and before[-1] == after[0] for before, after in pairwise(parts))


def test_a_very_long_order_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_LONGEST", 1)
    parts = batches_of_orders(1)
    assert list(chain(*parts)) == ["A", "B", "C", "D", "E", "E", "E"]
    assert parts[-2:] == [["E", "E"], ["E"]]
