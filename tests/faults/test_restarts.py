"""G11: a PostgreSQL that is shut down at once, in the middle of loads, loses nothing and doubles nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.load import Load
from tests.faults.processes import restart_postgres
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.faults.witness import Witness
from tests.services import Server, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = (Point.COPY, Point.COMMIT, Point.ANSWER)


def test_g11_an_immediate_restart_loses_nothing(start: Start, inbox: Path, stops: Stops, postgres: Server) -> None:
    """In COPY, before the commit is done, and after it, when nobody but the ledger knows of it."""
    trials = Trials("G11", "PostgreSQL is restarted in COPY and at commit", quick=len(POINTS), cost=4, minutes=4)
    load = Load(inbox, trials)
    stops.hold_answers()
    running = start(processes=3)
    tried: dict[int, Point] = {}
    with Witness(load.expected).reading():
        for number in trials:
            load.feed()
            ((file_id, orders),) = load.more(1).items()
            tried[file_id] = POINTS[number % len(POINTS)]
            stops.set(file_id, tried[file_id], order_id=trials.random.choice(orders))
            services.submit_single(file_id=file_id, owner=None, priority=10)
            wait_until(lambda: bool(stops.reached()), seconds=180, what=f"the load; the worker's log is {running.log}")
            load.strike()
            restart_postgres(postgres, by=signal.SIGQUIT)
            stops.let_all_go()
        load.end()
    for file_id, point in tried.items():
        committed = point is Point.ANSWER
        assert (SyncTaskFile.objects.filter(file=file_id).order_by("pk")[0].attempt == 1) == committed, point
