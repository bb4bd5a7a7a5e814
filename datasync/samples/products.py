"""Header sets C and D: the product performance reports of Shopee and TikTok Shop."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from datasync.reasons import Reason
from datasync.samples import wording
from datasync.samples.content import Row, SheetContent
from datasync.samples.truth import Period, Shop

_CHANNELS = ("商城", "直播", "视频", "商品卡片")
_CHANNEL_FIGURES = (
    "商品交易总额",
    "商品成交件数",
    "曝光次数",
    "页面浏览次数",
    "去重页面浏览次数",
    "去重商品客户数",
    "点击率",
    "转化率",
)
_CHANNEL_COLUMNS = tuple(f"{channel}{figure}" for channel in _CHANNELS for figure in _CHANNEL_FIGURES)
TIKTOK_HEADER = ("ID", "商品", "状态", "商品交易总额", "成交件数", "订单数", *_CHANNEL_COLUMNS)
TIKTOK_NEWER_HEADER = (
    "商品 ID",
    "商品名称",
    "发品状态",
    "GMV",
    "成交件数",
    "订单数",
    "商家直播 GMV",
    "商家视频 GMV",
)


def shopee_header(currency: str, *, paid: str = "已付款") -> tuple[str, ...]:
    """Header set C; ``paid`` is 已付款, or its newer wordings 已确认 and 已确定."""
    return (
        "商品编号",
        "商品",
        "Current Item Status",
        "规格编号",
        "规格名称",
        "Current Variation Status",
        "规格货号",
        "全球商品货号",
        f"销售额（已下订单） ({currency})",
        f"销售额（{paid}订单） ({currency})",
        "商品页面访问量",
        "商品访客数量",
        "跳出商品页面的访客数",
        "商品跳出率",
        "赞",
        "搜索点击人数",
        "商品访客数 (加入购物车)",
        "件数 (加入购物车）",
        "转化率 (加入购物车率)",
        "买家数（已下订单）",
        "件数（已下订单）",
        "转化率（已下订单）",
        f"买家数（{paid}订单）",
        f"件数（{paid}订单）",
        f"转化率（{paid}订单）",
        f"订单复购率（{paid}订单）",
        f"订单复购的平均天数（{paid}订单）",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStyle:
    """How messy a product report is."""

    paid: str = "已付款"
    added: tuple[str, ...] = ()  # headers that the template does not know
    trailing_empty: int = 0  # nameless columns at the right
    without: tuple[str, ...] = ()
    duplicates: int = 0
    bad_rows: bool = False
    full_width: bool = False


def shopee_products(
    source: random.Random,
    rows: int,
    *,
    shop: Shop,
    period: Period,
    until: float = 1.0,
    style: ProductStyle | None = None,
) -> SheetContent:
    """A summary row for each product (variant id blank), then its variants.

    ``until`` < 1 is an earlier export of the same period: fewer products, smaller figures; every third product sold
    nothing since and is unchanged.
    """
    style = style or ProductStyle()
    full = (*shopee_header(shop.currency, paid=style.paid), *style.added)
    keep = [index for index, name in enumerate(full) if name not in style.without]
    content = SheetContent([*(full[index] for index in keep), *[None] * style.trailing_empty], sheet="商品表现")
    wanted = max(2, round(rows * (0.8 + 0.2 * until))) - style.duplicates
    product = 0
    while len(content.rows) < wanted:
        product += 1
        sold = int(source.paretovariate(1.2) * 10 * (1.0 if product % 3 == 0 else until)) + product % 4
        product_id = 40300000000 + product * 37 + int(shop.shop_id) % 1000
        for variant in range(source.choice((1, 2, 3, 5))):
            if len(content.rows) >= wanted:
                break
            row = _shopee_row(product, product_id, variant, max(0, sold - variant), style)
            row += [f"{variant}"] * len(style.added)
            variant_id = str(row[3]) if variant else ""
            content.add_good(
                [row[index] for index in keep], (shop.shop_id, str(product_id), variant_id, str(period.first))
            )
    _repeat_last(content, style.duplicates, shop, period)
    if style.bad_rows:
        _add_bad_products(content, period)
    return content


def _shopee_row(product: int, product_id: int, variant: int, sold: int, style: ProductStyle) -> Row:
    visitors = sold * 9 + product % 50
    views = visitors * 2 + product % 7
    carts = min(visitors, sold * 2 + 1)
    price = wording.GOODS[product % len(wording.GOODS)][2]
    as_scientific = product % 50 == 11 and not variant
    units = wording.full_width(str(sold)) if style.full_width and product % 5 == 0 else sold
    return [
        f"{product_id / 10**10}E10" if as_scientific else str(product_id),
        wording.GOODS[product % len(wording.GOODS)][product % 2],
        "Normal" if product % 9 else "Deleted",
        str(88000000000 + product * 10 + variant) if variant else "-",
        wording.VARIATIONS[variant] if variant else "-",
        "Normal" if variant else "-",
        wording.sku(product * 10 + variant) if variant else "",
        f"G{product:07d}",
        round(sold * price, 2),
        round(sold * price * 0.9, 2),
        f"{views:,}",
        visitors,
        visitors // 3,
        wording.percent(1 / 3) if visitors else "-",
        product % 90,
        sold // 2,
        carts,
        carts + 2,
        wording.percent(carts / visitors) if visitors else "-",
        sold,
        units,
        wording.percent(sold / visitors) if visitors else "-",
        sold,
        sold,
        wording.percent(sold / visitors) if visitors else "-",
        wording.percent(0.04) if sold else "暂无数据",
        "12.5" if sold else "-",
    ]


def _repeat_last(content: SheetContent, count: int, shop: Shop, period: Period) -> None:
    for row in list(content.rows[:count]):
        again = list(row)
        again[11] = 12_345
        variant = "" if row[3] == "-" else str(row[3])
        content.add_good(again, (shop.shop_id, str(row[0]), variant, str(period.first)))


def _add_bad_products(content: SheetContent, period: Period) -> None:
    model = content.rows[1]
    for column, value, reasons in (
        ("件数（已下订单）", "many", (Reason.INVALID_INTEGER,)),
        ("商品跳出率", "n.v.%", (Reason.INVALID_PERCENT,)),
        ("商品编号", "", (Reason.KEY_MISSING, Reason.REQUIRED_MISSING)),
    ):
        row = list(model)
        row[0] = f"{49900000000 + period.first.day}"
        row[content.header.index(column)] = value
        content.add_bad(row, column, *reasons)


def tiktok_products(
    source: random.Random,
    rows: int,
    *,
    shop: Shop,
    period: Period,
    newer: bool = False,
    sums_first: bool = False,
    without: Sequence[str] = (),
) -> SheetContent:
    """One row a product; ``sums_first`` puts a totals row without any id above them."""
    full = TIKTOK_NEWER_HEADER if newer else TIKTOK_HEADER
    keep = [index for index, name in enumerate(full) if name not in without]
    content = SheetContent([full[index] for index in keep], sheet="商品数据")
    body = [_tiktok_row(source, number, newer=newer) for number in range(1, rows + 1 - int(sums_first))]
    if sums_first:
        sums: Row = [None, None, None]
        for index in range(3, len(full)):
            figures = [row[index] for row in body]
            numbers = [figure for figure in figures if isinstance(figure, int | float)]
            sums.append(round(sum(numbers), 2) if len(numbers) == len(figures) else None)
        content.add_total([sums[index] for index in keep])
    for row in body:
        content.add_good([row[index] for index in keep], (shop.shop_id, str(row[0]), "", str(period.first)))
    return content


def _tiktok_row(source: random.Random, number: int, *, newer: bool) -> Row:
    good = wording.GOODS[number % len(wording.GOODS)]
    sold = source.randrange(0, 60)
    amount = round(sold * good[2], 2)
    row: Row = [f"17290{number:013d}", good[number % 2], "在线" if number % 6 else "已下架", amount, sold, sold]
    if newer:
        return [*row, round(amount * 0.3, 2), round(amount * 0.2, 2)]
    for share in (0.4, 0.3, 0.2, 0.1):
        views = sold * 20 + number % 40
        part = int(sold * share)
        row += [round(amount * share, 2), part, views * 3, views, views - views // 10, part]
        row += [wording.percent(0.33), wording.percent(part / views) if views else "-"]
    return row
