"""G7, G8: a broker that hangs costs a submit little, and what is done meanwhile is done once when it comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from datasync.runs.local import pool
from erp.publishing import breaker
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import Server, start_redis, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder"),
]


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A Redis of the test's own as the broker, and this process as a web process."""
    server = start_redis()
    for name in ("broker_url", "broker_write_url", "broker_read_url"):
        monkeypatch.setitem(current_app.conf, name, server.url)
    breaker.succeeded()
    pool.open = True
    yield server
    pool.open = False
    wait_until(lambda: not pool.running, seconds=60, what="the local threads")
    breaker.succeeded()
    server.stop(by=signal.SIGKILL)


def test_g8_a_broker_that_thaws_during_the_local_run_doubles_nothing(redis: Server, start: Start, inbox: Path) -> None:
    trials = Trials("G8", "Redis is frozen, and thaws during the local run", cost=1_000_000)
    expected = write_exports(inbox, 20, rows=4_000)
    running = start(processes=2, REDIS_URL=redis.url)
    os.kill(redis.process.pid, signal.SIGSTOP)
    tasks = [services.submit_single(file_id=file_id, owner=None) for file_id in expected]
    assert all(task.fallback for task in tasks)
    done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED)
    wait_until(lambda: done.count() >= 3, seconds=60, what="files done without the broker")
    os.kill(redis.process.pid, signal.SIGCONT)
    wait_until(at_rest, seconds=120, what=f"all files; the worker's log is {running.log}")
    assert done.count() == len(expected)
    assert set(SyncTaskFile.objects.values_list("attempt", flat=True)) == {1}
    trials.tried += 1
    check(expected, trials)
