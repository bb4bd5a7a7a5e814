"""The examples of the API's document: one operator with two tasks, and the limits that staff gave another."""

from __future__ import annotations

from typing import Any

_NO_LIMIT = {"limit": None, "source": "default", "tier": None}
_ACTIVE = [
    {"task_id": "batch_0a1b2c3d", "status": "processing", "created_at": "2026-03-06T05:18:30Z", "eta_seconds": 3.4},
    {
        "task_id": "single_file_17_0a1b2c3d",
        "status": "queued",
        "created_at": "2026-03-06T05:18:42Z",
        "eta_seconds": None,
    },
]
MINE: dict[str, Any] = {
    "max_active_tasks": {"limit": 10, "source": "default", "tier": None},
    "max_files_per_task": _NO_LIMIT,
    "max_rows_per_day": {"limit": 2_000_000, "source": "tier", "tier": "operator"},
    "active": 2,
    "active_tasks": _ACTIVE,
    "rows_today": 183_500,
    "eta_seconds": 3.4,
}
OWN: dict[str, Any] = {
    "user_id": 3,
    "username": "li.na",
    "max_active_tasks": 20,
    "max_files_per_task": None,
    "max_rows_per_day": None,
    "changed_at": "2026-03-01T08:00:00Z",
    "changed_by": "zhang.wei",
}
STANDING: dict[str, Any] = {
    "user_id": 3,
    "username": "li.na",
    "own": OWN,
    **MINE,
    "max_active_tasks": {"limit": 20, "source": "user", "tier": None},
}
CLEARED: dict[str, Any] = STANDING | {"own": None, "max_active_tasks": MINE["max_active_tasks"]}
