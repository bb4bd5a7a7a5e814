"""Examples of archives."""

from __future__ import annotations

from typing import Any

QUEUED: dict[str, Any] = {
    "id": 5,
    "what": "cleaned",
    "status": "queued",
    "status_label": "queued",
    "files": 2,
    "progress": 0.0,
    "size": None,
    "error": None,
    "created_at": "2026-03-06T05:20:00Z",
    "finished_at": None,
    "expires_at": None,
    "download_url": None,
}
REQUESTED: dict[str, Any] = QUEUED | {"missing_file_ids": [19]}
READY: dict[str, Any] = QUEUED | {
    "status": "ready",
    "status_label": "ready",
    "progress": 100.0,
    "size": 48213,
    "finished_at": "2026-03-06T05:20:04Z",
    "expires_at": "2026-03-07T05:20:04Z",
    "download_url": "/api/data-sync/exports/5/download?token=WzUsImEuemlwIl0%3A1vyABC%3A0a1b2c3d",
}
