"""Header texts compare by what they mean, and say in which currency an amount stands."""

from __future__ import annotations

import unicodedata

import pytest

from datasync.mapping.headers import HeaderKey, header_currency, header_key, is_id_like

EQUAL = [
    ("商品访客数 (加入购物车)", "商品访客数（加入购物车）"),
    ("件数 (加入购物车）", "件数(加入购物车)"),
    ("*单价\n（元）", "单价 (RMB)"),
    ("Tracking Number*", "tracking  number"),
    ("ＧＭＶ", "gmv"),
    ("SKU 订单数", "SKU订单数"),
    (unicodedata.normalize("NFD", "Mã đơn hàng"), unicodedata.normalize("NFC", "Mã đơn hàng")),
    (unicodedata.normalize("NFD", "Número de referência SKU"), "Número de referência SKU"),
    ("หมายเลขคำสั่งซื้อ", unicodedata.normalize("NFKC", "หมายเลขคำสั่งซื้อ")),
    ("销售额【已下订单】", "销售额（已下订单）"),
    ("Order\u200bID", "Order ID"),
]


@pytest.mark.parametrize(("first", "second"), EQUAL)
def test_ways_of_writing_one_header_have_one_key(first: str, second: str) -> None:
    assert header_key(first) == header_key(second)


@pytest.mark.parametrize(
    ("header", "text", "currency"),
    [
        ("利润", "利润", ""),
        ("利润(RMB)", "利润", "CNY"),
        ("利润（人民币）", "利润", "CNY"),
        ("销售额（已下订单） (SGD)", "销售额(已下订单)", "SGD"),
        ("增值税(VAT)(RMB)", "增值税(vat)", "CNY"),
        ("增值税(VAT)", "增值税(vat)", ""),
        ("新加坡商品增值税（gst）", "新加坡商品增值税(gst)", ""),
        ("商品交易总额 (RM)", "商品交易总额", "MYR"),
        ("Sales_BRL", "sales", "BRL"),
        ("Valor (R$)", "valor", "BRL"),
        ("Total S$", "total", "SGD"),
        ("Amount (₱)", "amount", "PHP"),
        ("ยอดขาย (฿)", header_key("ยอดขาย").text, "THB"),
        ("Total Rp", "total", "IDR"),
        ("Tổng tiền (₫)", "tổngtiền", "VND"),
        ("Tổng giá trị đơn hàng (VND)", header_key("Tổng giá trị đơn hàng").text, "VND"),
        ("Amount USD", "amount", "USD"),
        ("Form", "form", ""),
        ("Corporate Store", "corporatestore", ""),
        ("RM", "rm", ""),
    ],
)
def test_the_currency_is_told_apart_from_the_text(header: str, text: str, currency: str) -> None:
    assert header_key(header) == HeaderKey(text, currency)


@pytest.mark.parametrize("header", ["RM No.", "Order ID (RM)", "RM SKU", "S$ 编号", "Mã Rp", "หมายเลข ฿"])
def test_symbols_are_not_looked_for_in_id_like_headers(header: str) -> None:
    assert is_id_like(header)
    assert header_currency(header) == ""


def test_paid_does_not_end_in_an_id() -> None:
    assert not is_id_like("Total paid")
    assert header_currency("R$ paid") == "BRL"
