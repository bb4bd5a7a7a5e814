"""Loss analysis: the equation of the books, by file, by task and by domain."""

from __future__ import annotations

import uuid

import pytest

from datasync.choices import ItemState, TaskKind
from datasync.exceptions import InvalidRequest
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.quality.loss import flow
from tests.runs_support import make_file

pytestmark = pytest.mark.django_db


def _synced(file: CatalogFile, state: str = ItemState.COMPLETED, **counts: int) -> SyncProgressTask:
    task = SyncProgressTask.objects.create(
        task_id=uuid.uuid4().hex, celery_task_id=uuid.uuid4().hex, kind=TaskKind.SINGLE
    )
    books = {f"rows_{name}": number for name, number in counts.items()}
    SyncTaskFile.objects.create(task=task, file=file, state=state, file_sha256="", **books)
    return task


def test_a_files_last_sync_counts() -> None:
    file = make_file()
    _synced(file, read=10, inserted=8, quarantined=2)
    _synced(file, read=10, unchanged=9, totals=1)
    _synced(file, state=ItemState.FAILED)
    found = flow(file_id=file.pk)
    assert found.as_dict() == {
        "files": 1,
        "rows": {
            "read": 10, "inserted": 0, "updated": 0, "unchanged": 9, "stale": 0, "quarantined": 0, "totals": 1,
            "duplicates": 0,
        },
        "balanced": True,
        "lost": 0,
        "lost_percent": 0.0,
    }  # fmt: skip


def test_a_task_and_a_domain_add_up_their_files() -> None:
    orders, products = make_file(), make_file(domain="products")
    task = _synced(orders, read=10, inserted=9, quarantined=1)
    _synced(products, read=5, inserted=5)
    assert (flow(task_id=task.pk).counts.read, flow(task_id=task.pk).lost_percent) == (10, 10.0)
    assert flow(domain="products").counts.read == 5
    assert (flow().files, flow().counts.read, flow().balanced) == (2, 15, True)


def test_a_row_that_went_missing_is_seen() -> None:
    task = _synced(make_file(), read=10, inserted=9)
    assert not flow(task_id=task.pk).balanced


def test_one_question_at_a_time() -> None:
    with pytest.raises(InvalidRequest):
        flow(file_id=1, domain="orders")
