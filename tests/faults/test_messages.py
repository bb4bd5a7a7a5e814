"""Messages that are lost, doubled or never sent, and brokers that restart: a message is only a bell."""

from __future__ import annotations

import http.client
import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from celery import current_app
from django.utils import timezone
from redis import Redis

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import dispatch, publish, services
from erp.health.probes import STALLED_SECONDS, ProbeFailed, ask_worker
from erp.models import ApiToken, WorkerHeartbeat
from erp.publishing import breaker
from tests.api import person
from tests.event_streams import Web
from tests.faults.brokers import OwnRedis, black_hole, own_redis
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.faults.web import StartWeb, at_once, call, kill, start_web
from tests.services import free_port, wait_until

__all__ = ["start_web"]
pytestmark = pytest.mark.django_db(transaction=True)
only_redis = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder")
AT_ONCE = 10 if "FAULT_TRIALS" in os.environ else 3
TWO_LEASES = 120  # of a minute, as in production


def test_g1_a_task_whose_messages_were_never_sent_is_done(
    start: Start, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any broker: as if it took all of them and kept none."""
    trials = Trials("G1", "no message of a submit is ever sent", quick=AT_ONCE, cost=4)
    expected: dict[int, list[str]] = {}
    running = start()
    while trials.more:
        files = write_exports(inbox, AT_ONCE, rows=100, trial=trials.tried)
        expected |= files
        with monkeypatch.context() as patched:
            patched.setattr(dispatch, "give_turns", lambda **_: True)
            for file_id in files:
                services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
        lost = timezone.now()
        wait_until(at_rest, seconds=TWO_LEASES, what=f"the files; the worker's log is {running.log}")
        _time_recoveries(trials, files, since=lost)
        check(expected, trials)
        trials.tried += AT_ONCE


@only_redis
def test_g1_a_web_process_is_killed_between_commit_and_publish(start: Start, start_web: StartWeb, inbox: Path) -> None:
    """A broker that takes connections and says nothing makes it wait there; whose task is there gets no answer."""
    trials = Trials("G1", "a web process is killed between commit and publish", cost=4, minutes=3)
    _token, secret = ApiToken.issue(user=person("clerk", is_staff=True))
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState | None] = {}
    running, port = start(), free_port()
    with black_hole(port), ThreadPoolExecutor(1) as aside:
        while trials.more:
            web = start_web(CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0")
            files = write_exports(inbox, AT_ONCE, rows=100, trial=len(expected))
            expected |= files
            accepted = SyncTaskFile.objects.filter(file__in=files)
            asked = aside.submit(at_once, AT_ONCE, partial(_submit, web, secret, list(files)))
            wait_until(accepted.exists, seconds=60, what="a commit")
            time.sleep(trials.random.uniform(0, 0.3))
            kill(web)
            killed = timezone.now()
            unanswered = {
                file_id for file_id, status in zip(files, asked.result(timeout=60), strict=True) if not status
            }
            wait_until(at_rest, seconds=TWO_LEASES, what=f"the files; the worker's log is {running.log}")
            struck = unanswered & set(accepted.values_list("file_id", flat=True))
            ended |= dict.fromkeys(unanswered - struck)
            check(expected, trials, ended=ended)
            _time_recoveries(trials, struck, since=killed)
            trials.tried += len(struck)


def _submit(web: Web, secret: str, files: Sequence[int], at: int) -> int:
    """The status of the answer; 0 where there is none."""
    try:
        return call(web, "POST", "/api/data-sync/single", token=secret, body={"file_id": files[at]}).status
    except (OSError, http.client.HTTPException, ValueError):
        return 0


@only_redis
def test_g1_a_frozen_worker_dies_with_a_message(start: Start, inbox: Path, private_redis: str) -> None:
    """What the broker gave to the stopped worker is in no queue any more, nor among what is to be given again."""
    trials = Trials("G1", "a worker is frozen, given a message, and killed", cost=20, minutes=2.5)
    expected: dict[int, list[str]] = {}
    running = start()
    while trials.more:
        files = write_exports(inbox, 1, rows=100, trial=len(expected))
        expected |= files
        os.kill(running.process.pid, signal.SIGSTOP)
        task = services.submit_single(file_id=next(iter(files)), owner=None, sight=EVERYTHING)
        running.kill()
        with Redis.from_url(private_redis) as broker:
            is_kept = _is_kept(broker, task.celery_task_id)
        killed = timezone.now()
        running = start()
        wait_until(at_rest, seconds=TWO_LEASES, what=f"the file; the worker's log is {running.log}")
        check(expected, trials)
        if not is_kept:  # else the worker was stopped while it was not asking for messages
            _time_recoveries(trials, files, since=killed)
            trials.tried += 1


def _is_kept(broker: Redis, message: str) -> bool:
    queued = [text for name in broker.scan_iter(_type="list") for text in broker.lrange(name, 0, -1)]
    return any(message.encode() in text for text in (*queued, *broker.hvals("unacked")))


def _time_recoveries(trials: Trials, files: Iterable[int], *, since: datetime) -> None:
    for finished in SyncTaskFile.objects.filter(file__in=list(files)).values_list("finished_at", flat=True):
        assert finished is not None
        trials.recovery.append((finished - since).total_seconds())


def test_g2_one_message_delivered_many_times_has_the_effect_of_one(start: Start, inbox: Path) -> None:
    trials = Trials("G2", "a message is delivered forty times to four processes", cost=4)
    expected: dict[int, list[str]] = {}
    running = start(processes=4)
    for trial in trials:
        files = write_exports(inbox, 4, rows=1_000, trial=trial)
        expected |= files
        services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING)
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
    trials = Trials("G9", f"{loss} under load", cost=12, minutes=2)
    expected: dict[int, list[str]] = {}
    with own_redis() as broker:
        first, _second = (start(REDIS_URL=broker.url) for _ in range(2))
        for trial in trials:
            files = write_exports(inbox, 6, rows=2_000, trial=trial)
            expected |= files
            with _broker_at(broker.url):
                task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
            done = task.items.filter(state=ItemState.COMPLETED)
            share = trials.random.randrange(4)
            wait_until(partial(at_least, done, share), seconds=120, what=f"{share} files")
            LOSSES[loss](broker, trials.random.random())
            lost = timezone.now()
            wait_until(at_rest, seconds=120, what=f"the batch; a worker's log is {first.log}")
            trials.recovery.append((timezone.now() - lost).total_seconds())
            check(expected, trials)


@only_redis
def test_g10_workers_come_back_after_every_restart_of_the_broker(start: Start, inbox: Path) -> None:
    trials = Trials("G10", "Redis is restarted; a canary after it", quick=2, cost=10, minutes=2.5)
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
                assert not services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task.fallback
            wait_until(at_rest, seconds=60, what=f"the canary; the worker's log is {running.log}")
            trials.recovery.append((timezone.now() - restarted).total_seconds())
            check(expected, trials)


@only_redis
def test_g10_a_worker_with_work_in_hand_outlives_its_broker(start: Start, inbox: Path, stops: Stops) -> None:
    """It goes on with the file that it has in hand while nobody answers, and takes the next one afterwards."""
    trials = Trials("G10", "Redis is away for a while, with work in hand", cost=10, minutes=2.5)
    expected: dict[int, list[str]] = {}
    with own_redis() as broker, _broker_at(broker.url):
        running = start(processes=2, REDIS_URL=broker.url)  # one works, one is asked for
        for trial in trials:
            files = write_exports(inbox, 1, trial=2 * trial)
            ((file_id, orders),) = files.items()
            stops.set(file_id, Point.COPY, order_id=trials.random.choice(orders))
            task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
            wait_until(lambda: bool(stops.reached()), seconds=60, what=f"the load; the worker's log is {running.log}")
            broker.stop(by=trials.random.choice((signal.SIGKILL, signal.SIGTERM)))
            wait_until(lambda: "Trying again in" in running.output(), what=f"a try; the worker's log is {running.log}")
            stops.let_go(file_id)
            wait_until(at_rest, seconds=60, what=f"the file in hand; the worker's log is {running.log}")
            broker.start()
            item = task.items.get()
            assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 1, 0), running.output()
            canary = write_exports(inbox, 1, rows=20, trial=2 * trial + 1)
            expected |= files | canary
            restarted = timezone.now()
            services.submit_by_ids(file_ids=list(canary), owner=None, sight=EVERYTHING)
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
    task = services.submit_by_ids(file_ids=list(expected), owner=None, sight=EVERYTHING).task
    ask_worker()
    long_ago = timezone.now() - timedelta(seconds=STALLED_SECONDS + 1)
    task.items.update(queued_at=long_ago)
    with pytest.raises(ProbeFailed, match="stalled"):
        ask_worker()
    start()
    wait_until(at_rest, seconds=60, what="the file")
    ask_worker()
    check(expected, trials)
    trials.tried += 1


@contextmanager
def _broker_at(url: str) -> Iterator[None]:
    """This process publishes there."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("broker_url", "broker_write_url", "broker_read_url"):
            patched.setitem(current_app.conf, name, url)
        breaker.succeeded()
        yield
    breaker.succeeded()
