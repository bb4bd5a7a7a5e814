"""Examples of what is deleted."""

from __future__ import annotations

from typing import Any

from datasync.api.examples.sync import FILE

IMPACT: dict[str, Any] = {
    "file_id": 17,
    "file_name": FILE["original_name"],
    "status": "partial",
    "rows": 450,
    "handed_over": 45,
    "handed_over_to": [{"file_id": 18, "file_name": "shopee_orders_daily_20260307_051650.xlsx", "rows": 45}],
    "rows_of_older_exports": 30,
    "by_scope": [
        {
            "in_sight": True,
            "domain": "orders",
            "platform": "shopee",
            "shop_id": "sg-2",
            "shop_name": "Shopee新加坡2店",
            "granularity": "daily",
            "period_start": "2026-03-05",
            "period_end": "2026-03-05",
            "rows": 450,
            "rows_of_older_exports": 30,
        }
    ],
    "quarantined": {"undecided": 3, "decided": 1},
    "confirmations": 45,
    "removes_bytes": False,
}
BATCH_IMPACT: dict[str, Any] = {
    "files": [IMPACT],
    "missing_file_ids": [19],
    "rows": 450,
    "handed_over": 45,
    "rows_of_older_exports": 30,
}
DELETED: dict[str, Any] = {
    "files": [17],
    "missing_file_ids": [],
    "busy_file_ids": [],
    "rows": "delete",
    "dry_run": False,
    "finished": True,
    "removed_rows": 405,
    "handed_over_rows": 45,
}
BACKGROUND: dict[str, Any] = DELETED | {"finished": False, "removed_rows": 0, "handed_over_rows": 0}
