"""Which rows are no data: totals and descriptions are left out and counted, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasync.fields import Domain
from datasync.ingest.plan import Plan
from tests.sheets import Row, make_plan, prepare

ORDER_FIELDS = ("order_id", "sku", "ordered_at", "order_status", "quantity", "profit", "")


def orders() -> Plan:
    return make_plan(Domain.ORDERS, ORDER_FIELDS, identity=("order_id", "sku"), ordinal=True, required=("order_id",))


def days(granularity: str) -> Plan:
    return make_plan(Domain.ANALYTICS, ("metric_date", "visitors"), identity=("metric_date",), formats="%d-%m-%Y",
                     granularity=granularity)  # fmt: skip


def test_totals_rows_are_left_out_and_counted() -> None:
    rows: list[Row] = [
        (None, None, None, None, "3", "14.00", None),
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", None),
        ("order_id", "sku", "ordered_at", "order_status", "quantity", "profit", None),
        ("A2", "x", "2026-03-03", "paid", "2", "9.00", None),
        ("合计", None, None, None, "3", "14.00", None),
        (None, "Grand total:", None, None, "3", "14.00", None),
    ]
    prepared = prepare(orders(), rows)
    assert (prepared.read, prepared.totals, len(prepared.rows), prepared.rejected) == (6, 4, 2, [])


def test_a_first_row_without_id_that_is_no_sum_is_not_taken_for_one() -> None:
    rows: list[Row] = [
        (None, None, None, None, "7", "1.00", None),
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", None),
    ]
    prepared = prepare(orders(), rows)
    assert prepared.totals == 0
    assert [row.row for row in prepared.rejected] == [2]


def test_a_first_row_is_no_sum_of_rows_that_name_nothing_either() -> None:
    rows: list[Row] = [(None, None, None, None, "3", "14.00", None)] * 2
    prepared = prepare(orders(), rows)
    assert prepared.totals == 0
    assert [row.row for row in prepared.rejected] == [2, 3]


def test_a_description_under_the_header_is_left_out() -> None:
    rows: list[Row] = [
        ("Platform unique order ID.", "Seller SKU", "Time of creation", "Status", "How many", "Profit", None),
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", None),
    ]
    prepared = prepare(orders(), rows)
    assert (prepared.totals, len(prepared.rows)) == (1, 1)


def test_the_total_of_a_period_among_days_is_left_out() -> None:
    plan = make_plan(Domain.ANALYTICS, ("metric_date", "visitors"), identity=("metric_date",), formats="%d-%m-%Y")
    prepared = prepare(plan, [("01-03-2026-31-03-2026", "30"), ("01-03-2026", "10"), ("02-03-2026", "20")])
    assert (prepared.totals, prepared.rows["metric_date"].to_list()) == (1, ["2026-03-01", "2026-03-02"])


@pytest.mark.parametrize("size", [1000, 2, 1])
def test_the_sums_of_a_part_of_the_sheet_are_no_totals(size: int) -> None:
    """The first order lost its id; its numbers happen to be those of the second, but more follow in the next batch."""
    rows: list[Row] = [
        (None, None, None, None, "1", "5.00", None),
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", None),
        ("A2", "x", "2026-03-02", "paid", "3", "7.00", None),
    ]
    prepared = prepare(orders(), rows, size=size)
    assert (prepared.totals, [row.row for row in prepared.rejected]) == (0, [2])


def test_the_same_numbers_are_a_total_where_they_are_all_of_the_sheet() -> None:
    rows: list[Row] = [
        (None, None, None, None, "1", "5.00", None),
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", None),
    ]
    assert prepare(orders(), rows).totals == 1


def test_hours_with_equal_figures_are_no_totals() -> None:
    plan = make_plan(Domain.ANALYTICS, ("metric_hour", "page_views", "visitors"),
                     identity=("metric_date", "metric_hour"), granularity="hourly")  # fmt: skip
    prepared = prepare(plan, [("0:00", "5", "4"), ("1:00", "5", "4"), ("2:00", "0", "0")])
    assert (prepared.totals, prepared.rows["metric_hour"].to_list()) == (0, [0, 1, 2])


def test_a_line_of_a_merged_order_may_be_called_total() -> None:
    plan = make_plan(Domain.ORDERS, ("order_id", "variation", "sku", "quantity"), identity=("order_id", "sku"))
    prepared = prepare(plan, [("A1", "Red", "S1", "1"), (None, "Total", "S2", "1"), (None, "Total", None, "2")])
    assert prepared.totals == 1
    assert prepared.rows["sku"].to_list() == ["S1", "S2"]


@pytest.mark.parametrize("name", ["SUM", "TOTAL", "Total", "汇总"])
@pytest.mark.parametrize(
    ("row", "is_total"),
    [
        (("Watch", "main", "5"), False),
        (("Watch", None, "5"), False),
        ((None, "main", "5"), False),
        ((None, None, "5"), True),
    ],
)
def test_a_sku_may_be_called_like_a_total(name: str, row: Row, is_total: bool) -> None:
    plan = make_plan(Domain.INVENTORY, ("sku", "product_name", "warehouse", "stock_total"),
                     identity=("sku", "warehouse", "snapshot_date"))  # fmt: skip
    prepared = prepare(plan, [("S1", "Cup", "main", "5"), (name, *row)])
    assert prepared.totals == int(is_total)


def test_an_order_whose_status_is_a_totals_word_is_an_order() -> None:
    row: Row = ("A1", "x", "2026-03-02", "Total", "1", "5.00", None)
    assert prepare(orders(), [row]).totals == 0


@pytest.mark.parametrize("granularity", ["weekly", "monthly"])
def test_the_weeks_of_a_weekly_report_are_its_rows(granularity: str) -> None:
    prepared = prepare(days(granularity), [("01-10-2025-07-10-2025", "7"), ("08-10-2025-14-10-2025", "9")])
    assert (prepared.totals, prepared.rejected) == (0, [])
    said = prepared.rows.select("metric_date", "period_start", "period_end", "visitors").rows()
    assert said == [
        ("2025-10-01", "2025-10-01", "2025-10-07", 7),
        ("2025-10-08", "2025-10-08", "2025-10-14", 9),
    ]


@pytest.mark.parametrize("granularity", ["weekly", "monthly"])
def test_a_range_that_covers_other_rows_is_their_total(granularity: str) -> None:
    rows: list[Row] = [("01-10-2025-14-10-2025", "16"), ("01-10-2025-07-10-2025", "7"), ("08-10-2025", "9")]
    prepared = prepare(days(granularity), rows)
    assert (prepared.totals, prepared.rows["metric_date"].to_list()) == (1, ["2025-10-01", "2025-10-08"])


@pytest.mark.parametrize("granularity", ["hourly", "daily"])
def test_a_range_among_days_is_a_total_even_alone(granularity: str) -> None:
    assert prepare(days(granularity), [("01-10-2025-07-10-2025", "7")]).totals == 1


def test_every_row_is_left_out_once() -> None:
    plan = replace(orders(), totals_on_every_line=True)
    rows: list[Row] = [("Total", None, None, None, "1", "5.00", None), ("Total", "Total", None, None, "1", None, None)]
    prepared = prepare(plan, rows)
    assert (prepared.read, prepared.totals, len(prepared.rows)) == (2, 2, 0)
