"""Header sets A and B: Miaoshou's exports of Shopee and TikTok orders, one row for each order line."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from datasync.reasons import Reason
from datasync.samples import wording
from datasync.samples.content import Cell, ErrorCell, Merge, Row, SheetContent
from datasync.samples.headers import LINE_MONEY, MIAOSHOU_SHOPEE, MIAOSHOU_TIKTOK
from datasync.samples.shops import CNY_PER_UNIT
from datasync.samples.truth import Period, Shop

BUYER_PAID = {"shopee": "买家支付", "tiktok": "买家实付金额"}
ORDER_COLUMNS = ("订单编号", "订单状态", "售后状态", "店铺", "站点", "下单时间", "付款时间", "发货时间")
_EPOCH = datetime.combine(date(2000, 1, 1), time())
_LINES_OF_AN_ORDER = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)
_MERGED_ORDERS = 40
_BAD_CELLS: tuple[tuple[str, Cell, tuple[Reason, ...]], ...] = (
    ("下单时间", "2026-02-31 10:00:00", (Reason.INVALID_DATE,)),
    ("下单时间", "31/02/2026 09:15", (Reason.INVALID_DATE,)),
    ("下单时间", "03/04/2025 10:00", (Reason.AMBIGUOUS_DATE, Reason.INVALID_DATE, Reason.DATE_OUT_OF_RANGE)),
    ("BUYER_PAID", "联系客服", (Reason.INVALID_NUMBER,)),
    ("销售数量", "2.5", (Reason.INVALID_INTEGER,)),
    ("利润(RMB)", ErrorCell("#REF!"), (Reason.CELL_ERROR,)),
    ("销售利润率", "约三成", (Reason.INVALID_PERCENT,)),
    ("订单编号", 5769488210347715234.0, (Reason.PRECISION_LOST,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStyle:
    """How messy an export is."""

    merged: bool = False
    totals_row: bool = False
    money_as_text: bool = False
    bad_rows: bool = False
    without: tuple[str, ...] = ()  # headers that this export lacks


def miaoshou_orders(
    source: random.Random, rows: int, *, shops: Sequence[Shop], period: Period, style: OrderStyle | None = None
) -> SheetContent:
    """About ``rows`` order lines of one platform's shops; below an order's first line its own columns are blank."""
    style = style or OrderStyle()
    platform = shops[0].platform
    full = MIAOSHOU_SHOPEE if platform == "shopee" else MIAOSHOU_TIKTOK
    header = [name for name in full if name not in style.without]
    title: Row = [f"妙手ERP订单导出 {period.first:%Y-%m-%d} ~ {period.last:%Y-%m-%d}"]
    content = SheetContent(list(header), above=[title], sheet="订单")
    writer = _OrderWriter(source, content, header, period, style)
    number = 0
    while len(content.rows) < rows:
        number += 1
        writer.add_order(number, shops[number % len(shops)])
    if style.bad_rows:
        for column, value, reasons in _BAD_CELLS:
            number += 1
            writer.add_bad_order(number, shops[0], column, value, reasons)
    if style.totals_row:
        total: dict[str, Cell] = {"订单编号": "合计"}
        total |= {name: amount / 100 for name, amount in content.sums.items()}
        content.add_total([total.get(name) for name in header])
    return content


class _OrderWriter:
    """Adds one order after the other to a sheet."""

    def __init__(
        self, source: random.Random, content: SheetContent, header: Sequence[str], period: Period, style: OrderStyle
    ) -> None:
        self.source = source
        self.content = content
        self.header = header
        self.style = style
        self.start = datetime.combine(period.first, time())
        self.minutes = period.days * 24 * 60 - 30
        shares = money_shares(header)
        self.order_money = [(name, share) for name, share in shares if name not in LINE_MONEY]
        self.line_money = [(name, share) for name, share in shares if name in LINE_MONEY]
        self.merged_columns = [header.index(name) for name in ORDER_COLUMNS if name in header]

    def add_order(self, number: int, shop: Shop) -> None:
        """One order of one to three lines; now and then two lines sell the same SKU."""
        count = self.source.choice(_LINES_OF_AN_ORDER)
        order = self._order_values(number, shop)
        goods = [self.source.randrange(1, 900) for _ in range(count)]
        if count > 1 and number % 4 == 0:
            goods[1] = goods[0]
        seen: dict[int, int] = {}
        first = len(self.content.rows)
        for line, good in enumerate(goods):
            values = self._line_values(good, shop)
            if line == 0:
                values |= order
            seen[good] = seen.get(good, 0) + 1
            identity = (shop.shop_id, str(order["订单编号"]), wording.sku(good), str(seen[good]))
            self.content.add_good([values.get(name) for name in self.header], identity)
        for name in (BUYER_PAID[shop.platform], "订单原始金额(RMB)", "利润(RMB)"):
            self.content.add_sum(name, _amount(order[name]))
        if self.style.merged and count > 1 and number <= _MERGED_ORDERS:
            last = len(self.content.rows) - 1
            self.content.merges.extend(Merge(first, last, column) for column in self.merged_columns)

    def add_bad_order(self, number: int, shop: Shop, column: str, value: Cell, reasons: tuple[Reason, ...]) -> None:
        """One order of one line with one cell that cannot be trusted."""
        column = BUYER_PAID[shop.platform] if column == "BUYER_PAID" else column
        values = self._line_values(number, shop) | self._order_values(number, shop) | {column: value}
        self.content.add_bad([values.get(name) for name in self.header], column, *reasons)

    def _order_values(self, number: int, shop: Shop) -> dict[str, Cell]:
        source = self.source
        ordered = self.start + timedelta(minutes=source.randrange(self.minutes), seconds=source.randrange(60))
        paid = ordered + timedelta(minutes=source.randrange(1, 25))
        total = round(source.choice(wording.GOODS)[2] * source.randrange(1, 4) / CNY_PER_UNIT[shop.currency] * 5, 2)
        rate = CNY_PER_UNIT[shop.currency]
        values: dict[str, Cell] = {
            "订单编号": order_number(shop, ordered, number),
            "订单状态": source.choice(wording.ORDER_STATUSES),
            "售后状态": source.choice(wording.AFTER_SALE),
            "店铺": shop.aliases[0],
            "站点": shop.region,
            "包裹号": f"PK{ordered:%y%m%d}{number:07d}",
            "下单时间": f"{ordered:%Y-%m-%d %H:%M:%S}",
            "付款时间": f"{paid:%Y-%m-%d %H:%M:%S}",
            "发货时间": f"{paid + timedelta(hours=20):%Y-%m-%d %H:%M:%S}"
            if number % 3
            else source.choice(wording.EMPTY),
            "成本利润率": wording.percent(source.uniform(-0.1, 0.9)),
            "销售利润率": wording.percent(source.uniform(-0.1, 0.5)),
        }
        for name, share in self.order_money:
            amount = round(total * share * (rate if name.endswith("(RMB)") else 1), 2)
            values[name] = self._money(amount, shop, name)
        return values

    def _line_values(self, good: int, shop: Shop) -> dict[str, Cell]:
        source = self.source
        price = round(wording.GOODS[good % len(wording.GOODS)][2] * 5 / CNY_PER_UNIT[shop.currency], 2)
        quantity = source.choice((1, 1, 1, 2, 3))
        product = 27984940000 + good
        values: dict[str, Cell] = {
            "产品ID": f"{product / 10**10}E10" if good % 40 == 7 else str(product),
            "平台SKU": wording.sku(good),
            "SKU ID": str(184400000000 + good),
            "平台产品标题": wording.product_name(source, shop.region),
            "规格": wording.VARIATIONS[good % len(wording.VARIATIONS)],
            "商品名称": wording.GOODS[good % len(wording.GOODS)][0],
            "商品SKU": f"MS-{good % 97:03d}",  # several listings are paired with one article
            "商品类型": "单品" if good % 9 else "组合商品",
            "出库仓库": "义乌仓" if good % 2 else "深圳仓",
            "出库数量": quantity,
            "销售数量": quantity,
        }
        for name, share in self.line_money:
            rate = CNY_PER_UNIT[shop.currency] if name.endswith("(RMB)") else 1
            values[name] = self._money(round(price * share * rate, 2), shop, name)
        return values

    def _money(self, amount: float, shop: Shop, name: str) -> Cell:
        if not self.style.money_as_text:
            return amount
        if name.endswith("(RMB)"):
            return f"{amount:,.2f}"
        symbol = {"MYR": "RM ", "PHP": "₱", "SGD": "S$", "VND": "₫"}.get(shop.currency, "")
        return f"({symbol}{-amount:,.2f})" if amount < 0 else f"{symbol}{amount:,.2f}"


def money_shares(header: Sequence[str]) -> list[tuple[str, float]]:
    """Each money column with the share of the order's total that stands in it; the pair of a column has the same."""
    known = {
        "买家支付": 0.95,
        "买家实付金额": 0.95,
        "订单原始金额": 1.0,
        "利润": 0.18,
        "产品原价": 1.0,
        "产品折后价格": 0.85,
        "采购成本": 0.4,
        "卖家voucher": -0.02,
        "总费用": -0.2,
    }
    local = [name.removesuffix("(RMB)") for name in header if name.endswith("(RMB)")]
    shares = {name: known.get(name, round(0.9 / (1 + index % 12), 3)) for index, name in enumerate(local)}
    return [(name, shares[name.removesuffix("(RMB)")]) for name in header if name.removesuffix("(RMB)") in shares]


def order_number(shop: Shop, ordered: datetime, number: int) -> str:
    """An order number as the platform writes it, unique within the shop for distinct ``number``."""
    if shop.platform == "tiktok":
        return f"5769{(ordered - _EPOCH) // timedelta(minutes=1):08d}{number:06d}"
    return f"{ordered:%y%m%d}{wording.base36(number * 7919 % 36**4, 4)}{wording.base36(number, 4)}"


def _amount(cell: Cell) -> float:
    if isinstance(cell, str):
        negative = cell.startswith("(")
        digits = "".join(char for char in cell if char.isdigit() or char == ".")
        return -float(digits) if negative else float(digits)
    return float(cell or 0)
