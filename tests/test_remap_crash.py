"""A worker killed in the middle of a remap: another goes on below the last chunk, and every row is counted once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.choices import TASK_TERMINAL, ItemState, TaskState
from datasync.models import OrderLine
from datasync.runs import services
from datasync.runs.remap.services import start_remap
from tests.remap_support import corrected, counts, inbox, line, synced, template_of, with_column, write_orders
from tests.runs_support import Bell, bell
from tests.services import wait_until
from tests.workers import Worker

__all__ = ["Bell", "bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 60_000


def test_kill_9_between_two_chunks_and_the_rest_is_done(
    worker: Callable[..., Worker], inbox: Path, tmp_path: Path
) -> None:
    file = synced(write_orders(inbox, (line(f"A{number:06d}", sku=f"S{number}") for number in range(ROWS))))
    new = corrected(template_of("orders", granularity="daily"), with_column("Recipient", field="buyer_name"))
    running = worker(processes=1, environment={"DATA_ROOTS": str(tmp_path), "LEASE_SECONDS": "5"})
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    task, items = started.task, started.task.items
    wait_until(lambda: items.get().resume_after > 0, seconds=60, what=running.output())
    before = items.get()
    os.kill(int(before.worker.split(":")[1]), signal.SIGKILL)
    assert before.state == ItemState.PROCESSING

    def finished() -> bool:
        task.refresh_from_db()
        return task.state in TASK_TERMINAL

    wait_until(finished, seconds=120, what=running.output())
    item = items.get()
    assert (task.state, item.worker != before.worker) == (TaskState.COMPLETED, True), running.output()
    assert counts(task) == {"read": ROWS, "updated": ROWS}
    assert OrderLine.objects.filter(buyer_name="Ana", order_amount__isnull=False).count() == ROWS
    again = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    task = again
    wait_until(finished, seconds=120, what=running.output())
    assert counts(again) == {"read": ROWS, "unchanged": ROWS}


def test_memory_does_not_grow_with_the_rows(inbox: Path, bell: Bell, tmp_path: Path, settings: Any) -> None:
    """The highest memory of a process that remaps three times the rows is hardly higher, in MB; SQLite caches 64."""
    from tests.conftest import test_environment  # noqa: PLC0415
    from tests.remap_memory import peak_of  # noqa: PLC0415

    peaks = []
    for number, rows in ((1, 60_000), (2, 180_000)):
        name = f"2026030{number}_100000"
        path = write_orders(inbox, (line(f"{number}A{at:06d}", sku=f"S{at}") for at in range(rows)), name=name)
        file = synced(path)
        new = corrected(
            template_of("orders", granularity="daily"),
            with_column("Recipient", field="buyer_name" if number == 1 else None),
        )
        OrderLine.objects.exclude(file_last=file).delete()
        peaks.append(peak_of(new.pk, rows=rows, environment=test_environment()))
    assert peaks[1] - peaks[0] < 100, peaks
