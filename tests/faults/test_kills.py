"""Workers killed in the middle of whatever they do: every file is done once, or says that its workers died with it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from django.utils import timezone

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.processes import pool_of
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g3_g4_a_file_whose_worker_is_killed_is_done_once(start: Start, inbox: Path) -> None:
    trials = Trials("G4", "a process of the pool is killed, whatever it does", quick=8)
    expected = write_exports(inbox, 3 * trials.wanted)
    services.submit_by_ids(file_ids=list(expected), owner=None)
    running = start(processes=2)
    killed: dict[int, float] = {}
    while trials.tried < trials.wanted and not at_rest():
        time.sleep(trials.random.uniform(0.05, 0.6))
        pool = pool_of(running)
        if pool:
            process = trials.random.choice(pool)
            held = SyncTaskFile.objects.filter(state=ItemState.PROCESSING, worker__contains=f":{process}:").first()
            os.kill(process, signal.SIGKILL)
            trials.tried += 1
            if held is not None:
                killed[held.pk] = timezone.now().timestamp()
    wait_until(at_rest, seconds=240, what=f"the batch; the worker's log is {running.log}")
    given_up = SyncTaskFile.objects.filter(state=ItemState.FAILED)
    assert {item.error["code"] for item in given_up} <= {"READER_CRASHED"}
    for item in SyncTaskFile.objects.filter(pk__in=killed, state=ItemState.COMPLETED, finished_at__isnull=False):
        assert item.finished_at is not None
        if (seconds := item.finished_at.timestamp() - killed[item.pk]) > 0:
            trials.recovery.append(seconds)
    check(expected, trials)
