"""A remap that is stopped midway: what is done stays, what is not stays as it was, and no row waits for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, QuarantineState, TaskState
from datasync.models import CatalogFile, QuarantinedRow, SyncProgressTask
from datasync.runs.again import retry_task
from datasync.runs.cancel import cancel_task
from datasync.runs.remap import finish
from datasync.runs.sweep import sweep
from tests.remap_dates import RIGHT, SWAPPED, misread, month, one_row_done, parked
from tests.remap_support import Bell, bell, corrected, counts, facts, from_scratch, inbox, take_turn

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def begun(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> SyncProgressTask:
    """A remap of which one row is done, which another row had to make room for; the file is queued again."""
    wrong = misread()
    month(inbox, 1, SWAPPED)
    task = one_row_done(monkeypatch, corrected(wrong, RIGHT))
    assert parked() == [6]
    return task


def _the_row_is_in_quarantine(task: SyncProgressTask) -> None:
    item = task.items.get()
    assert parked() == []
    assert counts(item) == {"read": 2, "updated": 1, "quarantined": 1}
    row = QuarantinedRow.objects.get()
    assert (row.sheet_row, row.state, row.item) == (6, QuarantineState.OPEN, item)
    assert [reason["code"] for reason in row.reasons] == ["IDENTITY_CHANGED"]
    assert CatalogFile.objects.get().state == FileState.PARTIAL


def test_a_file_that_waits_for_its_second_turn(begun: SyncProgressTask) -> None:
    cancelled = cancel_task(begun)
    assert (cancelled.task.state, cancelled.stopped.files) == (TaskState.CANCELLING, 1)
    assert parked() == [6]  # what may wait for loads is no work for a request
    assert sweep().closed == 1
    _the_row_is_in_quarantine(begun)
    begun.refresh_from_db()
    assert begun.state == TaskState.CANCELLED
    assert (begun.rows_updated, begun.rows_quarantined) == (1, 1)


def test_a_file_in_hand(begun: SyncProgressTask, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = finish.checkpoint

    def cancelled(*args: object, **options: object) -> None:
        cancel_task(begun)
        checkpoint(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(finish, "checkpoint", cancelled)
    take_turn()
    begun.refresh_from_db()
    assert (begun.state, begun.items.get().state) == (TaskState.CANCELLED, ItemState.CANCELLED)
    _the_row_is_in_quarantine(begun)


def test_a_file_that_nobody_came_to_before_the_deadline(begun: SyncProgressTask) -> None:
    SyncProgressTask.objects.filter(pk=begun.pk).update(deadline_at=Now())
    swept = sweep()
    assert (swept.not_started, swept.closed) == (1, 1)
    _the_row_is_in_quarantine(begun)


def test_a_retry_finishes_it(begun: SyncProgressTask) -> None:
    cancel_task(begun)
    sweep()
    retried = retry_task(begun, only_failed=False, sight=EVERYTHING).task
    take_turn()
    retried.refresh_from_db()
    assert retried.state == TaskState.COMPLETED
    file = CatalogFile.objects.get()
    stored = {row["record_key"] for row in facts()["analytics"]}
    assert stored < {row["record_key"] for row in from_scratch(file)["analytics"]}
