"""Of all who want the same at once, one computes it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django_redis import get_redis_connection

from erp.caching import cached, store
from erp.caching.statistics import Outcome, statistics
from erp.supervisor import BASE_DIR
from tests.cache_support import Counting, Keep, keep, shared_cache, use_cache
from tests.conftest import test_environment

__all__ = ["keep", "shared_cache"]
THREADS = 20


def at_once(kept: Any) -> list[Any]:
    """What twenty threads get that ask in the same instant."""
    gate = threading.Barrier(THREADS)

    def ask(_number: int) -> Any:
        gate.wait()
        return kept()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask, range(THREADS)))


@pytest.mark.parametrize("where", ["redis", "process"])
def test_twenty_threads_compute_once(where: str, settings: Any, shared_cache: str, keep: Keep) -> None:
    use_cache(settings, shared_cache if where == "redis" else "")
    computed = Counting()

    def slow() -> int:
        time.sleep(0.3)
        return computed()

    kept = keep(slow)
    assert at_once(kept) == [1] * THREADS
    assert computed.times == 1


def test_who_waited_for_a_computation_that_failed_computes_itself(shared_cache: str, keep: Keep) -> None:
    computed = Counting()

    def first_fails() -> int:
        number = computed()
        time.sleep(0.1)
        if number == 1:
            raise RuntimeError("the first fails")
        return number

    kept = keep(first_fails)
    gate = threading.Barrier(3)

    def ask(_number: int) -> object:
        gate.wait()
        try:
            return kept()
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(ask, range(3)))
    assert answers.count("the first fails") == 1
    assert all(isinstance(answer, int) for answer in answers if answer != "the first fails")
    assert kept() >= 2  # the failure was not kept


def test_what_another_process_is_computing_is_waited_for(shared_cache: str, keep: Keep) -> None:
    kept = keep(lambda: "mine", tags=("a",))
    name = kept._name()
    assert name is not None
    versions, nothing = kept._look(name)
    assert nothing is None
    with store.held(f"lock:{name}:{cached._digest(versions)}", seconds=10) as ours, ThreadPoolExecutor(1) as pool:
        assert ours
        waiting = pool.submit(kept)
        time.sleep(0.1)
        assert not waiting.done()
        store.write(name, {"versions": versions, "data": "theirs"}, seconds=10)
        assert waiting.result(timeout=2) == "theirs"
    assert statistics.totals()[f"{kept.kind}:{Outcome.SHARED}"] == 1


def test_a_process_that_is_lost_keeps_nobody_waiting_for_long(
    shared_cache: str, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached, "WAIT_SECONDS", 0.2)
    kept = keep(Counting())
    name = kept._name()
    assert name is not None
    versions, _nothing = kept._look(name)
    with store.held(f"lock:{name}:{cached._digest(versions)}", seconds=10):
        began = time.perf_counter()
        assert kept() == 1
    assert 0.2 <= time.perf_counter() - began < cached.LOCK_SECONDS / 3


def test_who_waited_in_vain_does_not_wait_again(shared_cache: str, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for the thread that computes nor for the process that holds the lock, which are the same."""
    monkeypatch.setattr(cached, "WAIT_SECONDS", 2.0)
    computed, computing, go_on = Counting(), threading.Event(), threading.Event()

    def first_is_slow() -> int:
        number = computed()
        if number == 1:
            computing.set()
            go_on.wait(10)
        return number

    kept = keep(first_is_slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept)
        assert computing.wait(5)
        began = time.perf_counter()
        assert kept() == 2
        assert 2.0 <= time.perf_counter() - began < 3.8
        go_on.set()
        assert first.result(timeout=5) == 1


def test_where_another_process_failed_one_of_those_who_wait_computes_at_once(shared_cache: str, keep: Keep) -> None:
    computed = Counting()
    kept = keep(computed)
    name = kept._name()
    assert name is not None
    versions, _nothing = kept._look(name)
    with ThreadPoolExecutor(1) as pool:
        with store.held(f"lock:{name}:{cached._digest(versions)}", seconds=10) as ours:
            assert ours
            waiting = pool.submit(at_once, kept)
            time.sleep(0.2)
            assert computed.times == 0
        assert waiting.result(timeout=4) == [1] * THREADS


@pytest.mark.parametrize("where", ["redis", "process"])
def test_after_one_that_failed_one_of_the_others_computes(
    where: str, settings: Any, shared_cache: str, keep: Keep
) -> None:
    use_cache(settings, shared_cache if where == "redis" else "")
    computed = Counting()

    def first_fails() -> int:
        number = computed()
        time.sleep(0.2)
        if number == 1:
            raise ZeroDivisionError
        return number

    kept = keep(first_fails)

    def ask() -> object:
        try:
            return kept()
        except ZeroDivisionError:
            return "failed"

    assert sorted(map(str, at_once(ask))) == ["2"] * (THREADS - 1) + ["failed"]


_PROCESS = """
import django, sys, time
django.setup()
from django_redis import get_redis_connection
from erp.caching.cached import cache_result
redis = get_redis_connection("default")

@cache_result(kind=sys.argv[1], tags=())
def slow():
    redis.incr(sys.argv[1] + ":computed")
    time.sleep(0.5)
    return "done"

redis.incr(sys.argv[1] + ":ready")
while int(redis.get(sys.argv[1] + ":ready")) < 3:
    time.sleep(0.005)
sys.stdout.write(slow())
"""


@pytest.mark.services
@pytest.mark.django_db
def test_three_processes_compute_once(shared_cache: str, keep: Keep) -> None:
    kind = keep(lambda: None).kind
    environment = test_environment() | {"REDIS_URL": shared_cache}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, kind], cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["done"] * 3
    assert int(get_redis_connection("default").get(f"{kind}:computed")) == 1
