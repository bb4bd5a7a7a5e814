"""G6: a file whose workers die with it is given up after two, says so, and does not keep the others from being done."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from django.db.models import QuerySet

from datasync.choices import FileState, ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g6_a_poison_file_stops_after_two_crashes(start: Start, inbox: Path) -> None:
    trials = Trials("G6", "a file kills each worker that takes it", cost=4, minutes=2)
    expected: dict[int, list[str]] = {}
    running = start(processes=2, LEASE_SECONDS="5")  # how long it is makes no difference here
    for trial in trials:
        files = write_exports(inbox, 6, rows=4_000, trial=trial)
        expected |= files
        poison, *others = files
        task = services.submit_by_ids(file_ids=list(files), owner=None).task
        held = SyncTaskFile.objects.filter(file=poison, state=ItemState.PROCESSING)
        wait_until(partial(_killing, held), seconds=120, what=f"the batch; the worker's log is {running.log}")
        item = task.items.get(file=poison)
        assert (item.state, item.crashes, item.error["code"]) == (ItemState.FAILED, 2, "READER_CRASHED")
        assert item.file.state == FileState.FAILED
        assert set(task.items.filter(file__in=others).values_list("state", flat=True)) == {ItemState.COMPLETED}
        check(expected, trials)


def _killing(held: QuerySet[SyncTaskFile]) -> bool:
    """Kill whoever has the file in hand; whether all is done."""
    item = held.first()
    if item is not None:
        with suppress(ProcessLookupError):
            os.kill(int(item.worker.split(":")[1]), signal.SIGKILL)
    return at_rest()
