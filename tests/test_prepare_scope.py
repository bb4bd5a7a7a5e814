"""What a row has from its file and from the shop that it names, and when that makes its content another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from datasync.exceptions import InvalidTimezone
from datasync.fields import Domain
from datasync.ingest.plan import Plan, ShopOf
from datasync.ingest.prepare import Preparer
from datasync.ingest.prepare import content as content_of_rows
from tests.sheets import Row, make_plan, prepare, reasons

MANILA, SAO_PAULO = ShopOf(7, "PHP", "Asia/Manila"), ShopOf(8, "BRL", "America/Sao_Paulo")
ROWS: list[Row] = [(f"A{n}", label, "2026-03-02 10:00:00") for n, label in enumerate(("PH", "BR", "PH", "?"))]


def orders(**options: Any) -> Plan:
    scope = {"shop_id": None, "shops": {"PH": MANILA, "BR": SAO_PAULO}, "currency": "", **options}
    return make_plan(Domain.ORDERS, ("order_id", "shop_label", "ordered_at"), identity=("order_id",), **scope)


def products(**scope: Any) -> Plan:
    return make_plan(Domain.PRODUCTS, ("product_id", "page_views"), identity=("product_id", "period_start"),
                     granularity="monthly", **scope)  # fmt: skip


def content(plan: Plan, rows: list[Row]) -> list[str]:
    return prepare(plan, rows).rows["content_hash"].to_list()


def test_a_row_has_the_currency_and_the_local_time_of_the_shop_that_it_names() -> None:
    prepared = prepare(orders(), ROWS)
    assert prepared.rows.select("order_id", "shop_id", "currency", "ordered_at").rows() == [
        ("A0", 7, "PHP", "2026-03-02 02:00:00"),
        ("A1", 8, "BRL", "2026-03-02 13:00:00"),
        ("A2", 7, "PHP", "2026-03-02 02:00:00"),
    ]
    assert reasons(prepared) == {5: {("", "UNKNOWN_SHOP")}}


def test_a_clock_change_of_one_shop_is_none_of_anothers() -> None:
    us = {"US": ShopOf(9, "USD", "America/New_York"), "PH": MANILA}
    rows: list[Row] = [("A1", "US", "2026-03-08 02:30:00"), ("A2", "PH", "2026-03-08 02:30:00")]
    prepared = prepare(orders(shops=us), rows)
    assert reasons(prepared) == {2: {("ordered_at", "NONEXISTENT_TIME")}}
    assert prepared.rows["ordered_at"].to_list() == ["2026-03-07 18:30:00"]


def test_a_row_of_another_known_shop_than_the_files_is_refused() -> None:
    prepared = prepare(orders(shop_id=7, currency="PHP"), ROWS)
    assert reasons(prepared) == {3: {("", "SHOP_MISMATCH")}}
    assert prepared.rows["shop_id"].to_list() == [7, 7, 7]


def test_a_time_zone_that_does_not_exist_is_an_error_with_a_remedy() -> None:
    with pytest.raises(InvalidTimezone) as caught:
        Preparer(orders(timezone="GMT+8"))
    assert (caught.value.code, caught.value.params) == ("SHOP_TIMEZONE_INVALID", {"timezone": "GMT+8"})


def test_the_time_zone_of_a_shop_counts_only_where_a_row_names_it() -> None:
    plan = orders(shops={"PH": MANILA, "BR": replace(SAO_PAULO, timezone="GMT+8")})
    assert len(prepare(plan, ROWS[:1]).rows) == 1
    with pytest.raises(InvalidTimezone):
        prepare(plan, ROWS)


def test_a_correction_of_the_shop_makes_its_rows_new() -> None:
    before = content(orders(), ROWS)
    assert content(orders(), ROWS) == before
    for other in (replace(SAO_PAULO, currency="ARS"), replace(SAO_PAULO, timezone="America/Bahia")):
        after = content(orders(shops={"PH": MANILA, "BR": other}), ROWS)
        assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_later_end_of_the_period_is_new_content_where_the_period_comes_from_the_file() -> None:
    rows: list[Row] = [("P1", "3")]
    early, late = ({"period_start": date(2026, 3, 1), "period_end": date(2026, 3, day)} for day in (15, 31))
    assert content(products(**early), rows) == content(products(**early), rows)
    assert content(products(**early), rows) != content(products(**late), rows)
    assert prepare(products(**late), rows).rows["period_end"].to_list() == ["2026-03-31"]
    keys = [prepare(products(**period), rows).rows["record_key"][0] for period in (early, late)]
    assert keys[0] == keys[1]


def test_a_period_that_decides_how_a_date_is_read_makes_content_new_and_one_that_does_not_does_not() -> None:
    march = {"period_start": date(2026, 3, 1), "period_end": date(2026, 3, 31)}
    april = {"period_start": date(2026, 4, 1), "period_end": date(2026, 4, 30)}
    ambiguous: list[Row] = [("A1", "PH", "04/03/2026")]
    assert content(orders(**march), ambiguous) != content(orders(**april), ambiguous)
    assert content(orders(**march), ROWS) == content(orders(**april), ROWS)


def test_new_rules_of_typing_make_all_content_new(monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(orders(), ROWS)
    monkeypatch.setattr(content_of_rows, "PREPARE_VERSION", content_of_rows.PREPARE_VERSION + 1)
    assert not set(before) & set(content(orders(), ROWS))
