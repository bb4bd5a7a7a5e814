"""Examples of remaps."""

from __future__ import annotations

from typing import Any

from datasync.api.examples.sync import SINGLE

STARTED: dict[str, Any] = SINGLE | {
    "task_id": "remap_4_0a1b2c3d",
    "total_files": 42,
    "busy_file_ids": [18],
    "preview": None,
}
NOTHING: dict[str, Any] = {
    "task_id": None,
    "celery_task_id": None,
    "status": None,
    "total_files": 0,
    "processed_files": 0,
    "fallback": False,
    "message": "",
    "busy_file_ids": [],
    "preview": None,
}
PREVIEW: dict[str, Any] = NOTHING | {
    "total_files": 43,
    "busy_file_ids": [18],
    "preview": {
        "template_id": 4,
        "template": "shopee/miaoshou/orders/daily v2",
        "files": 43,
        "rows": 180400,
        "busy_file_ids": [18],
        "rows_sampled": 20000,
        "updated": 19994,
        "unchanged": 0,
        "merged": 2,
        "quarantined": 4,
        "quarantined_by_reason": {"INVALID_DATE": 4},
        "refused_files": [],
        "samples": [
            {
                "sheet_row": 3,
                "identity": {"order_id": "260306DRVKC6W4", "sku": "SKU-1", "line_ordinal": 1},
                "differences": [
                    {
                        "field": "ordered_at",
                        "header": "下单时间",
                        "stored": "2026-12-03T05:16:50Z",
                        "new": "2026-03-12T05:16:50Z",
                    }
                ],
            }
        ],
    },
}
