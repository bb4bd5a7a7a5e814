"""G6: a file whose workers die with it is given up after two, says so, and does not keep the others from being done."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
CRASHES = 2
AT_ONCE = 10 if "FAULT_TRIALS" in os.environ else 1


@dataclass
class Poison:
    """Kills whoever has one of these files in hand."""

    files: Sequence[int]
    killed: set[tuple[int, int]] = field(default_factory=set)  # item, attempt

    def works_until_rest(self) -> bool:
        """Kill whoever has one; whether all is done."""
        held = SyncTaskFile.objects.filter(file__in=self.files, state=ItemState.PROCESSING)
        for item, attempt, worker in held.values_list("pk", "attempt", "worker"):
            with suppress(ProcessLookupError):
                os.kill(int(worker.split(":")[1]), signal.SIGKILL)
            self.killed.add((item, attempt))
        return at_rest()


def test_g6_a_poison_file_stops_after_two_crashes(start: Start, inbox: Path) -> None:
    trials = Trials("G6", "a file kills each worker that takes it", quick=CRASHES, cost=2, minutes=4, kill_point=True)
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState] = {}
    running = start(processes=2, LEASE_SECONDS="5")  # how long it is makes no difference here
    while trials.more:
        files = write_exports(inbox, AT_ONCE + 5, rows=4_000, trial=trials.tried, shops=AT_ONCE + 5)
        expected |= files
        poison = Poison(list(files)[:AT_ONCE])
        task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
        wait_until(poison.works_until_rest, seconds=180, what=f"the batch; the worker's log is {running.log}")
        for item in task.items.filter(file__in=poison.files).select_related("file"):
            assert (item.state, item.crashes, item.error["code"]) == (ItemState.FAILED, CRASHES, "READER_CRASHED")
            assert item.file.state == FileState.FAILED
            ended[item.file_id] = ItemState.FAILED
        others = task.items.exclude(file__in=poison.files)
        assert set(others.values_list("state", flat=True)) == {ItemState.COMPLETED}
        check(expected, trials, ended=ended)
        assert len(poison.killed) == CRASHES * AT_ONCE
        trials.tried += len(poison.killed)
