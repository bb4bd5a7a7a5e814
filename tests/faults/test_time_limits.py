"""A file has so long, then it fails and says so; what does not heed that is killed, and counts as a crash."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import QuerySet

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.ingest.load.locks import lock_number
from datasync.models import CatalogFile, SyncTaskFile
from datasync.runs import services
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
only_postgres = pytest.mark.skipif(
    os.environ.get("TEST_DATABASE") != "postgres", reason="a load cannot be made to wait inside SQLite"
)


@only_postgres
def test_a_file_that_takes_longer_than_the_soft_limit_fails_and_says_so(start: Start, inbox: Path) -> None:
    (file_id,) = write_exports(inbox, 1, rows=20)
    file = CatalogFile.objects.get()
    running = start(SOFT_LIMIT_SECONDS="2", HARD_LIMIT_SECONDS="60")
    with connection.cursor() as cursor:
        lock = lock_number(file.platform_id, file.domain, file.shop_id)
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
        try:
            task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
            wait_until(at_rest, seconds=60, what=f"the file; the worker's log is {running.log}")
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
    item = task.items.get()
    assert (item.state, item.attempt, item.crashes) == (ItemState.FAILED, 1, 0)
    assert (item.error["code"], item.error["params"]) == ("READER_TIMEOUT", {"limit": 2})


def test_a_worker_that_does_not_heed_the_limit_is_killed_and_the_file_given_up_after_two(
    start: Start, inbox: Path
) -> None:
    (poison,) = write_exports(inbox, 1, rows=2_000)
    running = start(SOFT_LIMIT_SECONDS="2", HARD_LIMIT_SECONDS="4")
    task = services.submit_single(file_id=poison, owner=None, sight=EVERYTHING)
    held = SyncTaskFile.objects.filter(file=poison, state=ItemState.PROCESSING)
    wait_until(partial(_stopping, held), seconds=120, what=f"the file; the worker's log is {running.log}")
    item = task.items.get(file=poison)
    assert (item.state, item.crashes, item.error["code"]) == (ItemState.FAILED, 2, "READER_CRASHED")
    assert running.output().count("Hard time limit (4s) exceeded") >= 2


def _stopping(held: QuerySet[SyncTaskFile]) -> bool:
    """Stop whoever has the file in hand, for good; whether all is done."""
    item = held.first()
    if item is not None:
        with suppress(ProcessLookupError):
            os.kill(int(item.worker.split(":")[1]), signal.SIGSTOP)
    return at_rest()
