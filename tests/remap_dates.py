"""Statistics whose days were taken for months: correcting their template gives nearly every row another row's key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import FIRST_PARKED, CatalogFile, HeaderTemplate, SyncProgressTask, SyncTaskFile, TrafficMetric
from datasync.runs.remap import finish, parts
from datasync.runs.remap.services import start_remap
from datasync.runs.sweep import sweep
from tests.remap_support import corrected, day, synced, take_turn, template_of, with_column, write_traffic

RIGHT, WRONG = with_column("日期", format="%d/%m/%Y|%Y-%m-%d"), with_column("日期", format="%m/%d/%Y|%Y-%m-%d")
SWAPPED = [day("04/03/2026", views="1"), day("03/04/2026", views="2"), day("05/05/2026", views="3")]


def misread() -> HeaderTemplate:
    """Publish the template that takes days for months."""
    return corrected(template_of("analytics", granularity="monthly"), WRONG)


def month(inbox: Path, number: int, days: list[list[str]]) -> CatalogFile:
    """Sync the export with this number; a higher one was collected later."""
    return synced(write_traffic(inbox, days, name=f"2026040{number}_100000"))


def parked() -> list[int]:
    """Sheet rows of the facts that wait under a key that is none."""
    rows: QuerySet[TrafficMetric] = QuerySet(TrafficMetric).filter(record_key__gte=FIRST_PARKED)
    return list(rows.order_by("sheet_row").values_list("sheet_row", flat=True))


def one_row_done(monkeypatch: pytest.MonkeyPatch, template: HeaderTemplate) -> SyncProgressTask:
    """A remap of which a worker did the first row and died with the second in hand; the file is queued again."""
    started = start_remap(template.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    real: Any = finish.checkpoint
    done: list[int] = []

    def once(*args: object, **options: object) -> None:
        if done:
            raise SystemExit
        done.append(1)
        real(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(parts, "CHUNK_ROWS", 1)
        patched.setattr(finish, "checkpoint", once)
        with pytest.raises(SystemExit):
            take_turn()
    SyncTaskFile.objects.filter(task=started.task, state=ItemState.PROCESSING).update(
        lease_until="2020-01-01T00:00:00Z"
    )
    sweep()
    assert len(parked()) == 1
    return started.task
