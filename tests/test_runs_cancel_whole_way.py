"""A cancel against a real load: within five seconds nothing is left of the file, and it is as it was."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.choices import FileState, ItemState, TaskState
from datasync.ingest.load.loader import Loader
from datasync.models import CatalogFile, OrderLine, QuarantinedRow, SyncTaskFile
from datasync.runs import services
from datasync.runs.cancel import cancel_task
from datasync.runs.turns import take_turn
from tests.remap_support import Bell, bell, inbox, line, write_orders
from tests.services import wait_until

__all__ = ["bell", "inbox"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite a cancel waits for the load to end"),
]
ROWS = 60_000


def test_a_large_file_in_the_middle_of_its_load(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load of each batch takes a while here, as on a busy database, so that the cancel finds it in the middle."""
    load, loading = Loader.load, threading.Event()

    def slowly(loader: Loader, rows: object) -> None:
        load(loader, rows)  # type: ignore[arg-type]
        loading.set()
        time.sleep(1)

    monkeypatch.setattr(Loader, "load", slowly)
    file = catalogue_path(write_orders(inbox, (line(f"A{number}") for number in range(ROWS))))
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    worker = threading.Thread(target=_work)
    worker.start()
    assert loading.wait(timeout=60)
    began = time.monotonic()
    cancel_task(task)
    _wait_for_the_end(task.pk)
    assert time.monotonic() - began < 5
    worker.join(timeout=60)
    task.refresh_from_db()
    item, file = task.items.get(), CatalogFile.objects.get()
    assert (task.state, item.state, file.state) == (TaskState.CANCELLED, ItemState.CANCELLED, FileState.PENDING)
    assert (OrderLine.objects.count(), QuarantinedRow.objects.count(), item.rows_read) == (0, 0, 0)


def _wait_for_the_end(task_id: int) -> None:
    items = SyncTaskFile.objects.filter(task=task_id, state=ItemState.PROCESSING)
    wait_until(lambda: not items.exists(), seconds=30, what="the worker to let go")


def _work() -> None:
    try:
        take_turn()
    finally:
        connection.close()
