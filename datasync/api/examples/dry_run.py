"""The example of a dry run: the export of the other examples, before it is synced."""

from __future__ import annotations

from typing import Any

_ROW = {
    "sheet_row": 7,
    "identity": {"order_id": "260306DRVKC6W4", "sku": "S-100-RED", "line_ordinal": 1},
    "values": {
        "order_id": "260306DRVKC6W4", "sku": "S-100-RED", "line_ordinal": 1, "order_status": "Shipped", "quantity": 2,
        "order_amount": "40.0000", "ordered_at": "2026-03-05T05:16:50Z", "period_start": "2026-03-05",
        "period_end": "2026-03-05", "currency": "SGD",
    },
}  # fmt: skip
_CHANGES = [{"field": "order_status", "header": "订单状态", "stored": "To ship", "new": "Shipped"}]
DRY_RUN: dict[str, Any] = {
    "file_id": 17,
    "file_name": "shopee_orders_daily_20260306_131650.xlsx",
    "status": "partial",
    "status_label": "ingested in part",
    "error": None,
    "rows": {
        "read": 500,
        "inserted": 420,
        "updated": 30,
        "unchanged": 45,
        "stale": 0,
        "quarantined": 4,
        "totals": 1,
        "duplicates": 0,
    },
    "rejected_by_reason": {"INVALID_NUMBER": 3, "REQUIRED_MISSING": 1},
    "warnings": [{"code": "COLUMNS_ADDED", "message": "New columns, kept with the original row: 备注"}],
    "template_id": 3,
    "period_start": "2026-03-05",
    "period_end": "2026-03-05",
    "headers": ["订单编号", "订单状态", "产品数量"],
    "samples": {
        "inserted": [],
        "updated": [_ROW | {"differences": _CHANGES}],
        "unchanged": [],
        "stale": [],
        "quarantined": [
            {
                "sheet_row": 12,
                "reasons": [{"header": "产品数量", "code": "INVALID_NUMBER", "value": "two"}],
                "cells": ["260306DRVKC6W9", "Shipped", "two"],
            }
        ],
    },
}
