"""Killing the processes of workers at chosen points of a load, and anywhere else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from tests.faults.load import Load
from tests.faults.processes import pool_of
from tests.faults.stops import Point, Stops
from tests.workers import Worker

POINTS = (Point.COPY, Point.WRITTEN, Point.COMMIT, None)
"""Where loads are made to wait for the one who kills; None: nowhere, they are killed wherever they are."""
ROUND = 50


def kill_processes(load: Load, stops: Stops, workers: Sequence[Worker]) -> None:
    """Keep the workers busy and kill processes that have a file in hand, as often as there are trials.

    The ledger is checked after each round of kills.
    """
    trials, chance = load.trials, load.trials.random

    def prepare(file_id: int, orders: list[str]) -> None:
        if point := chance.choice(POINTS):
            stops.set(file_id, point, order_id=chance.choice(orders))

    while trials.more:
        aim = min(ROUND, trials.wanted - trials.tried)
        began = len(load.kills)
        while len(load.kills) - began < aim and trials.more_after(trials.tried + len(load.kills) - began):
            load.feed(prepare)
            time.sleep(chance.uniform(0.02, 0.2))
            reached = stops.reached()
            for process in {one.process for one in reached} or _any_at_work(load, workers):
                if load.strike(process, waits=bool(reached)):
                    _kill(process)
            for one in reached:
                stops.let_go(one.file_id)
        stops.let_all_go()
        load.end()


def _any_at_work(load: Load, workers: Sequence[Worker]) -> set[int]:
    """One of the processes that have a file in hand, where there is any."""
    pools = {process for worker in workers for process in pool_of(worker)}
    held = SyncTaskFile.objects.filter(state=ItemState.PROCESSING).values_list("worker", flat=True)
    busy = sorted(pools & {int(name.split(":")[1]) for name in held})
    return {load.trials.random.choice(busy)} if busy else set()


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):  # it was killed before; what it had in hand is counted once
        os.kill(process, signal.SIGKILL)
