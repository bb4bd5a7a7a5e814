"""Every broker that a URL can name carries the work, and on each the most urgent files really start first."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from celery import current_app

from datasync.access import EVERYTHING
from datasync.models import SyncTaskFile
from datasync.runs import services
from erp.broker import broker_settings
from erp.publishing import breaker
from tests.faults.brokers import own_redis, rabbitmq, sentinels
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="servers go with a server"),
]
ONLY_LONG = pytest.mark.skipif(not os.environ.get("FAULT_TRIALS"), reason="its servers take long to start: make faults")
MASTER = "erp"


@contextmanager
def _redis() -> Iterator[str]:
    with own_redis() as redis:
        yield redis.url


@contextmanager
def _sentinel() -> Iterator[str]:
    with own_redis() as redis, sentinels(redis, number=2) as url:
        yield url


BROKERS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "Redis": _redis,
    "Sentinel": _sentinel,
    "RabbitMQ": rabbitmq,
}
NAMES = ["Redis", "Sentinel", pytest.param("RabbitMQ", marks=ONLY_LONG)]


@contextmanager
def _broker_at(url: str, folder: Path) -> Iterator[None]:
    """This process publishes there, with the settings that belong to such a broker."""
    settings = broker_settings(url=url, folder=folder, sentinel_master=MASTER)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("broker_url", "broker_write_url", "broker_read_url"):
            patched.setitem(current_app.conf, name, url)
        patched.setitem(current_app.conf, "broker_transport_options", settings["broker_transport_options"])
        patched.setattr(current_app.amqp, "queues", current_app.amqp.Queues(settings["task_queues"]))
        patched.setattr(current_app.amqp, "router", current_app.amqp.Router())  # the last one knows the queues of Redis
        breaker.succeeded()
        yield
    breaker.succeeded()


@pytest.mark.parametrize("name", NAMES)
def test_g18_the_most_urgent_file_starts_first_on_every_broker(name: str, start: Start, inbox: Path) -> None:
    trials = Trials("G18", f"the highest priority starts first, on {name}", cost=100)
    files = 20
    all_of_it: dict[int, list[str]] = {}
    with BROKERS[name]() as url:
        for trial in trials:
            expected = write_exports(inbox, files, rows=5, trial=trial)
            all_of_it |= expected
            priorities = [1 + 7 * number % 10 for number in range(files)]
            with _broker_at(url, inbox):
                for file_id, priority in zip(expected, priorities, strict=True):
                    task = services.submit_single(file_id=file_id, owner=None, priority=priority, sight=EVERYTHING)
                    assert not task.fallback
            running = start(AGEING_SECONDS="3600", CELERY_BROKER_URL=url, SENTINEL_MASTER=MASTER)
            wait_until(at_rest, seconds=120, what=f"the files; the worker's log is {running.log}")
            running.stop(by=signal.SIGTERM)
            items = SyncTaskFile.objects.filter(file__in=list(expected)).order_by("started_at")
            started = list(items.values_list("task__priority", flat=True))
            assert all(earlier >= later for earlier, later in pairwise(started)), started
            check(all_of_it, trials)
