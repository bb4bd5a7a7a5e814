"""What the rate limiter adds to a request, and what counting takes in each of its stores."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bench.clients import Client
from bench.measure import Series, ratio
from bench.product import BenchmarkError, Probe
from bench.report import Result, at_most, seconds
from bench.run import Run
from ratelimits.windows.base import Window
from ratelimits.windows.file import FileWindow
from ratelimits.windows.process import ProcessWindow
from ratelimits.windows.redis import RedisWindow

_PROGRAM = "bench.api_probe"
_PATH = "files?page_size=1"
_WARM, _REQUESTS, _TAKES, _CALLERS = 50, 2_000, 5_000, 20
_LIMIT, _SECONDS = 200, 60
_MICROSECONDS = 1_000_000


def run(run: Run) -> Iterator[Result]:
    """One installation, and two web processes of it: one counts, the other does not."""
    installation = run.installation("limiter", broker=True)
    without = replace(installation, settings={"RATE_LIMITS_ENABLED": "false"})
    with Probe(installation, program=_PROGRAM) as probe:
        _owner, token = probe.ask("sign_in")
        with installation.web() as counting, without.web() as free:
            run.say(f"limiter: {run.scaled(_REQUESTS):,} requests with it and without, in turn")
            clients = {True: Client(counting.address, token), False: Client(free.address, token)}
            took = _in_turn(clients, times=run.scaled(_REQUESTS))
    ours, bare = took[True], took[False]
    more = Series([mine - other for mine, other in zip(ours.seconds, bare.seconds, strict=True)])
    yield at_most(
        "a request with the rate limiter",
        value=more.median * 1000,
        limit=1,
        unit="ms more",
        product=f"{seconds(ours.median)}, {ratio(ours.seconds, bare.seconds):.2f} × without",
        against=f"without {seconds(bare.median)}",
    )
    yield from _stores(run)


def _in_turn(clients: Mapping[bool, Client], *, times: int) -> dict[bool, Series]:
    """The same request to both, one after the other; which comes first changes each time."""
    took = {limited: Series() for limited in clients}
    for number in range(_WARM + times):
        for limited in (True, False) if number % 2 else (False, True):
            answer = clients[limited].get(_PATH)
            if answer.status != http.HTTPStatus.OK:
                raise BenchmarkError(f"{_PATH} was answered with {answer.status}: {json.dumps(answer.body)}")
            if number >= _WARM:
                took[limited].add(answer.seconds)
    return took


def _stores(run: Run) -> Iterator[Result]:
    """Taking once, by callers who have asked a hundred times and more within the minute already."""
    stores: dict[str, Window] = {
        "Redis": RedisWindow(run.broker, seconds=5.0),
        "a file": FileWindow(run.folder / "limiter.sqlite3"),
        "the process's memory": ProcessWindow(),
    }
    times = run.scaled(_TAKES)
    for name, window in stores.items():
        for number in range(_CALLERS * _LIMIT // 2):
            window.take(_key(number), limit=_LIMIT, seconds=_SECONDS)
        took = Series()
        for number in range(times):
            begun = time.perf_counter()
            window.take(_key(number), limit=_LIMIT * _CALLERS * times, seconds=_SECONDS)
            took.add(time.perf_counter() - begun)
        slow = took.quantile(0.99) * _MICROSECONDS
        yield Result(
            f"taking once, counted in {name}",
            f"{took.median * _MICROSECONDS:.0f} µs",
            result=f"99 % within {slow:.0f} µs",
        )


def _key(number: int) -> str:
    return f"user:{number % _CALLERS}|default"
