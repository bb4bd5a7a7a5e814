"""G3, G4: workers killed in the middle of whatever they do: each file is stored whole or not at all, and in time."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.killing import kill_processes
from tests.faults.load import Load
from tests.faults.processes import pool_of
from tests.faults.stops import Stops
from tests.faults.trials import Trials
from tests.faults.witness import Witness
from tests.services import wait_until
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "FAULT_TRIALS" in os.environ
VICTIMS, PROCESSES = (4, 5) if LONG else (1, 2)
LEASE = {"LEASE_SECONDS": "60" if LONG else "5"}
MOST_SECONDS = 90
TASK_FILES = 4


def test_g3_a_whole_file_or_nothing(start: Start, inbox: Path, stops: Stops) -> None:
    trials = Trials(
        "G3", "a process is killed in COPY, at commit, or anywhere", quick=12, cost=0.25, minutes=12, kill_point=True
    )
    load = Load(inbox, trials, rows=200)
    running = [start(processes=4) for _ in range(2 if LONG else 1)]
    with Witness(load.expected).reading():
        kill_processes(load, stops, running)


def test_g4_a_dead_workers_files_are_resumed(start: Start, inbox: Path) -> None:
    """Several workers die at once with all their processes, each of which has a file in hand."""
    trials = Trials(
        "G4", "workers are killed with all their processes", quick=2, cost=10 / 3, minutes=7, kill_point=True
    )
    load = Load(inbox, trials, rows=10_000 if LONG else 4_000, shops=2 * VICTIMS * PROCESSES)
    survivor, running = start(processes=2, **LEASE), [start(processes=PROCESSES, **LEASE) for _ in range(VICTIMS)]
    while trials.more:
        files = list(load.more(2 * VICTIMS * PROCESSES))
        for at in range(0, len(files), TASK_FILES):
            services.submit_by_ids(file_ids=files[at : at + TASK_FILES], owner=None, sight=EVERYTHING)
        wait_until(partial(_all_at_work, running), seconds=120, what=f"files in hand; see {survivor.log}")
        for victim in running:
            load.strike(*pool_of(victim))
            victim.kill()
        running = [start(processes=PROCESSES, **LEASE) for _ in range(VICTIMS)]
        load.end()
    assert trials.p95 <= MOST_SECONDS, sorted(trials.recovery)


def _all_at_work(workers: list[Worker]) -> bool:
    """Whether most of their processes have a file in hand; they begin and end files while we look."""
    held = SyncTaskFile.objects.filter(state=ItemState.PROCESSING).values_list("worker", flat=True)
    busy = {int(name.split(":")[1]) for name in held}
    pools = [process for worker in workers for process in pool_of(worker)]
    return len(busy.intersection(pools)) >= max(1, len(pools) * 3 // 4)
