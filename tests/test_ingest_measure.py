"""The meter: what a file's rows hold is counted once, however the file is cut into batches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from datasync.fields import CORE_ALTERNATIVES, CORE_FIELDS, FIELDS, Domain
from datasync.ingest.measure import CORE_SUMS, Measure, Meter, as_document, from_document
from datasync.ingest.plan import Plan, ShopOf
from datasync.ingest.prepare import Preparer
from tests.sheets import ListSheet, Row, make_plan

ORDER_FIELDS = ("order_id", "sku", "order_status", "quantity", "order_amount_cny", "ordered_at", "shop_label")
PRODUCT_FIELDS = ("product_id", "visitors", "units_sold", "units_paid", "sales_amount_paid", "rating")
LINES: list[Row] = [
    ("A", "x", "paid", "1", "10.10", "2026-03-02 10:00:00", "one"),
    ("A", "y", "paid", "2", "10.10", "2026-03-02 10:00:00", "one"),
    ("B", "x", "paid", "1", None, "2026-03-05 10:00:00", "two"),
    ("B", "y", "paid", "1", "20.20", "2026-03-05 10:00:00", "two"),
    ("B", "z", None, "1", None, "2026-03-05 10:00:00", "two"),
    ("C", "x", None, "1", None, "2026-03-03 10:00:00", "one"),
    ("D", "x", "paid", "3", "0.00", "2026-03-09 10:00:00", "one"),
]


def orders(fields: Sequence[str] = ORDER_FIELDS, **options: Any) -> Plan:
    return make_plan(Domain.ORDERS, fields, identity=(fields[0], "sku"), **options)


def measure(plan: Plan, rows: Sequence[Row], *, size: int = 1000) -> dict[int | None, Measure]:
    """What the meter says of a sheet read in batches of ``size`` rows."""
    preparer, meter = Preparer(plan), Meter(plan)
    for batch in ListSheet([column.header for column in plan.columns], rows, size=size):
        meter.add(preparer.prepare(batch).rows)
    return meter.measures


def test_lines_are_counted_by_line_and_an_orders_money_by_order() -> None:
    (measured,) = measure(orders(), LINES).values()
    assert (measured.rows, measured.orders) == (7, 4)
    assert measured.present == {
        "order_id": 7, "ordered_at": 7, "order_amount_cny": 3, "order_status": 6, "platform": 7, "shop": 7,
    }  # fmt: skip
    assert measured.sums == {"order_amount_cny": 40.4, "quantity": 10.0}
    assert (measured.period_start, measured.period_end) == (date(2026, 3, 2), date(2026, 3, 9))
    assert measured.completeness(Domain.ORDERS)["order_amount_cny"] == 0.75
    assert measured.completeness(Domain.ORDERS)["order_status"] == 0.8571


@pytest.mark.parametrize("shops", [{}, {"one": ShopOf(1), "two": ShopOf(2)}], ids=["one shop", "two shops"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_an_order_that_goes_on_in_the_next_batch_is_one_order(size: int, shops: dict[str, ShopOf]) -> None:
    plan = orders(shops=shops, shop_id=None if shops else 1)
    assert measure(plan, LINES, size=size) == measure(plan, LINES)


def test_rows_that_name_their_shop_are_measured_by_shop() -> None:
    found = measure(orders(shop_id=None, shops={"one": ShopOf(1), "two": ShopOf(2)}), LINES)
    assert {shop: (measured.rows, measured.orders) for shop, measured in found.items()} == {1: (4, 3), 2: (3, 1)}
    assert found[2].sums["order_amount_cny"] == 20.2
    assert found[2].present["order_status"] == 3
    assert (found[2].period_start, found[2].period_end) == (date(2026, 3, 5), date(2026, 3, 5))


def test_refused_rows_and_totals_are_not_measured() -> None:
    refused: Row = ("E", "x", "paid", "1", "99", "31/02/2026", "one")
    total: Row = ("合计", None, None, "10", "40.40", None, None)
    assert measure(orders(), [*LINES, refused, total]) == measure(orders(), LINES)


def test_an_unknown_shop_is_a_missing_field() -> None:
    (measured,) = measure(orders(ORDER_FIELDS[:-1], shop_id=None), [row[:-1] for row in LINES]).values()
    assert measured.completeness(Domain.ORDERS)["shop"] == 0.0


def test_a_field_without_a_column_is_missing() -> None:
    (measured,) = measure(orders(("order_id", "sku")), [("A", "x"), ("B", "y")]).values()
    assert measured.completeness(Domain.ORDERS) == {
        "order_id": 1.0, "ordered_at": 0.0, "order_amount_cny": 0.0, "order_status": 0.0, "platform": 1.0, "shop": 1.0,
    }  # fmt: skip
    assert measured.sums == {"order_amount_cny": 0.0, "quantity": 0.0}


def test_paid_units_are_units_sold_where_the_marketplace_says_no_other() -> None:
    plan = make_plan(Domain.PRODUCTS, PRODUCT_FIELDS, identity=("product_id",))
    (measured,) = measure(
        plan,
        [("P", "9", None, "3", "5.50", None), ("Q", None, "4", "3", None, None), ("R", "1", None, None, None, None)],
    ).values()
    shares = measured.completeness(Domain.PRODUCTS)
    assert (shares["units_sold"], shares["visitors"], shares["rating"]) == (0.6667, 0.6667, 0.0)
    assert measured.sums == {"units_sold": 7.0, "sales_amount": 5.5, "sales_amount_cny": 0.0}


def test_nothing_is_known_of_no_rows() -> None:
    assert measure(orders(), []) == {}
    assert Measure().completeness(Domain.ORDERS) == {}


def test_measures_survive_being_stored() -> None:
    measures = {**measure(orders(shop_id=None, shops={"one": ShopOf(1), "two": ShopOf(2)}), LINES), None: Measure()}
    document = as_document(measures)
    assert sorted(document) == ["", "1", "2"]
    assert from_document(json.loads(json.dumps(document))) == measures


def test_measures_of_several_files_add_up() -> None:
    total, part = Measure(), Measure(
        rows=2, orders=1, present={"sku": 1}, sums={"amount": 0.1}, period_start=date(2026, 3, 1)
    )  # fmt: skip
    for _ in range(3):
        total.add(part)
    assert total == Measure(rows=6, orders=3, present={"sku": 3}, sums={"amount": 0.3}, period_start=date(2026, 3, 1))


def test_alternatives_and_sums_are_fields_of_the_same_kind() -> None:
    assert set(CORE_SUMS) == set(FIELDS)
    for domain, names in CORE_SUMS.items():
        assert set(names) <= set(FIELDS[domain])
    for domain, alternatives in CORE_ALTERNATIVES.items():
        for name, others in alternatives.items():
            assert name in (*CORE_FIELDS[domain], *CORE_SUMS[domain])
            assert {FIELDS[domain][other].kind for other in others} == {FIELDS[domain][name].kind}
