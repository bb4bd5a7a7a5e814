"""G3, G4: workers killed in the middle of whatever they do: each file is stored whole or not at all, and in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.conftest import Start
from tests.faults.killing import kill_processes
from tests.faults.load import Load
from tests.faults.processes import pool_of
from tests.faults.stops import Stops
from tests.faults.trials import Trials
from tests.faults.witness import Witness

pytestmark = pytest.mark.django_db(transaction=True)


def test_g3_a_whole_file_or_nothing(start: Start, inbox: Path, stops: Stops) -> None:
    trials = Trials("G3", "a process is killed in COPY, at commit, or anywhere", quick=12, cost=0.25, minutes=10)
    load = Load(inbox, trials)
    running = start(processes=4)
    with Witness(load.expected).reading():
        kill_processes(load, stops, [running])
        load.end()


def test_g4_a_dead_workers_files_are_resumed(start: Start, inbox: Path) -> None:
    trials = Trials("G4", "a worker is killed with all its processes", cost=4, minutes=4)
    load = Load(inbox, trials, rows=1_000)
    running = [start(processes=2), start(processes=2)]
    for _ in trials:
        load.feed()
        time.sleep(trials.random.uniform(0.3, 1.5))
        victim = running.pop(trials.random.randrange(2))
        load.strike(*pool_of(victim))
        victim.kill()
        running.append(start(processes=2))
    load.end()
