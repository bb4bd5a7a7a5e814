"""The examples of the API's document: one shop, one export, one task, seen from every call."""

from __future__ import annotations

from typing import Any

_SINGLE_ID = "single_file_17_0a1b2c3d"
_CELERY_ID = "3f0d8a52-6f0e-4f0e-9d3b-0a1b2c3d4e5f"
_ROWS = {
    "read": 500, "inserted": 420, "updated": 30, "unchanged": 45, "stale": 0, "quarantined": 4, "totals": 1,
    "duplicates": 0,
}  # fmt: skip

SINGLE: dict[str, Any] = {
    "task_id": _SINGLE_ID,
    "celery_task_id": _CELERY_ID,
    "status": "queued",
    "total_files": 1,
    "processed_files": 0,
    "fallback": False,
    "message": "",
}
BATCH: dict[str, Any] = SINGLE | {"task_id": "batch_0a1b2c3d", "total_files": 42}
BY_IDS: dict[str, Any] = BATCH | {"total_files": 1, "missing_file_ids": [19], "busy_file_ids": [18]}

_MATCH = {
    "outcome": "noted",
    "template": "shopee/miaoshou/orders/daily v1",
    "score": 0.98,
    "binding": {"0": 0, "1": 1, "2": 2},
}
FILE: dict[str, Any] = {
    "id": 17,
    "original_name": "shopee_orders_daily_20260306_131650.xlsx",
    "storage_name": "shopee/shopee_orders_daily_20260306_131650.xlsx",
    "size": 183204,
    "sha256": "9b1c0f6f3c1f4a7e8d2b5a6c7e8f90123456789abcdef0123456789abcdef012",
    "format": "xlsx",
    "platform": "shopee",
    "source_platform": "miaoshou",
    "shop": {"shop_id": "sg-2", "name": "Shopee新加坡2店", "region": "SG", "currency": "SGD"},
    "account": "collector-01",
    "domain": "orders",
    "sub_domain": "",
    "granularity": "daily",
    "period_start": "2026-03-05",
    "period_end": "2026-03-05",
    "collected_at": "2026-03-06T05:16:50Z",
    "template": "shopee/miaoshou/orders/daily v1",
    "template_status": "matched",
    "status": "partial",
    "status_label": "ingested in part",
    "rows": _ROWS,
    "last_error": None,
    "first_seen_at": "2026-03-06T05:17:02Z",
    "modified_at": "2026-03-06T05:16:51Z",
    "synced_at": "2026-03-06T05:18:40Z",
}
FILE_DETAIL: dict[str, Any] = FILE | {
    "encoding": "",
    "sheet": "orders",
    "header_row": 1,
    "header": ["订单编号", "订单状态", "下单时间"],
    "template_match": _MATCH,
    "suggested_mapping": None,
    "description_sources": {"platform": "name", "domain": "name", "shop_id": "side_file"},
    "profiled_rows": 500,
}
UPLOADED: dict[str, Any] = {"name": FILE["original_name"], "file": FILE_DETAIL, "error": None}
_NOTHING_MORE: dict[str, Any] = {
    "waits_for": {"code": "NOTHING", "message": "Nothing: it is finished.", "at": None},
    "last": {"code": "FINISHED", "message": "It was finished.", "at": "2026-03-06T05:18:40Z"},
    "next": {
        "code": "REVIEW",
        "message": "Rows were put into quarantine: 4. Correct and release them, or discard them.",
        "at": None,
    },
}
_IN_WORK: dict[str, Any] = {
    "waits_for": {"code": "IN_WORK", "message": "Its files in work: 1; behind them wait 24.", "at": None},
    "last": {"code": "FILE_DONE", "message": "One of its files was finished.", "at": "2026-03-06T05:18:40Z"},
    "next": {"code": "FINISHES", "message": "It goes on until it is finished or its time limit is over.", "at": None},
}
_FILES = {"total": 42, "processed": 17, "succeeded": 16, "failed": 1, "skipped": 0}
PROGRESS: dict[str, Any] = {
    "task_id": "batch_0a1b2c3d",
    "celery_task_id": _CELERY_ID,
    "type": "batch",
    "status": "processing",
    "message": "",
    "priority": 5,
    "files": _FILES,
    "rows": _ROWS,
    "current_file": FILE["original_name"],
    "current_files": [{"file_id": 17, "file": FILE["original_name"], "rows_read": 300, "rows_expected": 500}],
    "file_progress": 40.5,
    "row_progress": 43.1,
    "rows_per_second": 21000.0,
    "eta_seconds": 3.4,
    "errors": [
        {
            "file_id": 21,
            "file": "orders.xlsx",
            "code": "ENCRYPTED",
            "message": "The workbook is protected by a password.",
            "recovery": "Open it, save it without a password, and upload that.",
        }
    ],
    "warnings": [],
    "quality_check": {},
    "waiting": _IN_WORK,
    "results": [
        {
            "file_id": 17,
            "file": FILE["original_name"],
            "status": "partial",
            "attempt": 1,
            "rows": _ROWS,
            "error": None,
            "warnings": [],
            "waiting": _NOTHING_MORE,
            "started_at": "2026-03-06T05:18:39Z",
            "finished_at": "2026-03-06T05:18:40Z",
            "duration_ms": 640,
        }
    ],
    "created_at": "2026-03-06T05:18:30Z",
    "deadline_at": "2026-03-06T05:48:30Z",
    "started_at": "2026-03-06T05:18:31Z",
    "finished_at": None,
}
TASK: dict[str, Any] = {
    "task_id": "batch_0a1b2c3d",
    "celery_task_id": _CELERY_ID,
    "type": "batch",
    "status": "completed",
    "status_label": "completed",
    "owner": "li.na",
    "priority": 5,
    "total_files": 42,
    "processed_files": 42,
    "succeeded_files": 42,
    "failed_files": 0,
    "skipped_files": 0,
    **{f"rows_{name}": count for name, count in _ROWS.items() if name not in {"totals", "duplicates"}},
    "rows_per_second": 21000.0,
    "message": "",
    "created_at": "2026-03-06T05:18:30Z",
    "started_at": "2026-03-06T05:18:31Z",
    "finished_at": "2026-03-06T05:18:40Z",
}
CELERY_STATUS: dict[str, Any] = {
    "state": "SUCCESS",
    "ready": True,
    "successful": True,
    "result": {"task_id": "batch_0a1b2c3d", "status": "completed", "files": _FILES, "rows": _ROWS},
    "error": None,
    "progress": {"file_progress": 100.0, "row_progress": 100.0},
}
REFRESHED: dict[str, Any] = {
    "new": 3, "changed": 1, "unchanged": 58, "renamed": 0, "returned": 0, "duplicates": 0, "growing": 1, "busy": 0,
    "deleted": 0, "missing": 0, "refused": 1, "failed": 0, "needs_description": 1,
    "errors": [{"name": "shopee/link.xlsx", "reason": "symbolic link"}],
}  # fmt: skip
PREVIEW: dict[str, Any] = {
    "file_id": 17,
    "file_name": FILE["original_name"],
    "format": "xlsx",
    "encoding": "",
    "delimiter": "",
    "sheet": "orders",
    "sheets": ["orders"],
    "header_row": 1,
    "detected_header_row": 1,
    "headers": ["订单编号", "订单状态", "下单时间"],
    "rows": [["260306DRVKC6W4", "已完成", "2026-03-06 13:16:50"]],
    "first_row_number": 3,
    "template_id": 4,
    "template_match": _MATCH,
    "differences": {
        "added": ["备注"],
        "missing": [],
        "missing_required": [],
        "renamed": [["已付款", "已确认"]],
        "likely_renamed": [],
        "moved": [],
        "currency_changes": [],
        "contradictions": [],
    },
    "suggested_mapping": None,
}
