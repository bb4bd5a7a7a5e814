"""The examples of the API's document."""

from __future__ import annotations

from typing import Any

STANDING: dict[str, Any] = {
    "backend": "redis",
    "available": True,
    "shared": True,
    "kinds": [
        {
            "kind": "collection_accounts",
            "ttl_seconds": 300,
            "tags": ["accounts", "shops", "platforms"],
            "hits": 1840,
            "misses": 31,
            "shared": 12,
            "bypassed": 7,
            "errors": 0,
            "hit_percent": 98.4,
            "asked_at": "2026-03-06T05:16:48Z",
        }
    ],
    "tags": [{"tag": "accounts", "invalidations": 4}],
}
CLEARED: dict[str, Any] = {"tag": "accounts"}
