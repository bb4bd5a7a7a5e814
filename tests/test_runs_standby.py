"""Standing by: one message waits for a file that is due later, the others end, and nobody is kept waiting by it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from datasync.catalog.services import scan
from datasync.choices import TASK_TERMINAL, ItemState, TaskState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.claim import MOST_ATTEMPTS, claim_next
from datasync.runs.slices import run_slice
from datasync.runs.standby import stand_by
from tests.runs_support import Bell, Ingest, bell, ingest, make_file
from tests.services import wait_until
from tests.test_runs_whole_way import write_export
from tests.workers import Worker

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


def _task(files: int) -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[make_file().pk for _ in range(files)], owner=None).task


def _put_off(task: SyncProgressTask, seconds: float) -> None:
    task.items.update(not_before=Now() + timedelta(seconds=seconds))


def test_one_message_waits_and_all_others_end_at_once(bell: Bell, ingest: Ingest) -> None:
    task = _task(3)
    _put_off(task, 30)
    bell.rung.clear()
    run_slice(task.pk, message_id="first")
    assert bell.rung == [task.pk]  # passed on, under its own id
    began = time.monotonic()
    for number in range(9):
        run_slice(task.pk, message_id=f"other{number}")
    assert time.monotonic() - began < 1.0
    assert bell.rung == [task.pk]
    run_slice(task.pk, message_id="first")
    assert bell.rung == [task.pk] * 2


def test_who_waited_calls_the_others_when_there_is_work_again(bell: Bell, ingest: Ingest, settings: Any) -> None:
    settings.SLICE_SECONDS = 0.0
    task = _task(4)
    _put_off(task, 30)
    run_slice(task.pk, message_id="first")
    bell.rung.clear()
    _put_off(task, -1)
    run_slice(task.pk, message_id="first")
    assert len(ingest.seen) == 1
    assert bell.rung == [task.pk] * 4  # three for the three files left, and its own turn
    task.refresh_from_db()
    assert (task.waiter, task.waiter_until) == ("", None)


def test_a_message_that_came_back_stays_until_the_lease_of_a_dead_worker_ends(bell: Bell, ingest: Ingest) -> None:
    task = _task(1)
    assert claim_next(task.pk)
    bell.rung.clear()
    run_slice(task.pk, message_id="other")
    assert bell.rung == []  # the file is in good hands as far as this one knows
    run_slice(task.pk, message_id="returned", redelivered=True)
    run_slice(task.pk, message_id="returned")
    assert bell.rung == [task.pk] * 2
    task.items.update(lease_until=Now() - timedelta(seconds=1))
    run_slice(task.pk, message_id="returned")
    task.refresh_from_db()
    item = task.items.get()
    assert (task.state, item.attempt, item.crashes) == (TaskState.COMPLETED, 2, 1)


def test_a_lease_that_is_lengthened_is_not_waited_for(bell: Bell) -> None:
    task = _task(1)
    assert claim_next(task.pk)
    bell.rung.clear()
    run_slice(task.pk, message_id="returned", redelivered=True)
    task.items.update(lease_until=Now() + timedelta(seconds=90))
    run_slice(task.pk, message_id="returned")
    assert bell.rung == [task.pk]


def test_a_file_is_not_begun_for_ever(bell: Bell) -> None:
    task = _task(1)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        claim = claim_next(task.pk)
        assert claim
        assert claim.attempt == attempt
        task.items.update(lease_until=Now() - timedelta(seconds=1))
    assert claim_next(task.pk) is None
    assert not stand_by(task.pk, message_id="any")
    assert task.items.get().state == ItemState.PROCESSING


def test_a_single_file_starts_at_once_beside_a_batch_that_waits(
    worker: Callable[..., Worker], tmp_path: Path, settings: Any
) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    for number in range(11):
        write_export(tmp_path, number)
    scan()
    files = list(CatalogFile.objects.order_by("pk").values_list("pk", flat=True))
    batch = services.submit_by_ids(file_ids=files[:10], owner=None).task
    SyncTaskFile.objects.filter(task=batch).update(not_before=Now() + timedelta(seconds=12))
    running = worker(processes=1, environment={"DATA_ROOTS": str(tmp_path)})
    wait_until(lambda: bool(SyncProgressTask.objects.exclude(waiter="").exists()), seconds=20, what=running.output())
    time.sleep(1.0)  # let the batch's ten messages have their turns

    began = time.monotonic()
    single = services.submit_single(file_id=files[10], owner=None)
    wait_until(lambda: _finished(single), seconds=20, what=running.output())
    seconds = time.monotonic() - began
    assert SyncTaskFile.objects.filter(task=batch, state=ItemState.QUEUED).count() == 10
    assert seconds < 3.0, f"{seconds:.1f} s"
    wait_until(lambda: _finished(batch), seconds=40, what=running.output())
    batch.refresh_from_db()
    assert batch.state == TaskState.COMPLETED
    print(f"single file beside a waiting batch: {seconds:.2f} s")


def _finished(task: SyncProgressTask) -> bool:
    task.refresh_from_db()
    return task.state in TASK_TERMINAL
