"""G7, G8, G22: a broker in trouble costs a submit little, and what is done meanwhile is done, once."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles

import pytest
from celery import current_app
from django.db.models import Count
from redis import Redis

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.local import pool
from datasync.runs.turns import take_local_turn
from erp.models import ApiToken
from erp.publishing import BUDGET_SECONDS, OPEN_SECONDS, breaker
from tests.api import person
from tests.conftest import test_environment
from tests.event_streams import Web, web_process
from tests.faults.brokers import OwnRedis, black_hole, frozen, own_redis
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.faults.web import StartWeb, call, kill
from tests.services import wait_until

pytestmark = [
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the embedded broker is a folder"),
]
SINGLE = "/api/data-sync/single"
MOST_SECONDS = 1.0
LOCAL_WORKERS = 2
_EVENTS_BYTES = 1024
"""A Redis that loads looks after its clients each time that it has read so much."""


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    """A Redis of the test's own."""
    with own_redis() as running:
        yield running


@pytest.fixture
def as_web(redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process is a web process, and that Redis its broker."""
    for name in ("broker_url", "broker_write_url", "broker_read_url"):
        monkeypatch.setitem(current_app.conf, name, redis.url)
    breaker.succeeded()
    pool.open_for(take_local_turn)
    yield
    pool.close()
    wait_until(lambda: not pool.running, seconds=60, what="the local threads")
    breaker.succeeded()


@pytest.fixture
def token(transactional_db: None) -> str:
    """The token of somebody whom no quota limits."""
    _token, secret = ApiToken.issue(user=person("clerk", is_staff=True))
    return secret


@pytest.fixture
def start_one_web(inbox: Path, tmp_path: Path) -> Iterator[StartWeb]:
    """Start a web server with a single process, which has one breaker and is warm after its first answers."""
    with ExitStack() as running:

        def started(**environment: str) -> Web:
            all_of_it = test_environment() | {"DATA_ROOTS": str(inbox)} | environment
            log = tmp_path / f"web{time.monotonic_ns()}.log"
            return running.enter_context(web_process(all_of_it, processes=1, threads=8, log=log))

        yield started


def _submit(web: Web, token: str, file_id: int) -> tuple[bool, float]:
    """Whether the submit was answered as one without the broker, and the seconds that it took; it has to be taken."""
    began = time.monotonic()
    answer = call(web, "POST", SINGLE, token=token, body={"file_id": file_id})
    seconds = time.monotonic() - began
    assert answer.status == HTTPStatus.ACCEPTED, answer
    return answer.data["fallback"], seconds


@contextmanager
def _stopped(redis: OwnRedis) -> Iterator[None]:
    redis.stop()
    yield
    redis.start()


@contextmanager
def _silent(redis: OwnRedis) -> Iterator[None]:
    redis.stop()
    with black_hole(redis.port):
        yield
    redis.start()


@contextmanager
def _wrong_password(redis: OwnRedis) -> Iterator[None]:
    with Redis.from_url(redis.url) as console:
        console.config_set("requirepass", "another")
        console.client_kill_filter(_type="normal", skipme=True)
        yield
        console.config_set("requirepass", "")


@contextmanager
def _loading(redis: OwnRedis) -> Iterator[None]:
    """It reads what it kept, slowly, and answers LOADING meanwhile."""
    with Redis.from_url(redis.url) as console:
        for number in range(500):
            console.set(f"ballast {number}", os.urandom(_EVENTS_BYTES))  # so that it answers after each
        console.save()
    redis.stop()
    every = ("--loading-process-events-interval-bytes", str(_EVENTS_BYTES))
    slow = ("--key-load-delay", "100000", *every, "--appendonly", "no")
    redis.start(*slow, answer=b"-LOADING")
    yield
    redis.stop()
    redis.start()


@contextmanager
def _out_of_memory(redis: OwnRedis) -> Iterator[None]:
    with Redis.from_url(redis.url) as console:
        console.config_set("maxmemory-policy", "noeviction")
        console.config_set("maxmemory", "1")
        yield
        console.config_set("maxmemory", "0")


Trouble = Callable[[OwnRedis], AbstractContextManager[None]]
TROUBLES: dict[str, Trouble] = {
    "stopped": _stopped,
    "frozen": frozen,
    "silent": _silent,
    "wrong password": _wrong_password,
    "loading": _loading,
    "out of memory": _out_of_memory,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_g7_a_submit_is_taken_within_a_second(
    trouble: str, redis: OwnRedis, start_one_web: StartWeb, inbox: Path, token: str
) -> None:
    """The first submit meets the trouble on a connection that was well a moment ago, the last one on a new one.

    What a submit costs without trouble says how busy this machine is, and is granted besides the publisher's budget.
    """
    trials = Trials("G7", f"Redis is in trouble: {trouble}", cost=40)
    expected: dict[int, list[str]] = {}
    web = start_one_web(REDIS_URL=redis.url, LOCAL_WORKERS=str(LOCAL_WORKERS))
    for trial in trials:
        files = write_exports(inbox, 6, rows=20, trial=trial)
        expected |= files
        well, ill = list(files)[:3], list(files)[3:]
        usual = [_submit(web, token, file_id) for file_id in well]
        with TROUBLES[trouble](redis):
            told = [_submit(web, token, file_id) for file_id in ill[:2]]
            time.sleep(OPEN_SECONDS)
            told += [_submit(web, token, file_id) for file_id in ill[2:]]
            for name, several in (("usual", usual), (trouble, told)):
                print(name, ", ".join(f"{seconds:.2f} s" for _fallback, seconds in several))
            assert all(fallback for fallback, _seconds in told)
            assert not usual[-1][0]
            granted = 2 * max(seconds for _fallback, seconds in usual[1:])  # the first finds everything cold
            assert max(seconds for _fallback, seconds in told) <= BUDGET_SECONDS + 0.1 + granted
            wait_until(at_rest, seconds=120, what="the files, done by the web process")
        time.sleep(OPEN_SECONDS)
    check(expected, trials)


def test_g7_the_first_request_of_a_process_meets_a_frozen_redis(
    redis: OwnRedis, start_one_web: StartWeb, inbox: Path, token: str
) -> None:
    """And who only reads does not notice."""
    trials = Trials("G7", "the first request of a web process, Redis is frozen", cost=math.inf)
    submitted, read = list(write_exports(inbox, 2, rows=20)), list[float]()
    usual = start_one_web(REDIS_URL=redis.url)
    first = start_one_web(REDIS_URL=redis.url)
    _fallback, granted = _submit(usual, token, submitted[0])
    with frozen(redis):
        fallback, seconds = _submit(first, token, submitted[1])
        for path in ("/api/data-sync/tasks", "/api/data-sync/files"):
            began = time.monotonic()
            assert call(first, "GET", path, token=token).status == HTTPStatus.OK
            read.append(time.monotonic() - began)
    print(f"usual {granted:.2f} s, frozen {seconds:.2f} s, read", ", ".join(f"{one:.2f} s" for one in read))
    assert fallback
    assert seconds <= BUDGET_SECONDS + 0.1 + 2 * granted
    assert max(read) <= BUDGET_SECONDS
    trials.tried += 1


def test_g8_a_broker_that_thaws_during_the_local_run_doubles_nothing(
    redis: OwnRedis, as_web: None, start: Start, inbox: Path
) -> None:
    trials = Trials("G8", "Redis is frozen, and thaws during the local run", cost=math.inf)
    expected = write_exports(inbox, 20, rows=4_000)
    running = start(processes=2, REDIS_URL=redis.url)
    done = SyncTaskFile.objects.filter(state=ItemState.COMPLETED)
    with frozen(redis):
        tasks = [services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING) for file_id in expected]
        assert all(task.fallback for task in tasks)
        wait_until(lambda: done.count() >= 3, seconds=60, what="files done without the broker")
    wait_until(at_rest, seconds=120, what=f"all files; the worker's log is {running.log}")
    assert done.count() == len(expected)
    assert set(SyncTaskFile.objects.values_list("attempt", flat=True)) == {1}
    check(expected, trials)
    trials.tried += 1


def test_g22_the_web_does_what_it_can_and_loses_nothing_when_it_restarts(
    redis: OwnRedis, start_one_web: StartWeb, inbox: Path, token: str
) -> None:
    """No worker, no broker: few threads of the web do all the work, and the next web process goes on."""
    trials = Trials("G22", "many submits without Redis, and the web is killed midway", cost=math.inf)
    number = 500 if os.environ.get("FAULT_TRIALS") else 30
    expected = write_exports(inbox, number, rows=20)
    halves = list(expected)[: number // 2], list(expected)[number // 2 :]
    redis.stop()
    most = 0
    p95: list[float] = []
    for half in halves:
        web = start_one_web(REDIS_URL=redis.url, LOCAL_WORKERS=str(LOCAL_WORKERS), LEASE_SECONDS="5")
        seconds: list[float] = []
        for file_id in half:
            fallback, taken = _submit(web, token, file_id)
            assert fallback
            seconds.append(taken)
            held = SyncTaskFile.objects.filter(state=ItemState.PROCESSING).values("worker").annotate(files=Count("pk"))
            most = max(most, *(one["files"] for one in held), 0)
        p95.append(quantiles(seconds[1:], n=20)[-1])
        if half is halves[0]:
            kill(web)
    assert SyncProgressTask.objects.count() == number
    wait_until(at_rest, seconds=120 + number, what="all files, done by the web process")
    print(f"p95 {p95[0]:.3f} s, then {p95[1]:.3f} s; at most {most} files at once")
    assert 1 <= most <= LOCAL_WORKERS
    assert max(p95) <= MOST_SECONDS
    assert set(SyncProgressTask.objects.values_list("state", flat=True)) == {TaskState.COMPLETED}
    check(expected, trials)
    trials.tried += 1
