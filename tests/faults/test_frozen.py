"""G5: a worker that is stopped for longer than its lease writes nothing when it goes on, and holds up nobody."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.processes import children_of, pool_of
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g5_a_stale_worker_cannot_write(start: Start, inbox: Path) -> None:
    expected = write_exports(inbox, 1, rows=60_000)
    (file_id,) = expected
    frozen = start()
    task = services.submit_single(file_id=file_id, owner=None)
    items = SyncTaskFile.objects.filter(task=task)
    wait_until(lambda: items.filter(state=ItemState.PROCESSING, rows_read__gt=0).exists(), seconds=60, what="rows")
    (process,) = pool_of(frozen)
    family = [process, *children_of(process)]
    for member in family:
        os.kill(member, signal.SIGSTOP)
    try:
        other = start()
        wait_until(at_rest, seconds=120, what=f"the other worker; its log is {other.log}")
    finally:
        for member in family:
            os.kill(member, signal.SIGCONT)
    item = items.get()
    assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 2, 1)
    check(expected)
