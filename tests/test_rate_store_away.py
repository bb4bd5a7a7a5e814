"""The shared store stops or freezes: each process limits by itself, and hardly anybody waits."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from ratelimits.windows import shared
from ratelimits.windows.redis import ANSWER_SECONDS, RedisWindow
from ratelimits.windows.shared import SharedWindow
from tests import services
from tests.api import client_of, error_of, owner
from tests.rates import LOGIN, ME, allow, limiter, remaining

__all__ = ["limiter", "owner"]
pytestmark = [pytest.mark.django_db, pytest.mark.services]
AVOIDED = 1.0


@pytest.fixture
def redis() -> Iterator[services.Server]:
    """A Redis that the test may stop and freeze."""
    server = services.start_redis()
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.stop()


@pytest.fixture
def on_redis(limiter: SharedWindow, redis: services.Server, monkeypatch: pytest.MonkeyPatch) -> services.Server:
    """The limiter counts on that Redis, and asks it again a second after a failure."""
    window = SharedWindow(RedisWindow(redis.url), avoided=AVOIDED)
    monkeypatch.setattr("ratelimits.limits.services.shared_window", lambda: window)
    return redis


@pytest.fixture
def client(owner: User, on_redis: services.Server) -> APIClient:
    return client_of(owner)


def freeze(server: services.Server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)


def degraded() -> float:
    return REGISTRY.get_sample_value("erp_rate_limit_degraded_total") or 0.0


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = act()
    return time.perf_counter() - began, answer


@pytest.mark.parametrize("how", [freeze, services.Server.stop])
def test_the_rate_stays_and_one_request_waits(
    client: APIClient, on_redis: services.Server, how: Callable[[services.Server], None]
) -> None:
    allow(5)
    assert remaining(client.get(ME)) == 4
    usual = timed(lambda: client.get("/api/nothing"))[0]
    how(on_redis)
    before = degraded()
    waited, first = timed(lambda: client.get(ME))
    assert first.status_code == 200
    assert waited - usual < 0.4
    others = [timed(lambda: client.get(ME)) for _ in range(6)]
    assert [answer.status_code for _seconds, answer in others] == [200] * 4 + [429] * 2
    assert max(seconds for seconds, _answer in others) < 0.2
    assert error_of(others[-1][1], 429)["code"] == "RATE_LIMITED"
    assert degraded() == before + 7


def test_sign_in_is_never_open(client: APIClient, on_redis: services.Server) -> None:
    freeze(on_redis)
    body = {"username": "li.na", "password": "wrong"}
    statuses = [APIClient().post(LOGIN, body).status_code for _ in range(6)]
    assert statuses == [401] * 3 + [429] * 3


def test_all_who_ask_meanwhile_wait_at_the_same_time(on_redis: services.Server) -> None:
    window, threads = SharedWindow(RedisWindow(on_redis.url)), 20
    window.take("user:1|default", limit=5, seconds=60)
    freeze(on_redis)
    together = threading.Barrier(threads)

    def ask(_number: int) -> tuple[float, bool]:
        together.wait()
        waited, taken = timed(lambda: window.take("user:2|default", limit=5, seconds=60))
        return waited, taken.allowed

    with ThreadPoolExecutor(threads) as pool:
        waited, allowed = zip(*pool.map(ask, range(threads)), strict=True)
    assert max(waited) < 3 * ANSWER_SECONDS
    assert sum(allowed) == 5
    assert timed(lambda: window.take("user:3|default", limit=5, seconds=60))[0] < ANSWER_SECONDS / 2


def test_it_counts_together_again_when_it_is_back(client: APIClient, on_redis: services.Server) -> None:
    allow(50)
    client.get(ME)
    freeze(on_redis)
    assert [remaining(client.get(ME)) for _ in range(3)] == [49, 48, 47]  # the process counts from the beginning
    os.kill(on_redis.process.pid, signal.SIGCONT)
    services.wait_until(lambda: remaining(client.get(ME)) == 47, what="Redis to be asked again", seconds=10)


def test_it_is_said_once_a_minute(
    limiter: SharedWindow, redis: services.Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = SharedWindow(RedisWindow(redis.url), avoided=0.0)
    redis.stop()
    with caplog.at_level(logging.WARNING, logger=shared.__name__):
        for _ in range(4):
            window.take("user:1|default", limit=5, seconds=60)
        assert len(caplog.records) == 1
        assert "by this process alone" in caplog.text
        monkeypatch.setattr(shared, "_WARNED_EVERY", 0.0)
        window.take("user:1|default", limit=5, seconds=60)
        assert len(caplog.records) == 2
