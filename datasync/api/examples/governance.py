"""The examples of the figures."""

from __future__ import annotations

from typing import Any

_BY_STATUS = {"ingested": 1180, "pending": 14, "template_update_required": 6}
PLATFORM: dict[str, Any] = {"code": "shopee", "name": "Shopee", "files": 1200, "by_status": _BY_STATUS}
STATS: dict[str, Any] = {
    "files": 1200,
    "by_status": _BY_STATUS,
    "by_domain": {"orders": 700, "products": 500},
    "by_platform": {"shopee": 1200},
    "described_files": 1200,
    "covered_files": 1188,
    "template_coverage": 99.0,
    "families": {"missing": 1, "needs_update": 1, "covered": 6},
    "quarantine_open": 42,
    "oldest_pending": {
        "file_id": 17,
        "name": "shopee_orders_daily_20260306_131650.xlsx",
        "first_seen_at": "2026-03-06T05:17:02Z",
    },
}
FAMILY: dict[str, Any] = {
    "family": "shopee/shopee/orders/daily",
    "platform": "shopee",
    "source_platform": "shopee",
    "domain": "orders",
    "sub_domain": "",
    "granularity": "daily",
    "status": "needs_update",
    "files": 700,
    "covered": 694,
    "blocked": 6,
    "unmatched": 0,
    "drifted": 20,
    "variants": 1,
    "newest_template": {
        "template_id": 3,
        "name": "shopee/shopee/orders/daily v1 (default)",
        "version": 1,
        "published_at": "2026-03-01T08:00:00Z",
    },
    "outdated_templates": [
        {"template_id": 3, "name": "shopee/shopee/orders/daily v1 (default)", "files": 20},
    ],
    "example_file_id": 17,
}
