"""G14: any number of sweepers at once do each thing once."""

from __future__ import annotations

import math
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from datasync.runs.claim import claim_next
from datasync.runs.sweep import Swept, sweep
from erp.supervisor import BASE_DIR, beat_command
from tests.conftest import test_environment
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.runs_support import Bell, bell, make_file
from tests.services import stop_process, wait_until

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
SWEEPERS, FILES = 6, 8
CLOCKS = 2


@pytest.fixture
def clocks(start: Start, tmp_path: Path) -> Iterator[list[Path]]:
    """Two of Celery's clocks on the test's database, as after a careless deployment; their logs."""
    logs = [tmp_path / f"clock{number}.log" for number in range(CLOCKS)]
    with ExitStack() as running:
        for log in logs:
            command = ["setpriv", "--pdeathsig", "TERM", "--", *beat_command()]
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, cwd=BASE_DIR, env=test_environment(), stdout=output, stderr=subprocess.STDOUT
                )
            running.callback(stop_process, process)
        yield logs


@pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded product has one clock")
def test_g14_two_clocks_do_each_thing_once(start: Start, inbox: Path, clocks: list[Path]) -> None:
    """Files whose workers are gone are freed once each, whoever sweeps, and the ticks of both clocks are consumed."""
    trials = Trials("G14", "two clocks and the sweepers of two workers", cost=math.inf)
    expected = write_exports(inbox, FILES)
    task = services.submit_by_ids(file_ids=list(expected), owner=None, sight=EVERYTHING).task
    for _ in range(FILES):
        assert claim_next(task.pk)
    task.items.update(lease_until=Now() - timedelta(seconds=1))
    running = [start(processes=2), start(processes=2)]
    ticked = "Sending due task recover tasks"
    wait_until(
        lambda: at_rest() and all(ticked in log.read_text(errors="replace") for log in clocks),
        seconds=120,
        what=f"the files and a tick of each clock; see {running[0].log} and {clocks[0]}",
    )
    assert set(task.items.values_list("state", "attempt", "crashes")) == {(ItemState.COMPLETED, 2, 1)}
    check(expected, trials)
    trials.tried += 1


def test_g14_each_file_is_freed_once(bell: Bell) -> None:
    task = services.submit_by_ids(file_ids=[make_file().pk for _ in range(FILES)], owner=None, sight=EVERYTHING).task
    for _ in range(FILES):
        assert claim_next(task.pk)
    task.items.update(lease_until=Now() - timedelta(seconds=1))
    swept: list[Swept] = []
    together = threading.Barrier(SWEEPERS)

    def run() -> None:
        try:
            together.wait()
            swept.append(sweep())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(SWEEPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(swept) == SWEEPERS
    assert sum(one.freed for one in swept) == FILES
    assert set(SyncTaskFile.objects.values_list("state", "crashes")) == {(ItemState.QUEUED, 1)}
