"""A real worker takes up what a request left to it: rows of deleted files, and archives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from datasync.access import EVERYTHING
from datasync.catalog import removal
from datasync.catalog.deletion import delete_file
from datasync.choices import EXPORT_UNFINISHED, ExportKind, RowsFate
from datasync.exports import services
from datasync.models import ExportArchive, OrderLine
from tests.api import owner
from tests.quarantine_rows import make_file
from tests.services import wait_until
from tests.stored_files import file_with_rows
from tests.workers import Worker

__all__ = ["owner"]


def until_gone(rows: QuerySet[Any], what: str) -> None:
    """Wait until no row is left."""
    wait_until(lambda: not rows.all().exists(), seconds=60, what=what)


def test_a_worker_removes_rows_and_makes_archives(
    worker: Callable[..., Worker], owner: User, settings: Any, tmp_path: Path
) -> None:
    settings.DELETE_AT_ONCE_ROWS, settings.EXPORT_DIR = 0, tmp_path / "exports"
    file = file_with_rows("a.csv", 30)
    kept = make_file("b.csv")
    archive = services.request_export(
        file_ids=[kept.pk], what=ExportKind.CLEANED, owner=owner, sight=EVERYTHING
    ).archive
    assert not delete_file(file_id=file.pk, rows=RowsFate.DELETE, actor=None, sight=EVERYTHING).finished
    assert OrderLine.objects.count() == 30
    worker(environment={"EXPORT_DIR": str(tmp_path / "exports")})
    until_gone(OrderLine.objects.all(), "the rows to be removed")
    until_gone(removal.unfinished(), "the deletion to be noted as finished")
    until_gone(ExportArchive.objects.filter(state__in=EXPORT_UNFINISHED), "the archive to end")
    archive.refresh_from_db()
    assert archive.error["code"] == "NOTHING_TO_EXPORT"
