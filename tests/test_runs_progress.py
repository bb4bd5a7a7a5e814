"""Progress: true while it runs, final when it is done, and cheap to ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import TaskState
from datasync.exceptions import EncryptedFile, TaskNotFound
from datasync.ingest.plan import Counts
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import selectors, services
from datasync.runs.claim import claim_next
from datasync.runs.turns import take_turn
from tests.runs_support import Bell, Ingest, bell, ingest, make_file, make_user

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


def _task(files: int, **fields: Any) -> SyncProgressTask:
    return services.submit_by_ids(
        file_ids=[make_file(**fields).pk for _ in range(files)], owner=None, sight=EVERYTHING
    ).task


def test_a_queued_task_has_done_nothing(bell: Bell) -> None:
    progress = selectors.progress(_task(2), sight=EVERYTHING)
    assert progress["files"] == {"total": 2, "processed": 0, "succeeded": 0, "failed": 0, "skipped": 0}
    assert (progress["file_progress"], progress["row_progress"], progress["eta_seconds"]) == (0.0, 0.0, None)
    assert progress["current_file"] is None


def test_a_running_task_counts_rows_of_the_file_in_hand(bell: Bell, ingest: Ingest, settings: Any) -> None:
    settings.SLICE_SECONDS = 0.0
    task = _task(4, rows={"read": 10})
    take_turn()
    claim = claim_next(task.pk)
    assert claim is not None
    SyncTaskFile.objects.filter(pk=claim.item_id).update(rows_read=5)
    SyncProgressTask.objects.update(started_at=timezone.now() - timedelta(seconds=3))
    task.refresh_from_db()

    with CaptureQueriesContext(connection) as captured:
        progress = selectors.progress(task, sight=EVERYTHING)

    assert len(captured) <= 4
    assert progress["status"] == TaskState.PROCESSING
    assert progress["files"]["processed"] == 1
    assert (progress["rows"]["read"], progress["rows"]["inserted"]) == (15, 10)
    assert (progress["file_progress"], progress["row_progress"]) == (25.0, 37.5)
    assert progress["current_files"][0]["rows_read"] == 5
    assert progress["eta_seconds"] == pytest.approx(5, abs=1)
    assert progress["rows_per_second"] == pytest.approx(5, abs=1)
    assert [result["status"] for result in progress["results"]] == ["completed", "processing", "queued", "queued"]


def test_a_finished_task_is_read_from_its_own_row(bell: Bell, ingest: Ingest) -> None:
    good, bad = make_file(), make_file()
    ingest.ends = {bad.pk: EncryptedFile(), good.pk: Counts(read=9, inserted=7, quarantined=2)}
    task = services.submit_by_ids(file_ids=[good.pk, bad.pk], owner=None, sight=EVERYTHING).task
    take_turn()
    task = selectors.task_for(make_user("chief", is_staff=True), task.task_id, sight=EVERYTHING)
    with CaptureQueriesContext(connection) as captured:
        progress = selectors.progress(task, sight=EVERYTHING, page_size=1)
    assert len(captured) == 1
    assert (progress["status"], progress["row_progress"], progress["eta_seconds"]) == (TaskState.PARTIAL, 100.0, 0.0)
    assert progress["files"] == {"total": 2, "processed": 2, "succeeded": 1, "failed": 1, "skipped": 0}
    assert progress["errors"][0]["code"] == "ENCRYPTED"
    assert len(progress["results"]) == 1
    assert selectors.progress(task, sight=EVERYTHING, page=2, page_size=1)["results"][0]["error"]["code"] == "ENCRYPTED"


def test_people_see_their_own_tasks_and_staff_all(bell: Bell) -> None:
    ana, ben, chief = make_user("ana"), make_user("ben"), make_user("chief", is_staff=True)
    task = services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)
    assert (
        selectors.task_for(ana, task.task_id, sight=EVERYTHING)
        == selectors.task_for(chief, task.task_id, sight=EVERYTHING)
        == task
    )
    assert selectors.task_by_celery_id(ana, task.celery_task_id, sight=EVERYTHING) == task
    with pytest.raises(TaskNotFound):
        selectors.task_for(ben, task.task_id, sight=EVERYTHING)
    with pytest.raises(TaskNotFound):
        selectors.task_by_celery_id(ben, task.celery_task_id, sight=EVERYTHING)
    assert list(selectors.tasks_visible_to(ben, sight=EVERYTHING)) == []
    assert selectors.celery_state(task) == "PENDING"
