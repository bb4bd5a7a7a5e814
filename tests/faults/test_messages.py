"""Messages that are lost, doubled or never sent, and brokers that restart: a message is only a bell."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from celery import current_app
from django.utils import timezone
from redis import Redis

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import dispatch, publish, services
from erp.health.probes import STALLED_SECONDS, ProbeFailed, ask_worker
from erp.models import WorkerHeartbeat
from erp.publishing import breaker
from tests.faults.brokers import OwnRedis, own_redis
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
only_redis = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder")


def test_g1_a_task_whose_messages_were_never_sent_is_done(
    start: Start, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the web process was killed between commit and publish."""
    trials = Trials("G1", "no message of a submit is ever sent")
    expected: dict[int, list[str]] = {}
    running = start()
    for trial in trials:
        files = write_exports(inbox, 3, trial=trial)
        expected |= files
        with monkeypatch.context() as patched:
            patched.setattr(dispatch, "give_turns", lambda **_: True)
            services.submit_by_ids(file_ids=list(files), owner=None)
        lost = timezone.now()
        wait_until(at_rest, seconds=60, what=f"the batch; the worker's log is {running.log}")
        trials.recovery.append((timezone.now() - lost).total_seconds())
        check(expected, trials)


def test_g2_one_message_delivered_many_times_has_the_effect_of_one(start: Start, inbox: Path) -> None:
    trials = Trials("G2", "a message is delivered forty times to four processes")
    expected: dict[int, list[str]] = {}
    running = start(processes=4)
    for trial in trials:
        files = write_exports(inbox, 4, rows=2_000, trial=trial)
        expected |= files
        services.submit_by_ids(file_ids=list(files), owner=None)
        publish.give_turns(turns=40)
        wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
        check(expected, trials)
    ends = {(item.state, item.attempt, item.error.get("code")) for item in SyncTaskFile.objects.all()}
    assert ends == {(ItemState.COMPLETED, 1, None)}


def _flushed(broker: OwnRedis, _share: float) -> None:
    with Redis.from_url(broker.url) as console:
        console.flushall()


def _restarted_empty(broker: OwnRedis, _share: float) -> None:
    broker.stop()
    broker.forget()
    broker.start()


def _restarted_with_half_its_log(broker: OwnRedis, share: float) -> None:
    """As after a full disk: what it wrote last is gone."""
    broker.stop()
    for log in broker.folder.glob("appendonlydir/*.incr.aof"):
        os.truncate(log, int(log.stat().st_size * share))
    broker.start("--aof-load-truncated", "yes")


LOSSES: dict[str, Callable[[OwnRedis, float], None]] = {
    "FLUSHALL": _flushed,
    "an empty restart": _restarted_empty,
    "a truncated log": _restarted_with_half_its_log,
}


@only_redis
@pytest.mark.parametrize("loss", LOSSES)
def test_g9_a_broker_that_loses_everything_heals_by_itself(loss: str, start: Start, inbox: Path) -> None:
    trials = Trials("G9", f"{loss} under load", cost=8)
    expected: dict[int, list[str]] = {}
    with own_redis() as broker:
        running = start(processes=2, REDIS_URL=broker.url)
        for trial in trials:
            files = write_exports(inbox, 6, rows=2_000, trial=trial)
            expected |= files
            with _broker_at(broker.url):
                task = services.submit_by_ids(file_ids=list(files), owner=None).task
            done = task.items.filter(state=ItemState.COMPLETED)
            share = trials.random.randrange(4)
            wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files")
            LOSSES[loss](broker, trials.random.random())
            lost = timezone.now()
            wait_until(at_rest, seconds=120, what=f"the batch; the worker's log is {running.log}")
            trials.recovery.append((timezone.now() - lost).total_seconds())
        check(expected, trials)


@only_redis
def test_g10_workers_come_back_after_every_restart_of_the_broker(start: Start, inbox: Path) -> None:
    trials = Trials("G10", "Redis is restarted; a canary after it", quick=2, cost=10)
    expected: dict[int, list[str]] = {}
    with own_redis() as broker:
        running = start(REDIS_URL=broker.url)
        for trial in trials:
            broker.stop(by=trials.random.choice((signal.SIGKILL, signal.SIGTERM)))
            broker.start()
            files = write_exports(inbox, 1, rows=20, trial=trial)
            expected |= files
            restarted = timezone.now()
            with _broker_at(broker.url):
                assert not services.submit_by_ids(file_ids=list(files), owner=None).task.fallback
            wait_until(at_rest, seconds=60, what=f"the canary; the worker's log is {running.log}")
            trials.recovery.append((timezone.now() - restarted).total_seconds())
        check(expected, trials)


@only_redis
def test_g10_a_worker_that_answers_but_takes_nothing_is_told(start: Start, worker: Start, inbox: Path) -> None:
    """It beats, and files wait: readiness says so until somebody takes them."""
    trials = Trials("G10", "a worker answers and takes nothing", cost=math.inf)
    running = worker(queues=["email_tasks"])
    wait_until(WorkerHeartbeat.objects.exists, seconds=60, what=f"a heartbeat; the worker's log is {running.log}")
    ask_worker()
    expected = write_exports(inbox, 1)
    task = services.submit_by_ids(file_ids=list(expected), owner=None).task
    ask_worker()
    long_ago = timezone.now() - timedelta(seconds=STALLED_SECONDS + 1)
    task.items.update(queued_at=long_ago)
    with pytest.raises(ProbeFailed, match="stalled"):
        ask_worker()
    start()
    wait_until(at_rest, seconds=60, what="the file")
    ask_worker()
    trials.tried += 1
    check(expected, trials)


@contextmanager
def _broker_at(url: str) -> Iterator[None]:
    """This process publishes there."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("broker_url", "broker_write_url", "broker_read_url"):
            patched.setitem(current_app.conf, name, url)
        breaker.succeeded()
        yield
    breaker.succeeded()
