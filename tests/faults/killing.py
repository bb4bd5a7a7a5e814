"""Killing the processes of workers at chosen points of a load, and anywhere else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence

from tests.faults.load import Load
from tests.faults.processes import pool_of
from tests.faults.stops import Point, Stops
from tests.workers import Worker

POINTS = (Point.COPY, Point.WRITTEN, Point.COMMIT, None)
"""Where loads are made to wait for the one who kills; None: nowhere, they are killed wherever they are."""


def kill_processes(load: Load, stops: Stops, workers: Sequence[Worker]) -> None:
    """Keep the workers busy and kill a process again and again, as often as there are trials."""
    chance = load.trials.random

    def prepare(file_id: int, orders: list[str]) -> None:
        if point := chance.choice(POINTS):
            stops.set(file_id, point, order_id=chance.choice(orders))

    while load.trials.more:
        load.feed(prepare)
        time.sleep(chance.uniform(0.02, 0.3))
        reached = stops.reached()
        anywhere = [process for worker in workers for process in pool_of(worker)]
        _kill({one.process for one in reached} or (anywhere and {chance.choice(anywhere)}), load)
        for one in reached:
            stops.let_go(one.file_id)
    stops.let_all_go()


def _kill(processes: Iterable[int], load: Load) -> None:
    for process in processes:
        load.strike(process)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it died while its load waited
        load.trials.tried += 1
