"""G2: a message that is delivered again and again has the effect of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import publish, services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TIMES, PROCESSES = 20, 8


def test_g2_the_same_message_twenty_times_to_eight_processes(start: Start, inbox: Path) -> None:
    """Few large files and many processes, so that each file is wanted by several at the same moment."""
    trials = Trials("G2", "the same message is delivered twenty times to eight processes", cost=4)
    expected: dict[int, list[str]] = {}
    running = start(processes=PROCESSES)
    for trial in trials:
        files = write_exports(inbox, 3, rows=1_000, trial=trial, shops=3)
        expected |= files
        task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
        for _ in range(TIMES):
            publish.give_turns(first_id=task.celery_task_id)
        wait_until(at_rest, seconds=120, what=f"the files; the worker's log is {running.log}")
        check(expected, trials)
    assert set(SyncTaskFile.objects.values_list("state", "attempt")) == {(ItemState.COMPLETED, 1)}
