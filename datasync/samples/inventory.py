"""Header set H: Miaoshou's stock list."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta

from datasync.samples import wording
from datasync.samples.content import Row, SheetContent
from datasync.samples.headers import MIAOSHOU_STOCK
from datasync.samples.truth import Shop

_WAREHOUSES = ("义乌仓", "深圳仓", "海外仓-菲律宾")


def miaoshou_stock(
    source: random.Random, rows: int, *, shop: Shop, snapshot: date, totals_row: bool = False, duplicates: int = 0
) -> SheetContent:
    """Each SKU in one to three warehouses; the picture column holds no value."""
    content = SheetContent(list(MIAOSHOU_STOCK), sheet="库存清单")
    goods = rows - int(totals_row) - duplicates
    for number in range(goods):
        row = _stock_row(source, number // 2 + 1, _WAREHOUSES[number % 2 + (number % 10 == 1)], snapshot)
        content.add_good(row, (shop.shop_id, str(row[1]), str(row[5]), str(snapshot)))
    for row in list(content.rows[:duplicates]):
        content.add_good([*row[:10], 7, *row[11:]], (shop.shop_id, str(row[1]), str(row[5]), str(snapshot)))
    if totals_row:
        total: Row = [None, "合计", *[None] * 6]
        total += [_sum_of(content.rows, column) for column in range(8, 19)]
        content.add_total(total)
    return content


def _stock_row(source: random.Random, number: int, warehouse: str, snapshot: date) -> Row:
    chinese, _, price = wording.GOODS[number % len(wording.GOODS)]
    total = source.randrange(0, 900)
    reserved = total // 12
    week = source.randrange(0, 60)
    created = datetime.combine(snapshot - timedelta(days=400 - number % 300), time(9, number % 60))
    return [
        None,
        wording.sku(number),
        chinese,
        wording.VARIATIONS[number % len(wording.VARIATIONS)],
        "家居" if number % 2 else "",
        warehouse,
        f"A-{number % 40:02d}-{number % 7}" if number % 3 else "-",
        price,
        round(price * total, 2),
        total,
        total - reserved,
        reserved,
        week * 2,
        20,
        0,
        week,
        week * 4,
        week * 8,
        week * 12 if number % 8 else "暂无数据",
        f"{created:%Y-%m-%d %H:%M:%S}",
        f"{datetime.combine(snapshot, time(8, number % 60)):%Y-%m-%d %H:%M:%S}",
    ]


def _sum_of(rows: list[Row], column: int) -> float:
    return round(sum(cell for row in rows if isinstance(cell := row[column], int | float)), 2)
