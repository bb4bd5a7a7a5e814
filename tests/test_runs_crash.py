"""A worker killed in the middle of a file: another takes the file over when the lease ends, and all is there once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.choices import TASK_TERMINAL, ItemState, TaskState
from datasync.exceptions import FileBusy
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from tests.services import wait_until
from tests.test_runs_whole_way import write_export
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 60_000


def test_kill_9_in_mid_file_and_the_file_is_resumed(
    worker: Callable[..., Worker], tmp_path: Path, settings: Any
) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    write_export(tmp_path, 1, rows=ROWS)
    scan(sight=EVERYTHING)
    file = CatalogFile.objects.get()
    environment = {"DATA_ROOTS": str(tmp_path), "LEASE_SECONDS": "5"}
    first = worker(processes=1, environment=environment)
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    items = SyncTaskFile.objects.filter(task=task)
    wait_until(lambda: items.filter(state=ItemState.PROCESSING).exists(), seconds=30, what=first.output())
    process = int(items.get().worker.split(":")[1])
    os.kill(process, signal.SIGKILL)  # the pool's process; its parent gives the message back

    wait_until(lambda: _finished(task), seconds=90, what=first.output())
    item = items.get()
    assert (task.state, item.attempt, item.crashes) == (TaskState.COMPLETED, 2, 1), first.output()
    assert task.rows_inserted == OrderLine.objects.count() == ROWS


def test_whoever_asks_again_resumes_what_a_lost_machine_left(
    worker: Callable[..., Worker], tmp_path: Path, settings: Any
) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    write_export(tmp_path, 1, rows=ROWS)
    scan(sight=EVERYTHING)
    file = CatalogFile.objects.get()
    environment = {"DATA_ROOTS": str(tmp_path), "LEASE_SECONDS": "5"}
    first = worker(processes=1, environment=environment)
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    items = SyncTaskFile.objects.filter(task=task)
    wait_until(lambda: items.filter(state=ItemState.PROCESSING).exists(), seconds=30, what=first.output())
    first.kill()
    second = worker(processes=1, environment=environment)
    wait_until(
        lambda: items.filter(lease_until__lt=Now() - timedelta(seconds=0.1)).exists(), seconds=20, what="the lease"
    )
    with pytest.raises(FileBusy):
        services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    wait_until(lambda: _finished(task), seconds=60, what=second.output())
    assert (task.state, items.get().attempt) == (TaskState.COMPLETED, 2), second.output()
    assert OrderLine.objects.count() == ROWS


def _finished(task: SyncProgressTask) -> bool:
    task.refresh_from_db()
    return task.state in TASK_TERMINAL
