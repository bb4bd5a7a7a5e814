"""Rows: what is left out, what is filled down, what identifies a row, and what cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from datasync.fields import Domain
from datasync.ingest.plan import Batch, CellProblem, NumberFormat, Plan, ShopOf
from datasync.ingest.prepare import Preparer
from datasync.reasons import Reason
from tests.sheets import ListSheet, Row, make_plan, prepare

ORDER_FIELDS = ("order_id", "sku", "ordered_at", "order_status", "quantity", "profit", "")


def orders(**options: Any) -> Plan:
    return make_plan(Domain.ORDERS, ORDER_FIELDS, identity=("order_id", "sku"), ordinal=True,
                     required=("order_id",), **options)  # fmt: skip


LINES: list[Row] = [
    ("A1", "x", "2026-03-02 10:00:00", "paid", "1", "5.00", None),
    (None, "y", None, None, "2", None, None),
    (None, "y", None, None, "2", None, None),
    ("A2", "x", "2026-03-03 10:00:00", "sent", "1", None, None),
    (None, "z", None, None, "1", "9.00", None),
]


def test_what_the_lines_of_an_order_share_is_filled_down_but_its_money_is_not() -> None:
    for size in (1000, 2, 1):
        rows = prepare(orders(), LINES, size=size).rows
        assert rows["order_id"].to_list() == ["A1", "A1", "A1", "A2", "A2"]
        assert rows["order_status"].to_list() == ["paid", "paid", "paid", "sent", "sent"]
        assert rows["ordered_at"].to_list()[1] == "2026-03-02 02:00:00"
        assert rows["profit"].to_list() == ["5.00", None, None, None, "9.00"]


def test_equal_lines_are_numbered_across_batches() -> None:
    whole = prepare(orders(), LINES).rows
    for size in (1, 2, 3):
        parts = prepare(orders(), LINES, size=size).rows
        assert parts["record_key"].to_list() == whole["record_key"].to_list()
    assert whole["line_ordinal"].to_list() == [1, 1, 2, 1, 1]
    assert whole["record_key"].n_unique() == 5


def test_totals_on_every_line_are_kept_on_the_first_line_only() -> None:
    plan = replace(orders(), totals_on_every_line=True)
    lines: list[Row] = [("A1", sku, "2026-03-02", "paid", "1", "5.00", None) for sku in "xyz"]
    for size in (1000, 1):
        assert prepare(plan, lines, size=size).rows["profit"].to_list() == ["5.00", None, None]


def test_a_blank_status_of_another_order_is_not_filled() -> None:
    lines: list[Row] = [
        ("A1", "x", "2026-03-02", "paid", "1", None, None),
        ("A2", "x", "2026-03-02", None, "1", None, None),
    ]
    assert prepare(orders(), lines).rows["order_status"].to_list() == ["paid", None]


def test_rows_that_cannot_be_trusted_are_kept_whole_with_their_reasons() -> None:
    rows: list[Row] = [
        ("A1", "x", "2026-03-02", "paid", "1", "5.00", "note"),
        ("A2", "x", "31/02/2026", "paid", "one", "5.00", "-"),
        (None, None, None, None, "4", None, None),
    ]
    prepared = prepare(orders(), rows[:2])
    (rejected,) = prepared.rejected
    assert rejected.row == 3
    assert set(rejected.reasons) == {
        ("ordered_at", "INVALID_DATE", "31/02/2026"),
        ("quantity", "INVALID_INTEGER", "one"),
    }
    assert rejected.values == ("A2", "x", "31/02/2026", "paid", "one", "5.00", "-")
    assert prepared.read == 2
    assert prepared.rows["order_id"].to_list() == ["A1"]


def test_a_row_without_its_key_is_refused() -> None:
    rows: list[Row] = [(None, "x", "2026-03-02", "paid", "1", "5.00", None)] * 2
    prepared = prepare(orders(), rows)
    assert [row.reasons[0][1] for row in prepared.rejected] == ["REQUIRED_MISSING", "REQUIRED_MISSING"]


def test_problems_that_the_reader_saw() -> None:
    problems = (
        CellProblem(2, 0, Reason.PRECISION_LOST, "1.7e18"),
        CellProblem(3, 5, Reason.PRECISION_LOST, "1.7e18"),
        CellProblem(3, 6, Reason.CELL_ERROR, "#N/A"),
        CellProblem(4, 4, Reason.FORMULA_WITHOUT_VALUE),
        CellProblem(5, None, Reason.WRONG_COLUMN_COUNT, "9"),
    )
    rows: list[Row] = [(f"A{n}", "x", "2026-03-02", "paid", "1", "5.00", "#N/A") for n in range(5)]
    prepared = prepare(orders(), rows, problems=problems)
    assert {row.row: row.reasons[0][:2] for row in prepared.rejected} == {
        2: ("order_id", "PRECISION_LOST"),
        4: ("quantity", "FORMULA_WITHOUT_VALUE"),
        5: ("", "WRONG_COLUMN_COUNT"),
    }


def test_rows_name_their_shop() -> None:
    plan = make_plan(Domain.ORDERS, ("order_id", "sku", "shop_label"), identity=("order_id", "sku"), shop_id=None,
                     shops={"Shopee菲律宾2店": ShopOf(7)})  # fmt: skip
    prepared = prepare(plan, [("A1", "x", "Shopee菲律宾2店"), ("A2", "x", "Shopee火星店")])
    assert prepared.rows["shop_id"].to_list() == [7]
    assert prepared.rejected[0].reasons == (("", "UNKNOWN_SHOP", "Shopee火星店"),)


def test_the_key_depends_on_scope_and_identity_alone() -> None:
    row: Row = ("A1", "x", "2026-03-02", "paid", "1", "5.00", None)
    other: Row = ("A1", "x", "2026-03-09", "sent", "7", "9.00", "new")
    key = prepare(orders(), [row]).rows["record_key"][0]
    assert prepare(orders(), [other]).rows["record_key"][0] == key
    assert prepare(orders(period_end=None), [row]).rows["record_key"][0] == key
    for scope in ({"platform": "tiktok"}, {"granularity": "weekly"}, {"shop_id": 2}):
        assert prepare(orders(**scope), [row]).rows["record_key"][0] != key


def test_the_content_depends_on_every_cell_and_on_what_is_filled_down() -> None:
    first: Row = ("A1", "x", "2026-03-02", "paid", "1", "5.00", None)
    line: Row = (None, "y", None, None, "1", None, None)
    before = prepare(orders(), [first, line]).rows["content_hash"].to_list()
    assert prepare(orders(), [first, line]).rows["content_hash"].to_list() == before
    sent: Row = ("A1", "x", "2026-03-02", "sent", "1", "5.00", None)
    after = prepare(orders(), [sent, line]).rows["content_hash"].to_list()
    assert after[0] != before[0]
    assert after[1] != before[1], "the second line's status is filled down from the first"
    noted: Row = (*first[:6], "a cell of a column that feeds no field")
    assert prepare(orders(), [noted]).rows["content_hash"][0] != before[0]


def test_the_content_tells_a_number_cell_from_a_text_where_the_two_read_otherwise() -> None:
    plan = make_plan(Domain.ORDERS, ("order_id", "unit_price", ""), identity=("order_id",))
    comma = replace(plan, columns=tuple(replace(column, number_format=NumberFormat.COMMA) for column in plan.columns))

    def content(plan: Plan, text: str, *, number: bool) -> str:
        sheet = ListSheet(["", "", ""], [("A1", text, text)], numbers={"c1": [number], "c2": [number]})
        (part,) = Preparer(plan).parts(sheet)
        return str(part.rows["content_hash"][0])

    assert content(comma, "3.125", number=True) != content(comma, "3.125", number=False), "3.125 is not 3,125"
    assert content(comma, "7", number=True) == content(comma, "7", number=False)
    assert content(plan, "3.125", number=True) == content(plan, "3.125", number=False)


def test_the_original_row_is_json_whatever_it_holds() -> None:
    cell = 'a "quoted" \\ back\nnew\ttab \x01 end'
    rows = prepare(orders(), [("A1", "x", "2026-03-02", "paid", "1", None, cell)]).rows
    original = pl.Series(rows["raw"]).str.json_decode(pl.List(pl.String))[0].to_list()
    assert original == ["A1", "x", "2026-03-02", "paid", "1", "", cell]


def test_a_stock_list_is_of_the_day_it_was_collected() -> None:
    plan = make_plan(Domain.INVENTORY, ("sku", "warehouse", "stock_available"),
                     identity=("sku", "warehouse", "snapshot_date"), granularity="snapshot")  # fmt: skip
    rows = prepare(plan, [("S1", "main", "5")]).rows
    assert rows["snapshot_date"].to_list() == ["2026-04-01"]


def test_the_period_comes_from_the_rows_where_they_have_dates() -> None:
    rows = prepare(orders(), LINES).rows
    assert rows["period_start"].to_list() == ["2026-03-02"] * 3 + ["2026-03-03"] * 2


def test_a_header_with_currency_says_it_for_all_amounts() -> None:
    row: Row = ("A1", "x", "2026-03-02", "paid", "1", "5.00", None)
    assert prepare(orders(), [row]).rows["currency"].to_list() == ["SGD"]
    assert prepare(replace(orders(), file_currency="BRL"), [row]).rows["currency"].to_list() == ["BRL"]


def test_an_empty_batch_is_no_trouble() -> None:
    frame = pl.DataFrame(schema={"row": pl.UInt32, **{f"c{n}": pl.String for n in range(7)}})
    prepared = Preparer(orders()).prepare(Batch(frame))
    assert (prepared.read, len(prepared.rows)) == (0, 0)
