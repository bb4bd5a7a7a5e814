"""Files of all kinds with rows that they wrote last, made in the database alone."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from datasync.models import CatalogFile, ConfirmedRows, Fact, OrderLine
from tests.admin_rows import make_fact
from tests.quarantine_rows import make_file


def file_with_rows(name: str, rows: int, *, model: type[Fact] = OrderLine, **values: Any) -> CatalogFile:
    """A synced file that wrote so many rows, in sheet rows 2 and below."""
    file = make_file(name, **{"state": "ingested", "rows": {"read": rows, "inserted": rows}, **values})
    for number in range(rows):
        make_fact(model, file, sheet_row=number + 2)
    return file


def confirm(file: CatalogFile, rows: int) -> ConfirmedRows:
    """Note that the file repeated so many rows of others."""
    return ConfirmedRows.objects.create(
        file=file,
        platform_id=str(file.platform_id),
        shop=file.shop,
        domain="orders",
        granularity="daily",
        collected_at=timezone.now(),
        keys=bytes(16 * rows),
    )
