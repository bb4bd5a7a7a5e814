"""Header set I: the English order exports of Shopee, TikTok Shop and Shopify."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta

from datasync.reasons import Reason
from datasync.samples import wording
from datasync.samples.content import Row, SheetContent
from datasync.samples.orders import order_number
from datasync.samples.shops import CNY_PER_UNIT
from datasync.samples.truth import Period, Shop

SHOPEE_HEADER = (
    "Order ID",
    "Order Status",
    "Tracking Number*",
    "Order Creation Date",
    "Order Paid Time",
    "SKU Reference No.",
    "Variation Name",
    "Original Price",
    "Deal Price",
    "Quantity",
    "Total Amount",
    "Buyer Paid Shipping Fee",
    "Recipient",
)
TIKTOK_HEADER = (
    "Order ID",
    "Order Status",
    "Order Substatus",
    "SKU ID",
    "Seller SKU",
    "Product Name",
    "Variation",
    "Quantity",
    "SKU Unit Original Price",
    "SKU Subtotal After Discount",
    "Order Amount",
    "Created Time",
    "Paid Time",
)
TIKTOK_DESCRIPTION = (
    "Platform unique order ID.",
    "Current order status.",
    "Order sub status.",
    "Platform unique SKU ID.",
    "Seller input SKU ID.",
    "Product name.",
    "Platform variation.",
    "SKU quantity in the order.",
    "SKU unit original price.",
    "SKU price after all discounts.",
    "Total amount of the order.",
    "Time the order was created.",
    "Time the order was paid.",
)
SHOPIFY_HEADER = (
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
)
_SETTLED = ("Completed", "Completed", "Completed", "Cancelled", "Shipping")


def shopee_orders(source: random.Random, rows: int, *, shop: Shop, period: Period, until: float = 1.0) -> SheetContent:
    """Order.all: orders sorted by time. ``until`` < 1 is an export of the same month taken earlier.

    Every sixth row is the second line of its order, and repeats the order's total. The newest tenth is still on its
    way; in a later export of the month the same orders are completed.
    """
    content = SheetContent(list(SHOPEE_HEADER), sheet="orders")
    kept = max(1, round(rows * until))
    for number in range(rows):
        line = _shopee_row(source, number, rows, shop, period)
        if number >= kept:
            break
        if number >= kept * 0.9:
            line[1] = "To ship"
            line[2] = ""
        content.add_good(line, (shop.shop_id, str(line[0]), str(line[5]), "1"))
    return content


def _shopee_row(source: random.Random, number: int, rows: int, shop: Shop, period: Period) -> Row:
    first_line = number - (number % 6 == 5)
    ordered = _moment(period, first_line / rows)
    good = number * 17 % 699 + 1
    price = _price(good, shop)
    quantity = source.choice((1, 1, 2, 3))
    deal = round(price * 0.8, 2)
    return [
        order_number(shop, ordered, first_line),
        source.choice(_SETTLED),
        f"MY{number:011d}X",
        f"{ordered:%Y-%m-%d %H:%M}",
        f"{ordered + timedelta(minutes=3):%Y-%m-%d %H:%M}",
        wording.sku(good),
        wording.VARIATIONS[good % len(wording.VARIATIONS)],
        price,
        deal,
        quantity,
        round(first_line % 90 * 3.7 + 12.9, 2),
        4.9,
        source.choice(wording.BUYERS),
    ]


def tiktok_orders(
    source: random.Random, rows: int, *, shop: Shop, period: Period, described: bool = True, bad_rows: bool = False
) -> SheetContent:
    """TikTok Shop orders as CSV: ids and times end in a tab; ``described`` puts a row of prose under the header."""
    content = SheetContent(list(TIKTOK_HEADER), below_header=[list(TIKTOK_DESCRIPTION)] if described else [])
    end = "\t"
    for number in range(rows):
        row = _tiktok_row(source, number, rows, shop, period, end)
        bad = {5: 7, 9: 11, 13: 13}.get(number) if bad_rows else None
        if bad == 7:
            content.add_bad([*row[:7], "two", *row[8:]], TIKTOK_HEADER[7], Reason.INVALID_INTEGER)
        elif bad == 11:
            content.add_bad(
                [*row[:11], f"31/02/{period.first.year} 10:00:00{end}", row[12]], "Created Time", Reason.INVALID_DATE
            )
        elif bad == 13:
            content.add_bad([*row, "an unquoted", "comma"], "", Reason.WRONG_COLUMN_COUNT)
        else:
            content.add_good(row, (shop.shop_id, str(row[0]).strip(), str(row[4]), "1"))
    return content


def _tiktok_row(source: random.Random, number: int, rows: int, shop: Shop, period: Period, end: str) -> Row:
    ordered = _moment(period, number / rows)
    good = source.randrange(1, 700)
    price = _price(good, shop)
    quantity = source.choice((1, 1, 1, 2))
    subtotal = round(price * quantity * 0.9, 2)
    paid = f"{ordered + timedelta(minutes=4):%d/%m/%Y %H:%M:%S}{end}"
    return [
        order_number(shop, ordered, number) + end,
        ("Completed", "Shipped", "To ship", "Canceled")[number % 11 % 4],
        ("Completed", "In transit", "Awaiting shipment", "Canceled")[number % 11 % 4],
        f"17294{good:013d}{end}",
        wording.sku(good),
        wording.product_name(source, shop.region),
        wording.VARIATIONS[good % len(wording.VARIATIONS)],
        quantity,
        price,
        subtotal,
        subtotal,
        f"{ordered:%d/%m/%Y %H:%M:%S}{end}",
        paid if number % 13 else "",
    ]


def shopify_orders(source: random.Random, rows: int, *, shop: Shop, period: Period) -> SheetContent:
    """Shopify's orders_export: an order over several lines, its own columns on the first line only."""
    content = SheetContent(list(SHOPIFY_HEADER))
    number = (period.first.toordinal() - 739_000) * 1000
    while len(content.rows) < rows:
        number += 1
        created = _moment(period, min(len(content.rows) / rows, 0.999))
        goods = source.sample(range(1, 700), source.choice((1, 1, 1, 2, 3)))
        lines = [(good, source.choice((1, 1, 2)), round(wording.GOODS[good % 14][2], 2)) for good in goods]
        subtotal = round(sum(quantity * price for _, quantity, price in lines), 2)
        name, stamp = f"#{number}", f"{created:%Y-%m-%d %H:%M:%S} -0500"
        order: Row = ["paid", stamp, "fulfilled" if number % 4 else "unfulfilled", shop.currency, subtotal, 4.9, 1.2]
        order += [round(subtotal + 6.1, 2), stamp]
        for index, (good, quantity, price) in enumerate(lines):
            own: Row = order if index == 0 else [None] * len(order)
            title = wording.GOODS[good % len(wording.GOODS)][1]
            row: Row = [name, f"buyer{number}@example.com", *own, quantity, title, price, wording.sku(good)]
            content.add_good(row, (shop.shop_id, name, wording.sku(good), "1"))
        content.add_sum("Total", subtotal + 6.1)
    return content


def _moment(period: Period, share: float) -> datetime:
    start = datetime.combine(period.first, time())
    return start + timedelta(seconds=int(share * (period.days * 86_400 - 3_600)))


def _price(good: int, shop: Shop) -> float:
    return round(wording.GOODS[good % len(wording.GOODS)][2] * 5 / CNY_PER_UNIT[shop.currency], 2)
