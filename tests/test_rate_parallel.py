"""However many requests arrive at the same moment, exactly as many pass as may: threads, processes, and over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connections

from erp.supervisor import BASE_DIR
from ratelimits.windows.base import Window
from ratelimits.windows.file import FileWindow
from ratelimits.windows.process import ProcessWindow
from ratelimits.windows.redis import RedisWindow
from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, person
from tests.rates import ME, allow, limiter

__all__ = ["limiter"]
AT_ONCE, LIMIT, PROCESSES, KEYS = 50, 10, 4, 200
TAKE_OFTEN = """
import json, sys, time
from pathlib import Path
from ratelimits.windows.file import FileWindow
from ratelimits.windows.redis import RedisWindow
store, place, caller, keys, limit = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
window = FileWindow(Path(place), seconds=30.0) if store == "file" else RedisWindow(place, seconds=30.0)
window.take(caller, limit=9, seconds=600)
print("ready", flush=True)
begin, granted = float(sys.stdin.readline()), []
for number in range(keys):
    time.sleep(max(0.0, begin + number * 0.005 - time.time()))
    granted.append(sum(window.take(f"{caller}|{number}", limit=limit, seconds=600).allowed for _ in range(limit)))
print(json.dumps(granted))
"""
"""Take of one key after the other, each at its moment, as often as there is place; how often that was granted."""


def at_once(times: int, act: Callable[[], bool]) -> int:
    """How many of so many threads that start together are let through."""
    start = threading.Barrier(times)

    def one(_number: int) -> bool:
        start.wait()
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        return sum(threads.map(one, range(times)))


@pytest.fixture(params=["process", "file", pytest.param("redis", marks=pytest.mark.services)])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Window:
    if request.param == "redis":
        return RedisWindow(request.getfixturevalue("private_redis"), seconds=30.0)
    return FileWindow(tmp_path / "limits", seconds=30.0) if request.param == "file" else ProcessWindow()


def test_fifty_threads_at_limit_ten(window: Window) -> None:
    def take(key: str) -> bool:
        return window.take(key, limit=LIMIT, seconds=600).allowed

    for _again in range(3):
        assert at_once(AT_ONCE, partial(take, f"user:{uuid.uuid4().hex}|default")) == LIMIT


@pytest.mark.parametrize("store", ["file", pytest.param("redis", marks=pytest.mark.services)])
def test_processes_share_one_limit(request: pytest.FixtureRequest, tmp_path: Path, store: str) -> None:
    place = request.getfixturevalue("private_redis") if store == "redis" else str(tmp_path / "limits")
    arguments = [store, place, f"user:{uuid.uuid4().hex}", str(KEYS), str(LIMIT)]
    with ExitStack() as running:
        processes = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", TAKE_OFTEN, *arguments],
                    cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for _ in range(PROCESSES)
        ]  # fmt: skip
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        begin = time.time() + 0.2
        for process in processes:
            assert process.stdin
            process.stdin.write(f"{begin}\n")
            process.stdin.flush()
        answers = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [sum(of_a_key) for of_a_key in zip(*answers, strict=True)] == [LIMIT] * KEYS


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_at_limit_ten(limiter: SharedWindow) -> None:
    allow(LIMIT)
    owner = person("owner")
    statuses = ask_at_once(owner, AT_ONCE)
    assert statuses == {200: LIMIT, 429: AT_ONCE - LIMIT}
    assert ask_at_once(person("stranger"), LIMIT) == {200: LIMIT}


def ask_at_once(user: User, times: int) -> Counter[int]:
    """The statuses of so many requests of one person at the same moment, each with a client of its own."""
    clients = [client_of(user) for _ in range(times)]
    statuses: Counter[int] = Counter()

    def ask() -> bool:
        status = clients.pop().get(ME).status_code
        statuses[status] += 1
        return bool(status == 200)

    at_once(times, ask)
    return statuses
