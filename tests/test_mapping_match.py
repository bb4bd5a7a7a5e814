"""Matching a header: the drift table, the best variant, and columns that must not be merged."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pytest

from datasync.ingest.plan import NumberFormat
from datasync.mapping.match import Outcome, best_family, match
from datasync.mapping.template import Template
from datasync.mapping.template_file import builtin_templates, parse_templates

TEMPLATES = builtin_templates()


def of(key: str) -> list[Template]:
    return [template for template in TEMPLATES if template.family.key == key]


PRODUCTS = of("shopee/shopee/products/monthly")
MIAOSHOU = of("shopee/miaoshou/orders/daily")[0]
STATISTICS = of("shopee/shopee/analytics/daily")


def small(*columns: str) -> Template:
    listed = "".join(f"  {{ {column} }},\n" for column in columns)
    text = '[family]\nplatform = "p"\ndomain = "orders"\ngranularities = ["daily"]\n\n[[variants]]\n'
    return parse_templates(f'{text}identity = ["order_id"]\nordinal = true\ncolumns = [\n{listed}]\n')[0]


ORDER_ID = 'header = "订单号", field = "order_id", required = true'


def without(header: Sequence[str], *gone: str) -> list[str]:
    return [text for text in header if text not in gone]


@pytest.mark.parametrize("currency", ["BRL", "COP", "CNY", "MXN", "PHP"])
def test_another_currency_is_compatible(currency: str) -> None:
    header = [text.replace("SGD", currency) for text in PRODUCTS[0].header]
    found = match(header, PRODUCTS)
    assert found.outcome is Outcome.COMPATIBLE
    assert len(found.currency_changes) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("（", "(").replace("）", ")"),
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f" {text}\n",
        str.upper,
    ],
)
def test_brackets_white_space_case_and_composition_are_compatible(change: object) -> None:
    header = [change(text) for text in PRODUCTS[0].header]  # type: ignore[operator]
    assert match(header, PRODUCTS).outcome in {Outcome.COMPATIBLE, Outcome.EXACT}


def test_another_order_is_compatible_and_says_what_moved() -> None:
    header = list(MIAOSHOU.header)
    header.insert(0, header.pop(header.index("店铺")))
    found = match(header, [MIAOSHOU])
    assert (found.outcome, found.moved) == (Outcome.COMPATIBLE, ("店铺",))
    assert found.binding[0] == MIAOSHOU.header.index("店铺")


@pytest.mark.parametrize(("word", "variant"), [("已付款", "paid"), ("已确认", "confirmed"), ("已确定", "determined")])
def test_the_variant_with_the_files_wording_fits_best(word: str, variant: str) -> None:
    header = [text.replace("已付款", word) for text in PRODUCTS[0].header]
    found = match(header, PRODUCTS)
    assert found.outcome is Outcome.EXACT
    assert found.template is not None
    assert found.template.variant == variant


def test_a_known_rewording_is_noted() -> None:
    header = [text.replace("已付款", "已确认") for text in PRODUCTS[0].header]
    found = match(header, PRODUCTS[:1])
    assert found.outcome is Outcome.NOTED
    assert ("销售额（已付款订单） (SGD)", "销售额（已确认订单） (SGD)") in found.renamed
    assert not found.added
    assert not found.missing


def test_tiktoks_commission_without_the_word_shop_is_noted() -> None:
    template = of("tiktok/miaoshou/orders/daily")[0]
    header = [text.replace("TikTok Shop平台佣金", "TikTok 平台佣金") for text in template.header]
    found = match(header, [template])
    assert found.outcome is Outcome.NOTED
    assert ("TikTok Shop平台佣金", "TikTok 平台佣金") in found.renamed


def test_added_and_optional_columns_are_noted() -> None:
    header = [*without(MIAOSHOU.header, "包材费", "站点"), "一列新的", ""]
    found = match(header, [MIAOSHOU])
    assert (found.outcome, found.added, found.missing) == (Outcome.NOTED, ("一列新的",), ("站点", "包材费"))


@pytest.mark.parametrize("gone", ["订单编号", "平台SKU", "下单时间"])
def test_a_required_or_identity_column_gone_blocks(gone: str) -> None:
    found = match(without(MIAOSHOU.header, gone), [MIAOSHOU])
    assert (found.outcome, found.missing_required) == (Outcome.BLOCKED, (gone,))


def test_an_unknown_rewording_of_an_identity_column_blocks_and_is_shown() -> None:
    found = match([text.replace("商品编号", "商品编号码") for text in PRODUCTS[0].header], PRODUCTS)
    assert found.outcome is Outcome.BLOCKED
    assert found.likely_renamed == (("商品编号", "商品编号码"),)


def test_another_export_is_no_drift() -> None:
    header = ["Mã đơn hàng", "Ngày đặt hàng", "SKU phân loại hàng", "Số lượng"]
    assert match(header, of("shopee/shopee/orders/monthly")).outcome is Outcome.NONE
    assert match(header, []).outcome is Outcome.NONE


def test_profit_and_profit_in_rmb_are_never_merged() -> None:
    found = match(without(MIAOSHOU.header, "利润"), [MIAOSHOU])
    position = without(MIAOSHOU.header, "利润").index("利润(RMB)")
    assert MIAOSHOU.columns[found.binding[position]].field == "profit_cny"
    assert found.missing == ("利润",)


def test_an_amount_in_another_currency_never_feeds_the_cny_field() -> None:
    header = ["利润(SGD)" if text == "利润" else text for text in MIAOSHOU.header if text != "利润(RMB)"]
    found = match(header, [MIAOSHOU])
    assert MIAOSHOU.columns[found.binding[header.index("利润(SGD)")]].field == "profit"
    assert found.missing == ("利润(RMB)",)


def test_two_currencies_for_one_column_are_not_guessed() -> None:
    template = small(ORDER_ID, 'header = "金额 (SGD)", field = "order_amount"')
    found = match(["订单号", "金额 (MYR)", "金额 (PHP)"], [template])
    assert found.added == ("金额 (MYR)", "金额 (PHP)")
    assert found.missing == ("金额 (SGD)",)


def test_equal_headers_are_told_apart_by_their_order() -> None:
    template = small(
        ORDER_ID, 'header = "数量"', 'header = "数量", field = "quantity"', 'header = "价", field = "unit_price"'
    )
    found = match(["数量", "订单号", "数量", "价"], [template])
    assert found.binding == {0: 1, 1: 0, 2: 2, 3: 3}


def test_a_lone_survivor_of_equal_headers_is_not_guessed() -> None:
    template = small(ORDER_ID, 'header = "数量"', 'header = "数量", field = "quantity"')
    assert match(["订单号", "数量"], [template]).missing == ("数量", "数量")


def test_similar_figures_that_coexist_stay_apart() -> None:
    template = of("tiktok/tiktok/analytics/daily")[0]
    found = match(template.header, [template])
    fields = {template.header[p]: template.columns[t].field for p, t in found.binding.items()}
    assert (fields["订单数"], fields["SKU 订单数"]) == ("order_count", "sku_order_count")


def test_a_blank_header_binds_by_position_only() -> None:
    template = of("tiktok/tiktok/analytics/daily")[0]
    assert match([*template.header, "", ""], [template]).outcome is Outcome.EXACT
    moved = [*template.header[1:], ""]
    assert match(moved, [template]).missing_required == ("(blank)",)


def statistics_rows(number: str, share: str) -> list[list[str]]:
    return [[f"{day:02d}-10-2025", number, "900", "2", "3", "4", "5", share, share] for day in range(1, 8)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (statistics_rows("36.776.556", "5,48%"), NumberFormat.COMMA),
        (statistics_rows("36,776,556", "5.48%"), NumberFormat.DOT),
        ([], NumberFormat.COMMA),
    ],
)
def test_values_choose_between_variants_with_equal_headers(rows: list[list[str]], expected: NumberFormat) -> None:
    found = match(STATISTICS[0].header, STATISTICS, sample_rows=rows)
    assert found.outcome is Outcome.EXACT
    assert found.template is not None
    assert found.template.number_format is expected


@pytest.mark.parametrize(("described", "variant"), [(True, "described"), (False, "default")])
def test_a_row_that_describes_the_columns_is_seen(described: bool, variant: str) -> None:
    templates = of("tiktok/tiktok/orders/daily")
    row = ["1", "ok", "ok", "7", "A", "P", "V", "2", "3.50", "3.50", "3.50", "31/07/2026 20:29:25\t", ""]
    words = [["words about the column"] * 13] if described else []
    found = match(templates[0].header, templates, sample_rows=[*words, *[row] * 5])
    assert found.template is not None
    assert found.template.variant == variant


def test_values_between_invisible_marks_are_read_as_the_ingest_reads_them() -> None:
    template = small(ORDER_ID, 'header = "下单时间", field = "ordered_at"', 'header = "金额", field = "order_amount"')
    rows = [[f"A{day}", f"2026-03-{day:02d} 10:00\u200b", "\u200e3.50 \u202c"] for day in range(1, 7)]
    assert match(template.header, [template], sample_rows=rows).outcome is Outcome.EXACT


def test_known_headers_over_other_values_are_a_drift() -> None:
    template = small(ORDER_ID, 'header = "金额", field = "order_amount"', 'header = "状态", field = "order_status"')
    rows = [[f"A{day}", f"2026-03-{day:02d} 10:00:00", f"2026-03-{day:02d}"] for day in range(1, 7)]
    found = match(template.header, [template], sample_rows=rows)
    assert found.outcome is Outcome.BLOCKED
    assert [wrong.field for wrong in found.contradictions] == ["order_amount"]


@pytest.mark.parametrize(
    "value", ["RM 1,203.60", "(12.50)", "R$ 10", "12.5%", "1,203", "2.7984946015E10", "１２", "-", "暂无数据"]
)
def test_ways_of_writing_a_number_are_no_contradiction(value: str) -> None:
    template = small(ORDER_ID, 'header = "金额", field = "order_amount"')
    assert match(template.header, [template], sample_rows=[["A", value]] * 6).outcome is Outcome.EXACT


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("shopee/miaoshou/orders/daily", {"shopee/miaoshou/orders"}),
        ("tiktok/miaoshou/orders/daily", {"tiktok/miaoshou/orders"}),
        ("shopee/shopee/products/weekly", {"shopee/shopee/products"}),
        ("shopee/shopee/analytics/hourly", {"shopee/shopee/analytics"}),
        ("shopify/shopify/orders/daily", {"shopify/shopify/orders"}),
        ("amazon/amazon/finance/daily", {"amazon/amazon/finance"}),
        ("miaoshou/miaoshou/inventory/snapshot", {"miaoshou/miaoshou/inventory"}),
    ],
)
def test_the_header_alone_tells_the_family_but_for_its_granularity(key: str, expected: set[str]) -> None:
    guess = best_family(of(key)[-1].header, TEMPLATES)
    assert guess is not None
    assert {family.key.rsplit("/", 1)[0] for family in guess.families} == expected


def test_no_family_is_guessed_for_a_header_of_no_template() -> None:
    assert best_family(["a", "b", "订单编号"], TEMPLATES) is None


def test_a_match_can_be_kept_as_json() -> None:
    kept = match(MIAOSHOU.header, [MIAOSHOU]).as_dict()
    assert kept["outcome"] == "exact"
    assert kept["binding"]["0"] == 0
