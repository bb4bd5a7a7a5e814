"""People at their browsers: each polls the progress of the task sent last, lists files and submits, by a clock."""

from __future__ import annotations

import heapq
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urljoin

from bench.measure import Series

_TIMEOUT = 30.0
_EVERY = {"poll": 2.0, "list": 10.0, "submit": 10.0}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took from connecting to the last byte; status 0 where nothing came."""

    status: int
    seconds: float
    body: Any = None

    @property
    def task_id(self) -> str:
        """The task that a submit was answered with."""
        return str(self.body["data"]["task_id"])


@dataclass(frozen=True, slots=True)
class Client:
    """A signed-in person. Each request is a connection of its own, as behind a proxy.

    What was tagged is asked for with its tag again, as browsers do; 304 is an answer without a body then.
    """

    address: str
    token: str
    tags: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        """The answer to a GET below ``/api/data-sync/``, or elsewhere by ``../``."""
        return self._call("GET", path, None)

    def submit(self, file_ids: Sequence[int]) -> Answer:
        """One file as a single, several as a batch."""
        if len(file_ids) == 1:
            return self._call("POST", "single", {"file_id": file_ids[0]})
        return self._call("POST", "batch-by-ids", {"file_ids": list(file_ids)})

    def _call(self, method: str, path: str, body: object) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if method == "GET" and path in self.tags:
            headers["If-None-Match"] = self.tags[path]
        text = None if body is None else json.dumps(body)
        connection = http.client.HTTPConnection(self.address, timeout=_TIMEOUT)
        began = time.perf_counter()
        try:
            connection.request(method, urljoin("/api/data-sync/", path), text, headers)
            response = connection.getresponse()
            answered = response.read()
            took = time.perf_counter() - began
            if tag := response.getheader("ETag"):
                self.tags[path] = tag
            return Answer(response.status, took, json.loads(answered) if answered else None)
        except (OSError, http.client.HTTPException, ValueError):
            return Answer(0, time.perf_counter() - began)
        finally:
            connection.close()


@dataclass(slots=True)
class Traffic:
    """What a crowd of clients saw: seconds and statuses by what they did."""

    took: dict[str, Series] = field(default_factory=lambda: {what: Series() for what in _EVERY})
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: {what: Counter() for what in _EVERY})

    def note(self, what: str, answer: Answer) -> None:
        """Add one request; lists and counters of CPython may be added to by many threads."""
        self.took[what].add(answer.seconds)
        self.statuses[what][answer.status] += 1

    @property
    def errors(self) -> int:
        """Requests that were not answered as they should be."""
        wanted = {"poll": (200, 304), "list": (200,), "submit": (202,)}
        return sum(
            number for what, by in self.statuses.items() for status, number in by.items() if status not in wanted[what]
        )

    @property
    def accepted(self) -> int:
        """Submits that were taken."""
        return self.statuses["submit"][202]


def submits_in(seconds: float) -> int:
    """How often each client submits in so long, at most."""
    return int(seconds / _EVERY["submit"]) + 1


def work(clients: Sequence[Client], submits: Sequence[Sequence[list[int]]], *, seconds: float) -> Traffic:
    """Let all clients work for so long, spread evenly over their intervals; ``submits`` are each client's, in order."""
    traffic, begin = Traffic(), time.monotonic() + 0.5

    def behave(number: int) -> None:
        client, own, task_id = clients[number], iter(submits[number]), ""
        phase = number / len(clients)
        due = [(begin + every * phase, what) for what, every in _EVERY.items()]
        heapq.heapify(due)
        while due[0][0] < begin + seconds:
            when, what = heapq.heappop(due)
            time.sleep(max(0.0, when - time.monotonic()))
            if what == "submit":
                answer = client.submit(next(own))
                task_id = answer.task_id if answer.status == 202 else task_id
                traffic.note(what, answer)
            elif what == "list" or task_id:
                traffic.note(what, client.get("files?page_size=50" if what == "list" else f"progress/{task_id}"))
            heapq.heappush(due, (when + _EVERY[what], what))

    at_once([partial(behave, number) for number in range(len(clients))])
    return traffic


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all calls in the same instant, each in a thread; what they return, in the order of the calls."""
    returned: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def make(number: int) -> None:
        gate.wait()
        returned[number] = calls[number]()

    threads = [threading.Thread(target=make, args=(number,), daemon=True) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return returned


def shares(file_ids: Iterator[int], *, clients: int, submits: int, batch: int) -> list[list[list[int]]]:
    """Files for each submit of each client: in turn a single one and a batch."""
    return [
        [[next(file_ids) for _ in range(batch if number % 2 else 1)] for number in range(submits)]
        for _ in range(clients)
    ]
