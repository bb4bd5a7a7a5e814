"""The examples of the calls for facts."""

from __future__ import annotations

from typing import Any

from datasync.facts.columns import columns_of

_SAID: dict[str, Any] = {
    "record_key": "5f0c2a1e-9d3b-4c6f-8a0e-1b3d5f7a9c2e",
    "platform": "shopee",
    "shop": "sg-2",
    "shop_name": "Shopee新加坡2店",
    "sub_domain": "",
    "granularity": "daily",
    "period_start": "2026-03-05",
    "period_end": "2026-03-05",
    "currency": "SGD",
    "line_ordinal": 1,
    "order_id": "260306DRVKC6W4",
    "sku": "A-001",
    "product_name": "Cotton socks",
    "order_status": "Completed",
    "ordered_at": "2026-03-06T05:16:50Z",
    "quantity": 2,
    "unit_price": "9.9000",
    "order_amount": "19.8000",
    "sales_margin": "0.125000",
    "collected_at": "2026-03-06T05:16:50Z",
    "file_first_id": 16,
    "first_sheet_row": 7,
    "file_last_id": 17,
    "sheet_row": 12,
    "created_at": "2026-03-05T05:18:40.120000Z",
    "updated_at": "2026-03-06T05:18:40.120000Z",
}
FACT: dict[str, Any] = dict.fromkeys(columns_of("orders")) | _SAID
FACT_DETAIL: dict[str, Any] = {
    "fact": FACT,
    "raw": {"Order ID": "260306DRVKC6W4", "SKU Reference No.": "A-001", "Deal Price": "9.90", "column 4": ""},
    "lineage": {
        "first": {
            "id": 16, "name": "shopee_orders_daily_20260305_131650.xlsx", "status": "deleted",
            "collected_at": "2026-03-05T05:16:50Z", "sheet_row": 7, "content_changed": False,
        },
        "last": {
            "id": 17, "name": "shopee_orders_daily_20260306_131650.xlsx", "status": "ingested",
            "collected_at": "2026-03-06T05:16:50Z", "sheet_row": 12, "content_changed": False,
        },
        "released_from": {
            "id": 93, "file_id": 16, "sheet_row": 7, "outcome": "inserted", "decided_by": "ana",
            "decided_at": "2026-03-05T06:02:11Z",
        },
        "confirmed_by": [
            {"file_id": 18, "name": "shopee_orders_daily_20260307_131650.xlsx", "collected_at": "2026-03-07T05:16:50Z"}
        ],
    },
}  # fmt: skip
