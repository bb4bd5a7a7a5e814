"""Examples of the quarantine's answers."""

from __future__ import annotations

from typing import Any

REASON = {"header": "Deal Price", "code": "INVALID_NUMBER", "value": "12,5O"}
ROW: dict[str, Any] = {
    "id": 311,
    "file_id": 17,
    "file": "shopee_orders_daily_20260306_131650.xlsx",
    "task_id": "single_file_17_0a1b2c3d",
    "platform": "shopee",
    "shop_id": "sg-2",
    "domain": "orders",
    "sheet_row": 42,
    "state": "corrected",
    "reasons": [REASON],
    "created_at": "2026-03-06T05:16:50Z",
    "decided_at": None,
}
DETAIL = ROW | {
    "template_id": 3,
    "cells": [
        {"column": "#1", "header": "Order ID", "value": "260306DRVKC6W4", "is_corrected": False, "corrected": None},
        {"column": "#2", "header": "Deal Price", "value": "12,5O", "is_corrected": True, "corrected": "12.50"},
    ],
    "record_key": None,
    "outcome": "",
    "note": "",
    "decided_by": None,
    "history": [
        {
            "at": "2026-03-06T05:20:00Z",
            "actor": "ana",
            "action": "rows_corrected",
            "note": "",
            "changes": [{"column": 2, "header": "Deal Price", "from": "12,5O", "to": "12.50"}],
        }
    ],
}
CORRECTED = {"row": DETAIL, "changed": 1, "reasons": [], "hindrance": None}
_REACHED: dict[str, Any] = {
    "dry_run": False,
    "already_decided": 0,
    "missing_ids": [],
    "busy_file_ids": [],
    "refused_files": [],
}
RELEASED = _REACHED | {
    "released": 2,
    "outcomes": {"inserted": 1, "updated": 1, "unchanged": 0, "stale": 0, "duplicates": 0},
    "rejected": 1,
    "kept": [{"id": 312, "file_id": 17, "sheet_row": 43, "reasons": [REASON]}],
}
DISCARDED = _REACHED | {"discarded": 2}
CORRECTED_ROWS = _REACHED | {"corrected": 120, "unchanged": 0, "skipped": 3}
IMPORTED = {
    "dry_run": False,
    "counts": {
        "corrected": 1, "unchanged": 40, "decided": 0, "unknown_id": 0, "mismatch": 0, "repeated": 0, "busy": 0,
        "replaced": 0, "unreadable": 0,
    },
    "refused": 0,
    "rows": [{"sheet": "Sheet1", "row": 2, "id": 311, "outcome": "corrected", "columns": ["Deal Price"]}],
    "ignored_sheets": [],
    "unknown_columns": {"Sheet1": ["Remark"]},
}  # fmt: skip
FIGURES = {
    "total": 2,
    "oldest": "2026-03-06T05:16:50Z",
    "states": {"open": 1, "corrected": 1, "released": 0, "discarded": 0},
    "domains": {"orders": 2},
    "reasons": {"INVALID_NUMBER": 2},
    "platforms": {"shopee": 2},
    "shops": [{"platform": "shopee", "shop_id": "sg-2", "name": "Singapore 2", "rows": 2}],
    "files": [{"file_id": 17, "file": "shopee_orders_daily_20260306_131650.xlsx", "rows": 2}],
}
FILE = {
    "file_id": 17,
    "file": "shopee_orders_daily_20260306_131650.xlsx",
    "rows": 2,
    "file_state": "partial",
    "oldest": "2026-03-06T05:16:50Z",
    "states": {"open": 1, "corrected": 1, "released": 0, "discarded": 0},
    "reasons": {"INVALID_NUMBER": 2},
}
