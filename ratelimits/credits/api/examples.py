"""The examples of the API's document: a grant of a thousand credits, and what a sync of 183 rows took of them."""

from __future__ import annotations

from typing import Any

BALANCE: dict[str, Any] = {
    "balance": 817,
    "required": True,
    "ends": [{"amount": 817, "expires_at": "2026-12-31T16:00:00Z"}],
}
GRANTED: dict[str, Any] = {
    "id": 41,
    "at": "2026-03-01T08:00:00Z",
    "kind": "grant",
    "amount": 1000,
    "uncovered": 0,
    "balance_after": 1000,
    "key": "grant:2026-03/li.na",
    "task_id": None,
    "note": "March",
    "by": "zhang.wei",
    "expires_at": "2026-12-31T16:00:00Z",
}
USED: dict[str, Any] = GRANTED | {
    "id": 57,
    "at": "2026-03-06T05:18:33Z",
    "kind": "consume",
    "amount": -183,
    "balance_after": 817,
    "key": "task:batch_0a1b2c3d",
    "task_id": "batch_0a1b2c3d",
    "note": "",
    "by": "",
}
GRANT_REQUEST: dict[str, Any] = {
    "amount": 1000, "key": "2026-03/li.na", "note": "March", "expires_at": "2026-12-31T16:00:00Z",
}  # fmt: skip
