"""Files, headers and quarantined rows for the tests that look at them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from datasync.choices import ItemState, QuarantineState, TaskKind, TaskState
from datasync.models import (
    CatalogFile,
    HeaderSet,
    Platform,
    QuarantinedRow,
    Shop,
    SyncProgressTask,
    SyncTaskFile,
)

HEADERS = ["Order ID", "Amount", "Note"]


def make_file(name: str = "orders.csv", **values: Any) -> CatalogFile:
    """A catalogued file of a Shopee shop."""
    platform, _ = Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    shop, _ = Shop.objects.get_or_create(platform=platform, shop_id="sg1", defaults={"name": "Singapore 1"})
    described = {"platform": platform, "source_platform": platform, "shop": shop, "domain": "orders"}
    described |= {"granularity": "daily", "size": 10, "modified_at": timezone.now(), "sha256": "a" * 64}
    described |= {"content_sha256": "b" * 64, "root": "inbox", "storage_name": name, "original_name": name}
    return CatalogFile.objects.create(**{**described, **values})


def make_task(
    *files: CatalogFile, task_id: str = "batch_1", state: TaskState = TaskState.COMPLETED, **values: Any
) -> SyncProgressTask:
    """A task over the files, each of them synced."""
    task = SyncProgressTask.objects.create(
        task_id=task_id, celery_task_id=task_id, kind=TaskKind.BATCH, state=state, total_files=len(files), **values
    )
    for position, file in enumerate(files):
        SyncTaskFile.objects.create(
            task=task, file=file, position=position, state=ItemState.COMPLETED, file_sha256=file.content_sha256
        )
    return task


def make_row(file: CatalogFile, sheet_row: int, *cells: str | None, **values: Any) -> QuarantinedRow:
    """A quarantined row with one reason, under ``HEADERS`` unless told otherwise."""
    headers = values.pop("headers", HEADERS)
    header_set, _ = HeaderSet.objects.get_or_create(digest="|".join(headers), defaults={"headers": headers})
    code = values.pop("code", "INVALID_NUMBER")
    reason = {"header": headers[1], "code": code, "value": str(cells[1])}
    settled = {"domain": "orders", "state": QuarantineState.OPEN, "created_at": timezone.now(), "reasons": [reason]}
    return QuarantinedRow.objects.create(
        file=file, header_set=header_set, sheet_row=sheet_row, values=list(cells), **{**settled, **values}
    )
