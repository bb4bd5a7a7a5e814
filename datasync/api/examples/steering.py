"""The examples of cancelling and retrying."""

from __future__ import annotations

from typing import Any

from datasync.api.examples import sync

CANCELLED: dict[str, Any] = {
    "task_id": sync.BATCH["task_id"],
    "celery_task_id": sync.BATCH["celery_task_id"],
    "status": "cancelling",
    "stopped": {"files": 3, "file_ids": [19, 20, 21]},
    "finished": {"files": 1, "file_ids": [17]},
    "stopping": {"files": 1, "file_ids": [18]},
}
RETRIED: dict[str, Any] = sync.BATCH | {
    "task_id": "batch_4e5f6a7b",
    "celery_task_id": "8c1e7d40-2a9b-4c55-9a0e-4e5f6a7b8c9d",
    "total_files": 1,
    "retry_of": sync.BATCH["task_id"],
    "busy_file_ids": [18],
}
