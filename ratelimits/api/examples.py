"""The examples of the API's document: a program that asks too often, and the rule that refuses it."""

from __future__ import annotations

from typing import Any

RULE: dict[str, Any] = {
    "id": 4,
    "tier": "operator",
    "scope": "data_sync",
    "endpoint": "",
    "per_minute": 50,
    "enabled": True,
    "note": "",
}
NEW_RULE: dict[str, Any] = {"tier": "operator", "scope": "data_sync", "endpoint": "sync-single", "per_minute": 20}
CHANGED_RULE: dict[str, Any] = {"per_minute": 80, "note": "Month end"}
_CALLER = {"key": "user:3", "user_id": 3, "username": "li.na", "refused": 240}
STATS: dict[str, Any] = {
    "date": "2026-03-06",
    "refused": 252,
    "callers": 2,
    "paths": 1,
    "by_key": [_CALLER, {"key": "ip:203.0.113.9", "user_id": None, "username": None, "refused": 12}],
    "by_path": [{"path": "/api/data-sync/files", "refused": 252}],
    "days": [{"date": "2026-03-05", "refused": 7}, {"date": "2026-03-06", "refused": 252}],
}
CLEARED: dict[str, Any] = {"date": "2026-03-06", "cleared": 2}
EVENT: dict[str, Any] = {
    "id": 17,
    "at": "2026-03-06T05:16:00Z",
    "last_at": "2026-03-06T05:16:49Z",
    "times": 40,
    "key": "user:3",
    "user_id": 3,
    "username": "li.na",
    "address": "203.0.113.9",
    "method": "GET",
    "path": "/api/data-sync/files",
    "scope": "default",
    "tier": "operator",
    "detail": "100/m",
    "agent": "collector/2.1",
}
ANOMALY: dict[str, Any] = _CALLER | {
    "level": "critical",
    "paths": 1,
    "first_at": "2026-03-06T04:40:00Z",
    "last_at": "2026-03-06T05:16:49Z",
}
MINE: dict[str, Any] = {
    "key": "user:3",
    "tier": "operator",
    "limits": [
        {
            "scope": "default",
            "tier": "operator",
            "limit": 100,
            "window_seconds": 60,
            "remaining": 97,
            "reset_at": "2026-03-06T05:17:12Z",
        }
    ],
}
