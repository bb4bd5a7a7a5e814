"""The dictionaries of headers are consistent, and likeness never crosses a word that carries meaning."""

from __future__ import annotations

import tomllib
import unicodedata

import pytest

from datasync.fields import FIELDS, Domain
from datasync.ingest.words import MONTHS, NULL_WORDS, TOTALS_WORDS
from datasync.mapping.aliases import alias_key, look_up
from datasync.mapping.bind import ALIASES, canonical_wording
from datasync.mapping.headers import header_key

LANGUAGES = {"zh-hans", "zh-hant", "en", "vi", "th", "id", "ms", "pt", "es"}
IN_CNY = ("order_amount", "buyer_paid", "settled_amount", "expected_payout", "profit", "sales_amount")


@pytest.mark.parametrize("domain", list(Domain))
def test_an_alias_means_one_field_of_a_domain(domain: Domain) -> None:
    data = tomllib.loads((ALIASES / f"{domain}.toml").read_text(encoding="utf-8"))
    data.pop("contextual", None)
    meaning: dict[str, str] = {}
    for field, languages in data.items():
        assert field == "none" or field in FIELDS[domain]
        assert set(languages) <= LANGUAGES
        for headers in languages.values():
            for header in headers:
                key = alias_key(header)
                assert key, header
                assert meaning.setdefault(key, field) == field, f"{header}: {meaning[key]} and {field}"


@pytest.mark.parametrize("domain", list(Domain))
def test_every_field_has_a_name_in_some_language(domain: Domain) -> None:
    data = tomllib.loads((ALIASES / f"{domain}.toml").read_text(encoding="utf-8"))
    unnamed = set(FIELDS[domain]) - set(data) - {f"{name}_cny" for name in IN_CNY}
    assert unnamed == set()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("field", ["order_id", "sku", "ordered_at", "quantity", "unit_price", "order_amount"])
def test_what_an_order_needs_has_a_name_in_each_language(language: str, field: str) -> None:
    data = tomllib.loads((ALIASES / "orders.toml").read_text(encoding="utf-8"))
    assert data[field][language]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Oder ID Number", None),
        ("Order Creation Dates", "ordered_at"),
        ("Orders Creation Date", "ordered_at"),
        ("Número de referência do SKUs", "sku"),
        ("Numero de referencia SKU", "sku"),
        ("Trang thai don hang", "order_status"),
        ("Buyer Paid Shiping Fee", "buyer_shipping_fee"),
        ("Seller Paid Shipping Fees", "seller_shipping_fee"),
    ],
)
def test_slips_of_spelling_are_forgiven(header: str, field: str | None) -> None:
    hit = look_up(header, domain=Domain.ORDERS)
    assert (hit.field if hit else None) == field


@pytest.mark.parametrize(
    ("header", "never"),
    [
        ("Return Order Status", "order_status"),
        ("Refund Order ID", "order_id"),
        ("Ship Date", "ordered_at"),
        ("Estimated Ship Date", "shipped_at"),
        ("Latest Ship Date", "shipped_at"),
        ("Original Shipping Fee", "original_price"),
        ("Total Amount Refunded", "order_amount"),
        ("Quantity Returned", "quantity"),
        ("Parent SKU", "sku"),
        ("Receiver Name", "buyer_name"),
        ("Shop Type", "shop_label"),
        ("卖家支付运费", "buyer_shipping_fee"),
        ("买家留言", "buyer_name"),
        ("退货时间", "paid_at"),
        ("最晚发货时间", "shipped_at"),
        ("近30天销量", "quantity"),
        ("จำนวนที่ส่งคืน", "quantity"),
        ("Jumlah Dikembalikan", "quantity"),
        ("Waktu Pengembalian", "shipped_at"),
        ("Phí vận chuyển mà người bán trả", "buyer_shipping_fee"),
    ],
)
def test_what_looks_alike_is_not_taken_for_it(header: str, never: str) -> None:
    hit = look_up(header, domain=Domain.ORDERS)
    assert hit is None or hit.field != never


def test_a_guess_by_likeness_is_never_sure() -> None:
    hit = look_up("Order Creation Dates", domain=Domain.ORDERS)
    assert hit is not None
    assert hit.confidence < 0.9
    assert hit.reason.startswith("alias fuzzy")


def test_numbers_in_a_header_are_not_blurred() -> None:
    hit = look_up("Sales Last 31 Days", domain=Domain.INVENTORY)
    assert hit is None


@pytest.mark.parametrize(
    ("header", "other"),
    [
        ("买家数（已确认订单）", "买家数（已付款订单）"),
        ("TikTok Shop平台佣金", "TikTok 平台佣金"),
        ("订单号", "订单编号"),
    ],
)
def test_known_wordings_have_one_canonical_form(header: str, other: str) -> None:
    assert canonical_wording(header_key(header).text) == canonical_wording(header_key(other).text)


def test_words_of_cells_stand_in_the_form_they_are_compared_in() -> None:
    for word in NULL_WORDS | TOTALS_WORDS | set(MONTHS):
        assert word == unicodedata.normalize("NFKC", word).casefold().strip()
    assert set(MONTHS.values()) == set(range(1, 13))
    assert "0" not in NULL_WORDS
    assert not NULL_WORDS & TOTALS_WORDS
