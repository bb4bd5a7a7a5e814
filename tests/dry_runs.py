"""What the tests of dry runs share: the whole database at a moment, and a dry run held against the next sync."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from datasync.access import EVERYTHING
from datasync.catalog.dry_run import DryRun, dry_run
from datasync.exceptions import SyncError
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import CatalogFile, SyncTaskFile
from datasync.runs import services
from datasync.runs.turns import take_turn

Snapshot = dict[str, tuple[int, str]]


def snapshot() -> Snapshot:
    """Every table with its number of rows and a checksum of them."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {table: _checksum(cursor, table) for table in sorted(tables)}


def _checksum(cursor: CursorWrapper, table: str) -> tuple[int, str]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    rows = sorted(repr([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]) for row in cursor)
    return len(rows), hashlib.sha256("\n".join(rows).encode("utf-8", "backslashreplace")).hexdigest()


@dataclass
class Compared:
    """A dry run and the item of the sync that was run right after it; None where the sync was not even taken."""

    rehearsed: DryRun
    item: SyncTaskFile | None


def rehearse_and_sync(file: CatalogFile, **flags: Any) -> Compared:
    """Rehearse a file, sync it, and hold the two against each other."""
    before = snapshot()
    rehearsed = dry_run(file_id=file.pk, **flags, sight=EVERYTHING)
    assert snapshot() == before
    try:
        task = services.submit_single(file_id=file.pk, owner=None, **flags, sight=EVERYTHING)
    except SyncError as error:
        refused = (rehearsed.error or {}).get("params"), rehearsed.state
        if refused != (error.params, file.state):
            raise
        return Compared(rehearsed, None)
    take_turn()
    item = SyncTaskFile.objects.select_related("file").get(task=task)
    assert _said(rehearsed) == _done(item), (_said(rehearsed), _done(item))
    return Compared(rehearsed, item)


def _said(rehearsed: DryRun) -> dict[str, Any]:
    return {
        **rehearsed.counts.as_dict(),
        "state": rehearsed.state,
        "error": rehearsed.error or {},
        "warnings": len(rehearsed.warnings),
        "template": None if rehearsed.error else rehearsed.template_id,
    }


def _done(item: SyncTaskFile) -> dict[str, Any]:
    return {
        **{name: getattr(item, f"rows_{name}") for name in COUNT_NAMES},
        "state": item.file.state,
        "error": item.error,
        "warnings": len(item.warnings),
        "template": item.template_id,
    }
