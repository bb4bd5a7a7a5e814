"""The header is found below titles, prose and blocks of totals that repeat it."""

from __future__ import annotations

import pytest

from datasync.mapping.header_row import find_header_row
from datasync.mapping.template import Template
from datasync.mapping.template_file import builtin_templates

TEMPLATES = builtin_templates()


def one(key: str) -> Template:
    return next(template for template in TEMPLATES if template.family.key == key)


def sums(template: Template) -> list[str]:
    return ["", *("12" for _ in template.header[1:])]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_each_template_finds_its_header_where_it_says(template: Template) -> None:
    above = [["标题"], *[[] for _ in range(template.header_row)]][: template.header_row]
    rows = [*above, template.header, *[sums(template)] * 3]
    assert find_header_row(rows, [template]) == template.header_row


def test_a_block_of_totals_above_is_not_the_header() -> None:
    template = one("tiktok/tiktok/analytics/daily")
    rows = [
        ["总览"],
        [],
        [],
        ["数据汇总"],
        template.header,
        sums(template),
        ["每日数据"],
        template.header,
        sums(template),
    ]
    assert find_header_row(rows, [template]) == 7


def test_the_second_of_two_equal_headers_is_taken_where_the_template_says() -> None:
    template = one("shopee/shopee/analytics/weekly")
    rows = [template.header, ["01-10-2025-31-10-2025", *sums(template)[1:]], [], template.header, sums(template)]
    assert find_header_row(rows, [template]) == 3


def test_a_header_elsewhere_than_stated_is_found() -> None:
    template = one("shopee/miaoshou/orders/daily")
    rows = [["导出"], [], ["说明"], [], template.header, sums(template)]
    assert find_header_row(rows, [template]) == 4


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["Mã đơn hàng", "Ngày đặt hàng", "SKU phân loại hàng", "Số lượng"], 3),
        (["Order ID", "Order Date", "SKU", "Total"], 0),
        (["หมายเลขคำสั่งซื้อ", "วันที่ทำการสั่งซื้อ", "จำนวน"], 2),
    ],
)
def test_without_a_template_the_dictionaries_find_it(header: list[str], row: int) -> None:
    rows = [*[["Report of March", "", "2026"]] * row, header, ["A1", "2026-03-01", "X", "3"]]
    assert find_header_row(rows, TEMPLATES) == row
    assert find_header_row(rows) == row


@pytest.mark.parametrize("rows", [[], [[]], [["1", "2", "3"], ["4", "5", None]], [["a", "b"], ["c", "d"]]])
def test_no_header_is_found_where_there_is_none(rows: list[list[str | None]]) -> None:
    assert find_header_row(rows) is None
