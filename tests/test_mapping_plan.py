"""From a matched header to the ingest's plan: fields, flags, currencies and a fingerprint."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from datasync.exceptions import HeaderChanged
from datasync.fields import Domain, Kind
from datasync.ingest.plan import NumberFormat, Plan, Scope
from datasync.mapping.match import match
from datasync.mapping.plan import make_plan
from datasync.mapping.template import Template
from datasync.mapping.template_file import builtin_templates

TEMPLATES = {(template.family.key, template.variant): template for template in builtin_templates()}
MIAOSHOU = TEMPLATES["shopee/miaoshou/orders/daily", "default"]
PRODUCTS = TEMPLATES["shopee/shopee/products/daily", "paid"]
SCOPE = Scope(
    platform="shopee",
    shop_id=1,
    domain=Domain.ORDERS,
    sub_domain="",
    granularity="daily",
    period_start=date(2026, 3, 1),
    period_end=date(2026, 3, 1),
    collected_at=datetime(2026, 3, 2, tzinfo=UTC),
    currency="SGD",
    timezone="Asia/Singapore",
)


def plan(template: Template, header: list[str]) -> Plan:
    found = match(header, [template])
    return make_plan(found, template=template, info_header=header, scope=SCOPE, file_id=7, header_set_id=3)


def test_every_column_of_the_header_is_in_the_plan_in_order() -> None:
    header = [*MIAOSHOU.header, "新的一列"]
    made = plan(MIAOSHOU, header)
    assert [column.header for column in made.columns] == header
    assert [column.position for column in made.columns] == list(range(len(header)))
    assert made.columns[-1].field is None
    assert (made.identity, made.ordinal, made.file_id, made.header_set_id) == (("order_id", "sku"), True, 7, 3)


def test_flags_come_from_the_fields_and_formats_from_the_template() -> None:
    columns = {column.field: column for column in plan(MIAOSHOU, list(MIAOSHOU.header)).columns if column.field}
    assert columns["order_id"].fill_down
    assert columns["order_id"].required
    assert columns["profit"].order_level
    assert not columns["profit"].fill_down
    assert columns["ordered_at"].kind is Kind.DATETIME
    assert columns["ordered_at"].format.startswith("%Y-%m-%d %H:%M:%S")
    statistics = TEMPLATES["shopee/shopee/analytics/daily", "default"]
    assert plan(statistics, list(statistics.header)).columns[1].number_format is NumberFormat.COMMA


def test_the_currency_of_a_header_is_the_files_own() -> None:
    made = plan(PRODUCTS, [text.replace("SGD", "MXN") for text in PRODUCTS.header])
    assert made.file_currency == "MXN"


def test_amounts_in_rmb_beside_the_shops_own_do_not_make_the_file_cny() -> None:
    made = plan(MIAOSHOU, list(MIAOSHOU.header))
    assert made.file_currency == ""


def test_headers_in_several_currencies_name_none_for_the_file() -> None:
    header = list(PRODUCTS.header)
    header[8] = header[8].replace("SGD", "MXN")
    made = plan(PRODUCTS, header)
    assert made.file_currency == ""


def test_one_header_with_a_currency_speaks_for_itself_alone() -> None:
    header = list(PRODUCTS.header)
    header[8] = header[8].replace(" (SGD)", "")
    assert plan(PRODUCTS, header).file_currency == ""


def test_the_fingerprint_changes_with_whatever_changes_values() -> None:
    header = list(PRODUCTS.header)
    first = plan(PRODUCTS, header).fingerprint
    assert plan(replace(PRODUCTS, version=2), header).fingerprint == first
    assert plan(PRODUCTS, [text.replace("SGD", "MXN") for text in header]).fingerprint != first
    assert plan(PRODUCTS, header[::-1]).fingerprint != first
    assert plan(replace(PRODUCTS, number_format=NumberFormat.COMMA), header).fingerprint != first


def test_a_blocked_match_makes_no_plan() -> None:
    with pytest.raises(HeaderChanged, match="订单编号"):
        plan(MIAOSHOU, [text for text in MIAOSHOU.header if text != "订单编号"])


def test_a_header_that_changed_since_the_match_makes_no_plan() -> None:
    found = match(PRODUCTS.header, [PRODUCTS])
    other = [PRODUCTS.header[1], PRODUCTS.header[0], *PRODUCTS.header[2:]]
    with pytest.raises(HeaderChanged):
        make_plan(found, template=PRODUCTS, info_header=other, scope=SCOPE, file_id=1, header_set_id=1)


def test_nameless_columns_at_the_end_do_not_matter() -> None:
    found = match(PRODUCTS.header, [PRODUCTS])
    header = [*PRODUCTS.header, "", ""]
    made = make_plan(found, template=PRODUCTS, info_header=header, scope=SCOPE, file_id=1, header_set_id=1)
    assert len(made.columns) == len(header)
