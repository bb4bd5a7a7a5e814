"""Examples of what is known of a file's content."""

from __future__ import annotations

from typing import Any

from datasync.api.examples.sync import FILE, FILE_DETAIL

DESCRIBED: dict[str, Any] = FILE_DETAIL | {
    "status": "pending",
    "stored_rows": {"rows": 450, "delete_impact": "/api/data-sync/files/17/delete-impact"},
}
PROFILE: dict[str, Any] = {
    "file_id": 17,
    "file_name": FILE["original_name"],
    "header_row": 1,
    "profiled_rows": 500,
    "columns": [
        {
            "header": "Quantity",
            "type": "integer",
            "empty": 0.4,
            "distinct": 7,
            "min": 1,
            "max": 12,
            "examples": ["1", "2", "12"],
        }
    ],
}
