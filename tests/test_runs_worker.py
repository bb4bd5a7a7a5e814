"""Real worker processes: what was submitted is done, once, and nobody has to ask for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery.result import AsyncResult

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.choices import TASK_TERMINAL, TaskState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine, SyncProgressTask
from datasync.runs import services
from tests.services import wait_until
from tests.test_runs_whole_way import write_export
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def _finished(task: SyncProgressTask) -> bool:
    task.refresh_from_db()
    return task.state in TASK_TERMINAL


def test_workers_drain_a_batch_and_a_single_file_beside_it(
    worker: Callable[..., Worker], tmp_path: Path, settings: Any
) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    for number in range(12):
        write_export(tmp_path, number, rows=40)
    scan(sight=EVERYTHING)
    files = list(CatalogFile.objects.order_by("pk").values_list("pk", flat=True))
    running = worker(processes=2, environment={"DATA_ROOTS": str(tmp_path)})

    began = time.monotonic()
    batch = services.submit_by_ids(file_ids=files[:11], owner=None, sight=EVERYTHING).task
    single = services.submit_single(file_id=files[11], owner=None, priority=9, sight=EVERYTHING)
    wait_until(lambda: _finished(batch) and _finished(single), seconds=60, what=running.output())

    assert (batch.state, batch.errors, batch.succeeded_files) == (TaskState.COMPLETED, [], 11), running.output()
    assert (single.state, single.rows_inserted) == (TaskState.COMPLETED, 40)
    assert OrderLine.objects.count() == 480
    assert AsyncResult(batch.celery_task_id).state == AsyncResult(single.celery_task_id).state == "SUCCESS"
    assert set(batch.items.values_list("attempt", flat=True)) == {1}
    print(f"12 files: {time.monotonic() - began:.1f} s, workers {set(batch.items.values_list('worker', flat=True))}")


def test_a_worker_process_steps_back(worker: Callable[..., Worker]) -> None:
    running = worker(processes=1)
    own = {running.process.pid}
    for _ in range(3):
        own |= {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) in own}
    pool = own - {running.process.pid}
    assert pool
    wait_until(
        lambda: {os.getpriority(os.PRIO_PROCESS, process) for process in pool} == {10},
        seconds=10,
        what=running.output(),
    )
    # Where sessions are groups, each of which has as much of the processors as any other, that alone is nothing.
    own_group, group = Path("/proc/self/autogroup"), Path(f"/proc/{running.process.pid}/autogroup")
    if group.exists() and (of_this_test := own_group.read_text()):
        wait_until(lambda: group.read_text().endswith(" nice 10\n"), seconds=10, what=running.output())
        assert own_group.read_text() == of_this_test


def test_worker_processes_stay_on_a_core_each_if_told_to(worker: Callable[..., Worker]) -> None:
    running = worker(processes=2, environment={"WORKER_OWN_CORE": "true"})
    cores = sorted(os.sched_getaffinity(0))

    def kept() -> list[set[int]]:
        pool = [path for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == running.process.pid]
        return sorted((os.sched_getaffinity(int(path.parent.name)) for path in pool), key=sorted)

    expected = sorted([{cores[0]}, {cores[1 % len(cores)]}], key=sorted)
    wait_until(lambda: kept() == expected, seconds=10, what=running.output())
    assert os.sched_getaffinity(running.process.pid) == set(cores)


def _parent(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1
