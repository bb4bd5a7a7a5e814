"""G6: a file whose workers die with it is given up after two, says so, and does not keep the others from being done."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from datasync.choices import FileState, ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_g6_a_poison_file_stops_after_two_crashes(start: Start, inbox: Path) -> None:
    expected = write_exports(inbox, 6, rows=4_000)
    poison, *others = expected
    services.submit_by_ids(file_ids=list(expected), owner=None)
    held = SyncTaskFile.objects.filter(file=poison, state=ItemState.PROCESSING)

    def kill_who_holds_it() -> bool:
        item = held.first()
        if item is not None:
            with suppress(ProcessLookupError):
                os.kill(int(item.worker.split(":")[1]), signal.SIGKILL)
        return at_rest()

    running = start(processes=2)
    wait_until(kill_who_holds_it, seconds=120, what=f"the batch; the worker's log is {running.log}")
    item = SyncTaskFile.objects.get(file=poison)
    assert (item.state, item.crashes, item.error["code"]) == (ItemState.FAILED, 2, "READER_CRASHED")
    assert item.file.state == FileState.FAILED
    assert set(SyncTaskFile.objects.filter(file__in=others).values_list("state", flat=True)) == {ItemState.COMPLETED}
    check(expected)
