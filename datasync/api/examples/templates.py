"""The examples of the calls on templates: one family, its version in use and the draft of the next."""

from __future__ import annotations

from typing import Any

from datasync.api.examples import sync

_NAME = "shopee/shopee/orders/daily"
TEMPLATE: dict[str, Any] = {
    "id": 3,
    "name": f"{_NAME} v1 (default)",
    "platform": "shopee",
    "source_platform": "shopee",
    "domain": "orders",
    "sub_domain": "",
    "granularity": "daily",
    "variant": "default",
    "version": 1,
    "state": "published",
    "state_label": "published",
    "origin": "builtin",
    "header_row": 0,
    "number_format": "dot",
    "identity": ["order_id", "sku"],
    "column_count": 2,
    "notes": "",
    "created_at": "2026-03-01T08:00:00Z",
    "created_by": None,
    "published_at": "2026-03-01T08:00:00Z",
}
DRAFT: dict[str, Any] = TEMPLATE | {
    "id": 9,
    "name": f"{_NAME} v2 (default)",
    "version": 2,
    "state": "draft",
    "state_label": "draft",
    "origin": "operator",
    "created_by": "li.na",
    "created_at": "2026-03-06T05:16:50Z",
    "published_at": None,
}
_COLUMNS = [
    {
        "position": 0,
        "header": "Order ID",
        "field": "order_id",
        "kind": "identifier",
        "format": "",
        "required": True,
        "aliases": ["Order No."],
    },
    {
        "position": 1,
        "header": "SKU Reference No.",
        "field": "sku",
        "kind": "identifier",
        "format": "",
        "required": False,
        "aliases": [],
    },
]
_READING = {
    "header_rows": 1,
    "data_row": None,
    "sheet": "",
    "ordinal": True,
    "totals_on_every_line": False,
    "columns": _COLUMNS,
}
TEMPLATE_DETAIL: dict[str, Any] = TEMPLATE | _READING
DRAFT_DETAIL: dict[str, Any] = DRAFT | _READING
BODY: dict[str, Any] = {
    "platform": "shopee",
    "domain": "orders",
    "granularity": "daily",
    "identity": ["order_id", "sku"],
    "ordinal": True,
    "columns": [
        {"header": "Order ID", "field": "order_id", "required": True, "aliases": ["Order No."]},
        {"header": "SKU Reference No.", "field": "sku"},
    ],
}

PUBLICATION: dict[str, Any] = {
    "dry_run": True,
    "template": DRAFT,
    "archived": [TEMPLATE],
    "files": 12,
    "losing": 1,
    "deferred": 0,
}
ARCHIVAL: dict[str, Any] = {
    "dry_run": True,
    "template": TEMPLATE,
    "pending_files": 4,
    "rematched": 3,
    "deferred": 0,
    "other_variants": 1,
}
SUGGESTED: dict[str, Any] = {
    "file_id": 17,
    "suggested_mapping": sync.PREVIEW["suggested_mapping"],
    "hindrance": None,
    "template": None,
}
COMPARISON: dict[str, Any] = {
    "before": f"{_NAME} v1 (default)",
    "after": f"{_NAME} v2 (default)",
    "verdict": "noted",
    "outcome": "noted",
    "match_rate": 0.97,
    "same_values": False,
    "differences": {
        "added": ["Buyer note"],
        "missing": [],
        "missing_required": [],
        "renamed": [["Order ID", "Order No."]],
        "likely_renamed": [],
        "moved": [],
        "currency_changes": [],
        "contradictions": [],
    },
    "settings": [{"name": "header_row", "before": 0, "after": 1}],
    "columns": [{"header": "Order No.", "changes": [{"name": "required", "before": False, "after": True}]}],
}
IMPORTED: dict[str, Any] = {"name": f"{_NAME} v2 default", "action": "drafted", "template": DRAFT}
EXPORTED: dict[str, Any] = {
    "template_id": 3,
    "file_name": "shopee_shopee_orders_daily_default_v1.toml",
    "text": '[family]\nplatform = "shopee"\n…',
}
RECHECKED: dict[str, Any] = {
    "looked_at": 14,
    "pending": 12,
    "needs_description": 1,
    "still_waiting": 1,
    "gone": 0,
    "unread": 0,
    "deferred": 0,
    "files": [
        {
            "file_id": 17,
            "name": "shopee_orders_daily_20260306_131650.xlsx",
            "template_id": 9,
            "template": f"{_NAME} v2 default",
            "status": "pending",
        }
    ],
}
