"""G25: a connection whose other side is gone without a word is noticed, and work goes on."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from tests.conftest import test_environment
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.relay import relay
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="no connection to lose"),
]

LONG = 250_000
"""Rows of a load that a fast machine has not ended before it shows its first ones."""


def _through(url: str, port: int) -> str:
    """The same address, by way of the relay on that port."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")).geturl()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def test_g25_a_lost_connection_to_redis(start: Start, inbox: Path, private_redis: str) -> None:
    trials = Trials("G25", "the connection to Redis is lost in silence", cost=60)
    expected: dict[int, list[str]] = {}
    with relay(_port(private_redis)) as line:
        running = start(REDIS_URL=_through(private_redis, line.port))
        for trial in trials:
            files = write_exports(inbox, 1, trial=trial)
            expected |= files
            assert line.drop()
            lost = timezone.now()
            for file_id in files:
                services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
            wait_until(at_rest, seconds=120, what=f"the file; the worker's log is {running.log}")
            trials.recovery.append((timezone.now() - lost).total_seconds())
            check(expected, trials)


@pytest.mark.parametrize("loading", [False, True], ids=["idle", "in a load"])
def test_g25_a_lost_connection_to_postgresql(start: Start, inbox: Path, loading: bool) -> None:
    """The worker's only process has to let go of the lost connection itself: no other takes the work over."""
    trials = Trials(
        "G25", f"the connection to PostgreSQL is lost in silence, {'in a load' if loading else 'idle'}", cost=60
    )
    expected: dict[int, list[str]] = {}
    url = test_environment()["DATABASE_URL"]
    with relay(_port(url)) as line:
        running = start(DATABASE_URL=_through(url, line.port))
        for trial in trials:
            canary = write_exports(inbox, 1, trial=2 * trial)
            services.submit_single(file_id=next(iter(canary)), owner=None, sight=EVERYTHING)
            wait_until(at_rest, seconds=60, what=f"the canary; the worker's log is {running.log}")
            files = write_exports(inbox, 1, rows=LONG if loading else 300, trial=2 * trial + 1)
            expected |= canary | files
            if not loading:
                assert line.drop()
            lost = timezone.now()
            task = services.submit_single(file_id=next(iter(files)), owner=None, sight=EVERYTHING)
            if loading:
                under_way = SyncTaskFile.objects.filter(task=task, state=ItemState.PROCESSING, rows_read__gt=0)
                wait_until(under_way.exists, seconds=60, what=f"rows; the worker's log is {running.log}")
                assert line.drop()
                lost = timezone.now()
            wait_until(at_rest, seconds=120, what=f"the file; the worker's log is {running.log}")
            trials.recovery.append((timezone.now() - lost).total_seconds())
            assert "silent" in running.output()
            check(expected, trials)
