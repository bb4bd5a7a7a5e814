"""G5: a worker that is stopped for longer than its lease writes nothing when it goes on, and holds up nobody."""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.processes import children_of, pool_of
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.services import wait_until
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = (Point.LOCK, Point.COPY, Point.WRITTEN) * (3 if "FAULT_TRIALS" in os.environ else 1)  # within BATCH_WINDOW
LEASE = "5"  # how long it is makes no difference here, but to the time of the test


def test_g5_a_stale_worker_cannot_write(start: Start, inbox: Path, stops: Stops) -> None:
    """Each round stops loads of several shops at once: before their COPY, in it, before they ask to commit."""
    trials = Trials("G5", "a worker is stopped past its lease", quick=len(POINTS), cost=4, minutes=3)
    expected: dict[int, list[str]] = {}
    frozen = start(processes=len(POINTS), LEASE_SECONDS=LEASE)
    while trials.more:
        files = write_exports(inbox, len(POINTS), rows=9_000, trial=trials.tried, shops=len(POINTS))
        expected |= files
        for (file_id, orders), point in zip(files.items(), POINTS, strict=True):
            stops.set(file_id, point, order_id=trials.random.choice(orders))
        task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
        wait_until(lambda: len(stops.reached()) == len(POINTS), seconds=60, what=f"all stops; see {frozen.log}")
        family = [process for one in pool_of(frozen) for process in (one, *children_of(one))]
        _signal(family, signal.SIGSTOP)
        stopped = timezone.now()
        try:
            stops.let_all_go()
            other = start(processes=len(POINTS), LEASE_SECONDS=LEASE)
            wait_until(at_rest, seconds=120, what=f"the other worker; its log is {other.log}")
        finally:
            _signal(family, signal.SIGCONT)
        for item in task.items.all():
            assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 2, 1)
            assert item.finished_at is not None
            trials.recovery.append((item.finished_at - stopped).total_seconds())
        lost = set(task.items.values_list("pk", flat=True))
        wait_until(partial(_gave_up, frozen, lost), seconds=60, what=f"the stopped worker to notice; see {frozen.log}")
        check(expected, trials)
        trials.tried += len(POINTS)
        other.kill()


def _gave_up(worker: Worker, items: set[int]) -> bool:
    """Whether it says of each of the items that it is another's."""
    told = re.findall(r"Item (\d+) was taken over by another worker", worker.output())
    return items <= {int(item) for item in told}


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        os.kill(process, number)
