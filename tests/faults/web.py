"""Web processes to be killed, and the many clients that ask them at the same moment."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.conftest import test_environment
from tests.event_streams import Web, web_process

R = TypeVar("R")
StartWeb = Callable[..., Web]
THREADS = 8


@pytest.fixture
def start_web(inbox: Path, tmp_path: Path) -> Iterator[StartWeb]:
    """Start web servers on the inbox as production does: two processes each, whatever of them is killed meanwhile."""
    with ExitStack() as running:
        logs = (tmp_path / f"web{number}.log" for number in range(100))

        def started(**environment: str) -> Web:
            all_of_it = test_environment() | {"DATA_ROOTS": str(inbox)} | environment
            return running.enter_context(web_process(all_of_it, processes=2, threads=THREADS, log=next(logs)))

        yield started


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: its status, and the data or the error."""

    status: int
    data: Any
    error: dict[str, Any] = field(default_factory=dict)


def call(web: Web, method: str, path: str, *, token: str, body: Any = None, **headers: str) -> Answer:
    """One call as a client makes it. Raises ``OSError`` or ``HTTPException`` where nobody answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
    content = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request(method, path, body=content, headers={"Authorization": f"Bearer {token}", **named})
        answer = connection.getresponse()
        told = json.load(answer)
    return Answer(status=answer.status, data=told["data"], error=told.get("error") or {})


def at_once(number: int, act: Callable[[int], R]) -> list[R]:
    """What so many threads come to that begin together, each with its number."""
    together = threading.Barrier(number)

    def begin(at: int) -> R:
        together.wait(timeout=60)
        return act(at)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(begin, range(number)))


def kill(web: Web) -> None:
    """End the server and its processes with no time for anything."""
    os.killpg(web.process.pid, signal.SIGKILL)
    web.process.wait()
