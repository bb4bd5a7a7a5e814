"""G5: a worker that is stopped for longer than its lease writes nothing when it goes on, and holds up nobody."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from django.utils import timezone

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.processes import children_of, pool_of
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g5_a_stale_worker_cannot_write(start: Start, inbox: Path) -> None:
    trials = Trials("G5", "a worker is stopped past its lease in the middle of a load", cost=10)
    expected: dict[int, list[str]] = {}
    frozen = start()
    for trial in trials:
        files = write_exports(inbox, 1, rows=60_000, trial=trial)
        expected |= files
        (file_id,) = files
        task = services.submit_single(file_id=file_id, owner=None)
        items = SyncTaskFile.objects.filter(task=task)
        loading = items.filter(state=ItemState.PROCESSING, rows_read__gt=0)
        wait_until(loading.exists, seconds=60, what=f"rows; the worker's log is {frozen.log}")
        (process,) = pool_of(frozen)
        family = [process, *children_of(process)]
        _signal(family, signal.SIGSTOP)
        stopped = timezone.now()
        try:
            other = start()
            wait_until(at_rest, seconds=120, what=f"the other worker; its log is {other.log}")
        finally:
            _signal(family, signal.SIGCONT)
        item = items.get()
        assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 2, 1)
        assert item.finished_at is not None
        trials.recovery.append((item.finished_at - stopped).total_seconds())
        frozen.stop()
        frozen = other
        check(expected, trials)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        os.kill(process, number)
