"""What a frontend asks for, over many rows: lists at a steady pace, every page of a long list, and all rows as CSV."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Sequence

from bench import crowds, processes
from bench.cases.facts import multiply
from bench.clients import Client
from bench.measure import Series
from bench.product import BenchmarkError, Probe, Web
from bench.report import Result, at_least, at_most, seconds
from bench.run import Run

_PROGRAM = "bench.api_probe"
_FILES, _FACTS, _TASKS = 100_000, 1_000_000, 10_000
_PER_SECOND = 20
_LISTS = {
    "files": "files",
    "files, searched": "files?search=orders&status=pending",
    "files, the last page": "files?page=2000",
    "tasks": "tasks",
    "tasks, the last page": "tasks?page=500",
    "facts": "facts/orders",
    "facts by day": "facts/orders?ordering=-period_start",
    "quarantine": "quarantine",
    "templates": "templates",
}
_TENTH = 10
_FACT_PAGE = "facts/orders?page_size=200"


def run(run: Run) -> Iterator[Result]:
    """One installation with its web process; the limiter counts everything and refuses nothing."""
    installation = run.installation("api", broker=True)
    files, facts, tasks = (run.scaled(full) for full in (_FILES, _FACTS, _TASKS))
    with Probe(installation, program=_PROGRAM) as probe:
        run.say(f"api: storing {files:,} files, {facts:,} facts, {tasks:,} tasks")
        loaded = max(1, facts // 10)
        probe.sync(probe.catalogue(run.export(installation, suffix=".csv", rows=loaded)), inserted=loaded)
        multiply(installation.database, times=10)
        owner, token = probe.ask("sign_in")
        crowds.fill_lists(installation.database, files=files, tasks=tasks, owner=owner)
        with installation.web() as web:
            client = Client(web.address, token)
            yield from _lists(run, client, f"{files:,} files, {facts:,} facts, {tasks:,} tasks")
            yield from _pages(run, client, facts)
        with installation.web() as web:  # a fresh one, whose memory is the CSV's
            yield from _csv(run, web, token)


def _lists(run: Run, client: Client, over: str) -> Iterator[Result]:
    for path in _LISTS.values():  # warm, and what the database has never asked of it
        _require(client, path)
    run.say(f"api: lists at {_PER_SECOND} requests/s for {run.load_seconds} s")
    took = _paced(client, list(_LISTS.values()), duration=run.load_seconds)
    every = Series([one for series in took.values() for one in series.seconds])
    told = ", ".join(f"{name} {seconds(took[path].quantile(0.99))}" for name, path in _LISTS.items())
    yield at_most(f"lists over {over}, p99", value=every.quantile(0.99) * 1000, limit=150, unit="ms", product=told)


def _require(client: Client, path: str) -> float:
    answer = client.get(path)
    if answer.status != http.HTTPStatus.OK:
        raise BenchmarkError(f"{path} was answered with {answer.status}: {answer.body}")
    return answer.seconds


def _paced(client: Client, paths: Sequence[str], *, duration: float) -> dict[str, Series]:
    """Ask for one path after the other by a clock that waits for nobody."""
    took = {path: Series() for path in paths}
    failed: list[BenchmarkError] = []
    threads = []
    begin = time.monotonic()

    def ask(path: str) -> None:
        try:
            took[path].add(_require(client, path))
        except BenchmarkError as error:
            failed.append(error)

    for number, path in enumerate(itertools.islice(itertools.cycle(paths), max(1, int(duration * _PER_SECOND)))):
        time.sleep(max(0.0, begin + number / _PER_SECOND - time.monotonic()))
        threads.append(threading.Thread(target=ask, args=(path,), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return took


def _pages(run: Run, client: Client, facts: int) -> Iterator[Result]:
    """Read the whole list by cursors; then, by turns, what pages of its first tenth and of its last take."""
    run.say(f"api: every page of {facts:,} facts")
    paths: list[str] = []
    rows, path = 0, _FACT_PAGE
    while path:
        answer = client.get(path)
        if answer.status != http.HTTPStatus.OK:
            raise BenchmarkError(f"Page {len(paths)} was answered with {answer.status}: {answer.body}")
        paths.append(path)
        rows += len(answer.body["data"])
        cursor = answer.body["pagination"]["next_cursor"]
        path = f"{_FACT_PAGE}&cursor={cursor}" if cursor else ""
    tenth = max(1, len(paths) // _TENTH)
    first, last = Series(), Series()
    for early, late in zip(paths[:tenth], paths[-tenth:], strict=True):
        first.add(_require(client, early))
        last.add(_require(client, late))
    yield at_most(
        f"a page of {rows:,} facts, the last tenth",
        value=last.median / first.median,
        limit=1.1,
        unit="× the first",
        product=seconds(last.median),
        against=seconds(first.median),
    )


def _csv(run: Run, web: Web, token: str) -> Iterator[Result]:
    """All facts over HTTP; memory is the largest of any of the web's processes."""
    took, rows = Series(), 0
    for turn in range(run.repeat):
        run.say(f"api: CSV, turn {turn + 1} of {run.repeat}")
        with took.timed():
            rows = _download(web, token)
    speed = rows / took.median
    yield at_least(f"CSV of {rows:,} facts over HTTP", value=speed, limit=100_000, unit="rows/s",
                   product=seconds(took.median))  # fmt: skip
    yield at_most("memory of the web process meanwhile", value=processes.peak_megabytes(web.pid), limit=200, unit="MB",
                  product="the largest of its processes")  # fmt: skip


def _download(web: Web, token: str) -> int:
    """How many rows came, of a transfer that was complete."""
    connection = http.client.HTTPConnection(web.address, timeout=600)
    connection.request("GET", "/api/data-sync/facts/orders?format=csv", headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        raise BenchmarkError(f"The CSV was answered with {response.status}.")
    lines = 0
    while chunk := response.read(1 << 20):
        lines += chunk.count(b"\n")
    connection.close()
    return lines - 1
