"""G11: a PostgreSQL that is shut down at once, in the middle of loads, loses nothing, doubles nothing, blames nobody.

G21: nor does a worker that is told to stop in the middle of a file.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import HeaderTemplate, SyncTaskFile
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.load import Load
from tests.faults.processes import restart_postgres
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.faults.web import StartWeb, start_web
from tests.faults.witness import Witness
from tests.services import Server, wait_until

__all__ = ["start_web"]
pytestmark = pytest.mark.django_db(transaction=True)
POINTS = (Point.COPY, Point.COMMIT, Point.ANSWER)


def test_g11_an_immediate_restart_loses_nothing(start: Start, inbox: Path, stops: Stops, postgres: Server) -> None:
    """In COPY, before the commit is done, and after it, when nobody but the ledger knows of it."""
    trials = Trials(
        "G11", "PostgreSQL is restarted in COPY and at commit", quick=len(POINTS), cost=4, minutes=4, kill_point=True
    )
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
            services.submit_single(file_id=file_id, owner=None, priority=10, sight=EVERYTHING)
            wait_until(lambda: bool(stops.reached()), seconds=180, what=f"the load; the worker's log is {running.log}")
            load.strike()
            restart_postgres(postgres, by=signal.SIGQUIT)
            stops.let_all_go()
        load.end()
    for file_id, point in tried.items():
        committed = point is Point.ANSWER
        assert (SyncTaskFile.objects.filter(file=file_id).order_by("pk")[0].attempt == 1) == committed, point


@contextmanager
def reading_waits() -> Iterator[None]:
    """Let files wait between the claim and the load, in autocommit; a restart of the server ends it too."""
    table = HeaderTemplate._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {table}")
    try:
        yield
    finally:
        connection.close()


def _waits_to_read() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = %s::regclass AND NOT granted)",
            [HeaderTemplate._meta.db_table],
        )
        return bool(cursor.fetchone()[0])


def test_g11_restarts_are_not_blamed_on_the_file_in_hand(
    start: Start, inbox: Path, stops: Stops, postgres: Server
) -> None:
    """One file, struck in COPY and twice while it is read: it has all its retries, and no worker of it died."""
    trials = Trials("G11", "PostgreSQL is restarted under one file again and again", cost=12, minutes=2)
    running = start(LEASE_SECONDS="60")  # no restart takes so long on the slowest machine
    expected: dict[int, list[str]] = {}
    for trial in trials:
        files = write_exports(inbox, 1, rows=300, trial=trial)
        expected |= files
        ((file_id, orders),) = files.items()
        stops.set(file_id, Point.COPY, order_id=trials.random.choice(orders))
        task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
        wait_until(lambda: bool(stops.reached()), seconds=60, what=f"the load; the worker's log is {running.log}")
        restart_postgres(postgres, by=signal.SIGQUIT)
        stops.let_all_go()
        for _ in range(2):
            with reading_waits():
                wait_until(_waits_to_read, seconds=60, what=f"the next try; the worker's log is {running.log}")
                restart_postgres(postgres, by=signal.SIGQUIT)
        wait_until(at_rest, seconds=60, what=f"the file; the worker's log is {running.log}")
        item = task.items.get()
        assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 4, 0), running.output()
        check(expected, trials)


def test_g21_a_file_in_hand_is_put_back_by_a_worker_that_is_told_to_stop(
    start: Start, inbox: Path, stops: Stops
) -> None:
    """However often it is told: nothing is known against a file that takes longer than a deploy waits."""
    trials = Trials("G21", "a worker is told to stop in the middle of a long file", cost=20, minutes=2)
    ((file_id, orders),) = (expected := write_exports(inbox, 1, rows=300)).items()
    stops.set(file_id, Point.COPY, order_id=trials.random.choice(orders))
    task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
    items = task.items.filter(attempt=0, crashes=0, state=ItemState.QUEUED)
    for _ in trials:
        running = start(LEASE_SECONDS="60")
        wait_until(lambda: bool(stops.reached()), seconds=60, what=f"the load; the worker's log is {running.log}")
        running.process.send_signal(signal.SIGTERM)
        wait_until(
            partial(items.exists), seconds=60, what=f"the file to be put back; the worker's log is {running.log}"
        )
        running.process.wait(60)
    stops.let_go(file_id)
    take_turn()
    item = task.items.get()
    assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 1, 0)
    check(expected, trials)


def test_g22_a_file_in_hand_is_put_back_by_a_web_process_that_is_told_to_stop(
    start_web: StartWeb, inbox: Path, stops: Stops
) -> None:
    trials = Trials("G22", "a web process that works itself is told to stop in the middle of a file", cost=20)
    ((file_id, orders),) = (expected := write_exports(inbox, 1, rows=300)).items()
    stops.set(file_id, Point.COPY, order_id=trials.random.choice(orders))
    task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
    for _ in trials:
        web = start_web(ERP_EXECUTION="local", LEASE_SECONDS="60")  # it looks for work as it starts
        wait_until(lambda: bool(stops.reached()), seconds=60, what="the load in the web process")
        web.process.terminate()
        web.process.wait(60)
        item = task.items.get()
        assert (item.state, item.attempt, item.crashes) == (ItemState.QUEUED, 0, 0)
    stops.let_go(file_id)
    take_turn()
    item = task.items.get()
    assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 1, 0)
    check(expected, trials)
