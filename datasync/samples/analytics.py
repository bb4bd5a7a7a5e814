"""Header sets E and F: the shop statistics of TikTok Shop and Shopee, with their blocks of totals above the header."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

from datasync.samples import wording
from datasync.samples.content import Cell, Row, SheetContent
from datasync.samples.truth import Period, Shop

TIKTOK_HEADER = (
    "",
    "GMV",
    "订单数",
    "客户数",
    "商品成交件数",
    "已退款的商品件数",
    "SKU 订单数",
    "总成交额",
    "页面浏览次数",
    "商品访客数",
    "转化率",
    "商品曝光次数",
    "去重商品曝光次数",
    "商品点击量",
    "去重点击次数",
    "平均订单金额",
)
TIKTOK_OLDER_HEADER = (
    "日期",
    "商品交易总额 (RM)",
    "退款金额 (RM)",
    "总成交额（含平台商品补贴）明细",
    "SKU 订单数",
    "商品成交件数",
    "日平均客户数",
    "店铺页面访问量",
)
_SHOPEE_FIGURES = (
    "页面浏览数",
    "访客数",
    "平均页面访问数",
    "平均访客数",
    "现有访客",
    "新关注者",
    "平均转化率",
    "跳出率",
)
SHOPEE_HEADER = ("日期", *_SHOPEE_FIGURES)
SHOPEE_HOURLY_HEADER = ("小时", *_SHOPEE_FIGURES)


class DateStyle(StrEnum):
    """How Shopee's statistics write a day, as a strftime format."""

    SLASH = "%d/%m/%Y"
    DASH = "%d-%m-%Y"


def days(period: Period) -> Iterator[date]:
    """Every day of a period."""
    return (period.first + timedelta(days=index) for index in range(period.days))


def tiktok_analytics(source: random.Random, *, shop: Shop, period: Period, monthly: bool = False) -> SheetContent:
    """A row a day under a nameless date column; header row 7 in daily exports, 8 in monthly ones."""
    rows = [[day.isoformat(), *_tiktok_day(source, index)] for index, day in enumerate(days(period))]
    sums: Row = ["", *(_sum_of(rows, index) for index in range(1, len(TIKTOK_HEADER)))]
    above: list[Row] = [
        ["数据总览"],
        [f"日期范围: {period.first:%Y-%m-%d} ~ {period.last:%Y-%m-%d}"],
        [],
        ["数据汇总"],
        list(TIKTOK_HEADER),
        sums,
        ["每日数据"],
    ]
    if monthly:
        above.insert(2, [f"店铺: {shop.name} ({shop.currency})"])
    content = SheetContent(list(TIKTOK_HEADER), above=above, sheet="数据")
    for row in rows:
        content.add_good(row, (shop.shop_id, str(row[0])))
    return content


def _tiktok_day(source: random.Random, index: int) -> Row:
    orders = source.randrange(8, 120)
    amount = round(orders * source.uniform(20, 45), 2)
    views = orders * source.randrange(20, 60)
    refunded: Cell = "-" if index % 6 == 0 else orders // 15
    return [
        amount,
        orders,
        orders - orders // 10,
        orders + orders // 4,
        refunded,
        orders + orders // 5,
        round(amount * 1.04, 2),
        f"{views:,}",
        views // 2,
        wording.percent(orders / views),
        views * 7,
        views * 5,
        views + 3,
        views - 3,
        round(amount / orders, 2),
    ]


def _sum_of(rows: list[Row], index: int) -> Cell:
    numbers = [row[index] for row in rows if isinstance(row[index], int | float)]
    return round(sum(number for number in numbers if not isinstance(number, str) and number is not None), 2)


def tiktok_older_analytics(source: random.Random, *, shop: Shop, period: Period) -> SheetContent:
    """The older wording, header row 2, money as text with the ringgit's sign."""
    title: Row = [f"日期范围: {period.first:%Y-%m-%d} ~ {period.last:%Y-%m-%d}"]
    content = SheetContent(list(TIKTOK_OLDER_HEADER), above=[title, []], sheet="Sheet1")
    for day in days(period):
        orders = source.randrange(10, 90)
        amount = orders * 31.7
        row: Row = [day.isoformat(), f"RM {amount:,.2f}", f"RM {amount / 20:,.2f}", f"RM {amount * 1.02:,.2f}"]
        row += [orders, orders + 4, orders - 2, f"{orders * 41:,}"]
        content.add_good(row, (shop.shop_id, day.isoformat()))
    return content


def shopee_analytics(
    source: random.Random, *, shop: Shop, period: Period, style: DateStyle = DateStyle.DASH, comma: bool = False
) -> SheetContent:
    """Header, a row for the whole period, a blank row, the header again (row 3), then a row a day.

    ``comma`` writes 36.776 and 5,48% instead of 36,776 and 5.48%.
    """
    content = _shopee_sheet(source, SHOPEE_HEADER, period, style, comma)
    for day in days(period):
        content.add_good([f"{day:{style}}", *_shopee_figures(source, comma)], (shop.shop_id, day.isoformat()))
    return content


def shopee_hourly_analytics(
    source: random.Random, *, shop: Shop, day: date, style: DateStyle = DateStyle.SLASH
) -> SheetContent:
    """The same report of one day, a row an hour under 小时: ``23/09/2025 00:00``."""
    content = _shopee_sheet(source, SHOPEE_HOURLY_HEADER, Period(day, day), style, comma=False)
    for hour in range(24):
        content.add_good(
            [f"{day:{style}} {hour:02d}:00", *_shopee_figures(source, comma=False)],
            (shop.shop_id, f"{day.isoformat()} {hour}"),
        )
    return content


def _shopee_sheet(
    source: random.Random, header: tuple[str, ...], period: Period, style: DateStyle, comma: bool
) -> SheetContent:
    total: Row = [f"{period.first:{style}}-{period.last:{style}}", *_shopee_figures(source, comma)]
    return SheetContent(list(header), above=[list(header), total, []], sheet="流量")


def _shopee_figures(source: random.Random, comma: bool) -> Row:
    visitors = source.randrange(1100, 5000)
    views = int(visitors * 2.4)
    spelt = wording.dotted if comma else wording.commas
    return [
        spelt(views, decimals=0),
        spelt(visitors, decimals=0),
        spelt(views / visitors, decimals=2),
        spelt(visitors / 24, decimals=2),
        spelt(visitors // 3, decimals=0),
        source.randrange(0, 40),
        f"{spelt(source.uniform(1, 8), decimals=2)}%",
        f"{spelt(source.uniform(20, 60), decimals=2)}%",
    ]
