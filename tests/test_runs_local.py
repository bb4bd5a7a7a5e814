"""Without the broker the web process works itself: bounded, and only until the broker is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from datasync.choices import TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import local, services
from datasync.runs.sweep import sweep
from datasync.runs.sweep import turns as lost_turns
from erp import publishing
from erp.publishing import BrokerAway, breaker, short_producer
from tests.runs_support import Bell, Ingest, bell, ingest, make_file
from tests.services import wait_until

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, bell: Bell) -> Iterator[local.LocalPool]:
    """A process that stays, and a broker that is away."""
    bell.heard = False
    monkeypatch.setattr(local, "give_turns", bell.give_turns)
    local.pool.open = True
    yield local.pool
    local.pool.open = False
    wait_until(lambda: not local.pool.running, seconds=20, what="the local threads")


def _done(*tasks: SyncProgressTask) -> bool:
    return SyncProgressTask.objects.filter(
        pk__in=[task.pk for task in tasks], state=TaskState.COMPLETED
    ).count() == len(tasks)


def test_what_the_broker_does_not_take_is_done_here(web: local.LocalPool, ingest: Ingest) -> None:
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None).task for _ in range(3)]
    assert all(task.fallback for task in tasks)
    wait_until(lambda: _done(*tasks), seconds=20, what="three tasks")


def test_many_submits_keep_few_threads_busy(web: local.LocalPool, ingest: Ingest, settings: Any) -> None:
    settings.LOCAL_WORKERS = 2
    busy: list[int] = []
    most: list[int] = []

    def count(_item: SyncTaskFile) -> None:
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.05)
        busy.pop()

    ingest.meanwhile = count
    before = threading.active_count()
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None).task for _ in range(12)]
    assert threading.active_count() - before <= 2
    wait_until(lambda: _done(*tasks), seconds=30, what="twelve tasks")
    assert max(most) <= 2


def test_work_goes_back_to_the_workers_when_the_broker_is_back(
    web: local.LocalPool, ingest: Ingest, bell: Bell, settings: Any
) -> None:
    settings.SLICE_SECONDS, settings.LOCAL_WORKERS = 0.0, 1

    def back(_item: SyncTaskFile) -> None:
        bell.heard = True

    ingest.meanwhile = back
    task = services.submit_by_ids(file_ids=[make_file().pk for _ in range(4)], owner=None).task
    wait_until(lambda: not web.running, seconds=20, what="the local thread")
    assert (len(ingest.seen), bell.rung) == (1, [5])
    assert task.items.filter(state="queued").count() == 3


def test_a_command_begins_nothing_that_would_be_lost_with_it(bell: Bell, ingest: Ingest) -> None:
    bell.heard = False
    task = services.submit_by_ids(file_ids=[make_file().pk], owner=None).task
    assert task.fallback
    assert not local.pool.running
    assert not ingest.seen


def test_a_web_process_takes_up_what_another_left(
    web: local.LocalPool, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_queue: str) -> int:
        raise BrokerAway("no route")

    monkeypatch.setattr(lost_turns, "messages_waiting", away)
    web.open = False
    task = services.submit_by_ids(file_ids=[make_file().pk], owner=None).task
    web.open = True
    assert sweep().turns == 0
    wait_until(lambda: _done(task), seconds=20, what="the task")


def test_with_local_execution_no_broker_is_asked(
    web: local.LocalPool, ingest: Ingest, bell: Bell, settings: Any
) -> None:
    settings.EXECUTION = "local"
    bell.heard = True
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None).task for _ in range(3)]
    wait_until(lambda: _done(*tasks), seconds=20, what="three tasks")
    assert bell.rung == []


def test_after_a_failure_nobody_asks_the_broker_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(publishing, "breaker", own := type(breaker)())
    own.failed()
    with pytest.raises(BrokerAway, match="a moment ago"), short_producer():
        raise AssertionError("asked")
    clock[0] += publishing.OPEN_SECONDS
    own.enter()  # one may try
    with pytest.raises(BrokerAway):
        own.enter()  # the others wait for what comes of it
    own.succeeded()
    own.enter()
