"""The examples of the calls about lost rows."""

from __future__ import annotations

from typing import Any

_FLOW: dict[str, Any] = {
    "files": 1,
    "rows": {
        "read": 500, "inserted": 400, "updated": 20, "unchanged": 40, "stale": 0, "quarantined": 39, "totals": 1,
        "duplicates": 0,
    },
    "quarantine": {"open": 30, "corrected": 5, "discarded": 4, "judged_again": 0},
    "released": 10,
    "balanced": True,
    "lost": 39,
    "lost_percent": 7.8,
    "undecided": 35,
    "undecided_percent": 7.0,
}  # fmt: skip
_FILE = {"file_id": 17, "file": "shopee_orders_daily_20260306_131650.xlsx", "domain": "orders"}

ANALYSIS: dict[str, Any] = {"flow": _FLOW, "parts": [{**_FILE, **_FLOW}]}
ALERTS: dict[str, Any] = {
    "threshold": 5.0,
    "above": {"task": 1, "file": 1, "domain": 0},
    "alerts": [
        {
            "subject": "task",
            "task_id": "batch_0a1b2c3d",
            "file_id": None,
            "file": None,
            "domain": None,
            "synced_at": "2026-03-06T05:18:40Z",
            "recovery_suggestion": "Correct the quarantined rows and release them, or discard them with a reason.",
            **_FLOW,
        }
    ],
}
