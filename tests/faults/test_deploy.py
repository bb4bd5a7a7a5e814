"""G21: a deployment under load loses and doubles nothing."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from datasync.choices import ItemState
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g21_workers_are_replaced_in_the_middle_of_their_work(start: Start, inbox: Path) -> None:
    trials = Trials("G21", "workers are replaced under load", quick=2, cost=5)
    expected: dict[int, list[str]] = {}
    running = start(processes=2)
    for trial in trials:
        files = write_exports(inbox, 12, rows=4_000, trial=trial)
        expected |= files
        task = services.submit_by_ids(file_ids=list(files), owner=None).task
        done = task.items.filter(state=ItemState.COMPLETED)
        share = trials.random.randrange(1, 8)
        wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files")
        running.process.send_signal(signal.SIGTERM)
        replacement = start(processes=2)
        running.stop()
        running = replacement
        wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
        assert done.count() == 12
        check(expected, trials)
