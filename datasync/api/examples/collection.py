"""The examples of accounts and component versions."""

from __future__ import annotations

from typing import Any

_LAST = "2026-03-06T04:55:10Z"
ACCOUNT: dict[str, Any] = {
    "id": 4,
    "platform": "shopee",
    "account": "shopee-main",
    "state": "active",
    "shops": [{"shop_id": "sg-2", "name": "Shopee新加坡2店", "region": "SG"}],
    "last_collected_at": _LAST,
    "note": "",
}
_FIGURES: dict[str, Any] = {
    "accounts": 6,
    "by_state": {"active": 4, "paused": 1, "blocked": 1},
    "never_collected": 0,
    "stale": 1,
    "without_shops": 0,
    "last_collected_at": _LAST,
}
STATS: dict[str, Any] = {**_FIGURES, "stale_hours": 24, "platforms": [{**_FIGURES, "platform": "shopee"}]}
VERSION: dict[str, Any] = {
    "id": 9,
    "component": "shopee-collector",
    "version": "2.4.1",
    "platform": "shopee",
    "state": "released",
    "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "released_at": "2026-03-01T08:00:00Z",
    "note": "",
}
