"""A sliding window on each of its stores: exact at its edge, all or nothing, and true about when to come back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from ratelimits.windows.base import Claim, Window
from ratelimits.windows.file import FileWindow
from ratelimits.windows.process import ProcessWindow
from ratelimits.windows.redis import RedisWindow

BEGIN = 1_000_000.0


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["process", "file", pytest.param("redis", marks=pytest.mark.services)])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Window:
    """A window by the real clock."""
    if request.param == "redis":
        return RedisWindow(request.getfixturevalue("private_redis"), seconds=5.0)
    return FileWindow(tmp_path / "limits") if request.param == "file" else ProcessWindow()


@pytest.fixture(params=["process", "file"])
def clocked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Window, Clock]:
    """A window by a clock of the test's."""
    clock = Clock()
    return FileWindow(tmp_path / "limits", clock) if request.param == "file" else ProcessWindow(clock), clock


@pytest.fixture
def key() -> str:
    """A caller that nobody else is."""
    return f"user:{uuid.uuid4().hex}|default"


def test_as_many_as_the_limit_and_no_more(window: Window, key: str) -> None:
    taken = [window.take(key, limit=3, seconds=60) for _ in range(5)]
    assert [one.allowed for one in taken] == [True, True, True, False, False]
    assert [one.remaining for one in taken] == [2, 1, 0, 0, 0]
    assert all(one.limit == 3 for one in taken)
    assert all(0 < one.reset_after <= 60 for one in taken)
    assert [one.retry_after > 0 for one in taken] == [False, False, False, True, True]
    assert window.take(f"{key}2", limit=3, seconds=60).allowed


def test_a_place_is_free_when_it_was_said_to_be(window: Window, key: str) -> None:
    first = window.take(key, limit=2, seconds=1)
    time.sleep(0.4)
    window.take(key, limit=2, seconds=1)
    refused = window.take(key, limit=2, seconds=1)
    assert refused.reset_at == pytest.approx(first.now + 1, abs=0.001)
    time.sleep(refused.retry_after + 0.002)
    assert window.take(key, limit=2, seconds=1).allowed
    assert not window.take(key, limit=2, seconds=1).allowed  # the second one still counts


def test_the_edge_is_exact(clocked: tuple[Window, Clock], key: str) -> None:
    window, clock = clocked
    for clock.now in (BEGIN, BEGIN + 30):
        assert window.take(key, limit=2, seconds=60).allowed
    clock.now = BEGIN + 59.999
    assert window.take(key, limit=2, seconds=60).retry_after == pytest.approx(0.001)
    clock.now = BEGIN + 60
    assert window.take(key, limit=2, seconds=60).allowed
    clock.now = BEGIN + 89.999
    assert not window.take(key, limit=2, seconds=60).allowed
    clock.now = BEGIN + 90
    assert window.take(key, limit=2, seconds=60).allowed


def test_no_span_of_a_minute_ever_holds_more_than_the_limit(clocked: tuple[Window, Clock], key: str) -> None:
    window, clock = clocked
    allowed = []
    for step in range(600):
        clock.now = BEGIN + step * 0.7
        if window.take(key, limit=7, seconds=60).allowed:
            allowed.append(clock.now)
    assert len(allowed) > 40
    assert max(sum(begin <= moment < begin + 60 for moment in allowed) for begin in allowed) == 7


def test_what_was_refused_is_not_counted(clocked: tuple[Window, Clock], key: str) -> None:
    window, clock = clocked
    window.take(key, limit=1, seconds=60)
    for clock.now in (BEGIN + second for second in range(60)):
        assert not window.take(key, limit=1, seconds=60).allowed
    clock.now = BEGIN + 60
    assert window.take(key, limit=1, seconds=60).allowed


def test_claims_are_taken_together_or_not_at_all(window: Window, key: str) -> None:
    wide, narrow = Claim(key, 10, 60), Claim(f"{key}:call", 1, 60)
    assert [one.remaining for one in window.ask((wide, narrow), count=True)] == [9, 0]
    answers = window.ask((wide, narrow), count=True)
    assert [one.allowed for one in answers] == [True, False]
    assert [one.remaining for one in answers] == [9, 0]
    assert window.look(key, limit=10, seconds=60).remaining == 9


def test_looking_takes_nothing(window: Window, key: str) -> None:
    assert window.look(key, limit=2, seconds=60).remaining == 2
    window.take(key, limit=2, seconds=60)
    for _ in range(3):
        looked = window.look(key, limit=2, seconds=60)
        assert (looked.allowed, looked.remaining) == (True, 1)


def test_a_limit_that_was_lowered_holds_at_once(window: Window, key: str) -> None:
    began = [window.take(key, limit=5, seconds=60).now for _ in range(4)]
    lowered = window.take(key, limit=2, seconds=60)
    assert (lowered.allowed, lowered.remaining) == (False, 0)
    assert lowered.reset_at == pytest.approx(began[2] + 60, abs=0.001)  # when only one is left
    assert window.take(key, limit=6, seconds=60).remaining == 1


def test_a_clock_that_was_set_back_locks_nobody_out(clocked: tuple[Window, Clock], key: str) -> None:
    window, clock = clocked
    window.take(key, limit=1, seconds=60)
    clock.now = BEGIN - 3600
    assert window.take(key, limit=1, seconds=60).allowed


@pytest.mark.services
def test_redis_forgets_who_does_not_come_back(private_redis: str) -> None:
    caller = f"user:{uuid.uuid4().hex}"
    RedisWindow(private_redis).take(f"{caller}|default", limit=5, seconds=60)
    with Redis.from_url(private_redis) as redis:
        assert 60_000 < int(redis.pttl(f"erp:rl:{{{caller}}}:default")) <= 61_000


def test_memory_and_file_forget_who_does_not_come_back(tmp_path: Path, key: str) -> None:
    clock = Clock()
    own, file = ProcessWindow(clock), FileWindow(tmp_path / "limits", clock)
    stored: Callable[[], Any] = lambda: file._database.connection().execute("SELECT count(*) FROM log").fetchone()  # noqa: E731
    for number in range(50):
        own.take(f"{key}{number}", limit=5, seconds=60)
        file.take(f"{key}{number}", limit=5, seconds=60)
    assert (len(own._logs), stored()) == (50, (50,))
    clock.now += 121
    own.take(key, limit=5, seconds=60)
    file.take(key, limit=5, seconds=60)
    assert (len(own._logs), stored()) == (1, (1,))
