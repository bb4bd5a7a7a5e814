"""Header set I, finance: Amazon's settlement flat file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from datasync.reasons import Reason
from datasync.samples import wording
from datasync.samples.content import Row, SheetContent
from datasync.samples.truth import Period, Shop

AMAZON_HEADER = (
    "settlement-id",
    "transaction-type",
    "order-id",
    "sku",
    "amount-type",
    "amount-description",
    "amount",
    "posted-date",
    "quantity-purchased",
)
_AMOUNTS = (
    ("ItemPrice", "Principal", 1.0),
    ("ItemPrice", "Tax", 0.08),
    ("ItemFees", "Commission", -0.15),
    ("ItemFees", "FBAPerUnitFulfillmentFee", -0.22),
)


def amazon_settlement(
    source: random.Random,
    rows: int,
    *,
    shop: Shop,
    period: Period,
    header: Sequence[str] = AMAZON_HEADER,
    bad_rows: bool = False,
) -> SheetContent:
    """Four entries for each order and SKU: its price, tax and fees."""
    content = SheetContent(list(header), sheet="settlement")
    settlement = f"{19_000_000_000 + period.first.toordinal()}"
    number = 0
    while len(content.rows) < rows:
        number += 1
        order = f"{111 + number % 3}-{number * 7919 % 10**7:07d}-{number:07d}"
        good = source.randrange(1, 500)
        price = wording.GOODS[good % len(wording.GOODS)][2]
        posted = period.first + timedelta(days=number % period.days)
        kind = "Order" if number % 20 else "Refund"
        for amount_type, description, share in _AMOUNTS[: rows - len(content.rows)]:
            amount = round(price * share * (1 if kind == "Order" else -1), 2)
            row: Row = [settlement, kind, order, wording.sku(good), amount_type, description, amount]
            row += [posted.isoformat(), 1 if description == "Principal" else ""]
            if bad_rows and number == 3 and description == "Tax":
                row[6] = "12,3x"
                content.add_bad(row, str(header[6]), Reason.INVALID_NUMBER)
            else:
                content.add_good(row, (shop.shop_id, settlement, kind, order, str(row[3]), amount_type, description))
    return content
