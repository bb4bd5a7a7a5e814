"""G21: a deployment under load loses and doubles nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g21_workers_are_replaced_in_the_middle_of_their_work(start: Start, inbox: Path) -> None:
    expected = write_exports(inbox, 24, rows=4_000)
    services.submit_by_ids(file_ids=list(expected), owner=None)
    done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED)
    running = start(processes=2)
    for share in (4, 10):

        def reached(share: int = share) -> bool:
            return done.count() >= share

        wait_until(reached, seconds=120, what=f"{share} files; the worker's log is {running.log}")
        running.process.send_signal(signal.SIGTERM)
        replacement = start(processes=2)
        running.stop()
        running = replacement
    wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
    assert done.count() == 24
    check(expected)
