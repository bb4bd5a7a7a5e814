"""Without the broker the web process works itself: bounded, and only until the broker is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import TransientError
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import dispatch, execute, finish, local, services, turns
from datasync.runs.claim import Claim
from datasync.runs.heartbeat import Stopped
from datasync.runs.sweep import sweep
from datasync.runs.sweep import turns as lost_turns
from datasync.runs.turns import take_local_turn
from erp.publishing import BrokerAway
from tests.runs_support import Bell, Ingest, bell, ingest, make_file
from tests.services import wait_until

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, bell: Bell) -> Iterator[local.LocalPool]:
    """A process that stays, and a broker that is away."""
    bell.heard = False
    local.pool.open_for(take_local_turn)
    yield local.pool
    local.pool.close()
    wait_until(lambda: not local.pool.running, seconds=20, what="the local threads")


def _done(*tasks: SyncProgressTask) -> bool:
    return SyncProgressTask.objects.filter(
        pk__in=[task.pk for task in tasks], state=TaskState.COMPLETED
    ).count() == len(tasks)


def test_what_the_broker_does_not_take_is_done_here(web: local.LocalPool, ingest: Ingest) -> None:
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task for _ in range(3)]
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
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task for _ in range(12)]
    assert threading.active_count() - before <= 2
    wait_until(lambda: _done(*tasks), seconds=30, what="twelve tasks")
    assert max(most) <= 2


def test_work_goes_back_to_the_workers_when_the_broker_is_back(
    web: local.LocalPool, ingest: Ingest, bell: Bell, settings: Any
) -> None:
    settings.SLICE_SECONDS, settings.LOCAL_WORKERS, settings.BATCH_WINDOW = 0.0, 1, 1

    def back(_item: SyncTaskFile) -> None:
        bell.heard = True

    ingest.meanwhile = back
    task = services.submit_by_ids(file_ids=[make_file().pk for _ in range(4)], owner=None, sight=EVERYTHING).task
    wait_until(lambda: not web.running, seconds=20, what="the local thread")
    assert (len(ingest.seen), bell.rung) == (1, [5])
    assert task.items.filter(state="queued").count() == 3


def test_a_command_begins_nothing_that_would_be_lost_with_it(bell: Bell, ingest: Ingest) -> None:
    bell.heard = False
    task = services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task
    assert task.fallback
    assert not local.pool.running
    assert not ingest.seen


def test_a_web_process_takes_up_what_another_left(
    web: local.LocalPool, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_queue: str) -> int:
        raise BrokerAway("no route")

    monkeypatch.setattr(lost_turns, "messages_waiting", away)
    web.close()
    task = services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task
    web.open_for(take_local_turn)
    assert sweep().turns == 0
    wait_until(lambda: _done(task), seconds=20, what="the task")


def test_with_local_execution_no_broker_is_asked(
    web: local.LocalPool, ingest: Ingest, bell: Bell, settings: Any
) -> None:
    settings.EXECUTION = "local"
    bell.heard = True
    tasks = [services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task for _ in range(3)]
    wait_until(lambda: _done(*tasks), seconds=20, what="three tasks")
    assert bell.rung == []


def test_what_is_tried_again_is_tried_here(
    web: local.LocalPool, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXECUTION = "local"
    monkeypatch.setattr(execute, "give_turn_later", dispatch.give_turn_later)
    file = make_file()
    ingest.ends[file.pk] = TransientError()

    def heal(_item: SyncTaskFile) -> None:
        if len(ingest.seen) > 1:
            ingest.ends.clear()

    ingest.meanwhile = heal
    task = services.submit_by_ids(file_ids=[file.pk], owner=None, sight=EVERYTHING).task
    wait_until(lambda: _done(task), seconds=20, what="the second attempt, which no sweep gives")
    assert ingest.seen == [file.pk] * 2


def test_a_call_is_heard_by_a_thread_that_has_just_found_nothing(settings: Any) -> None:
    settings.LOCAL_WORKERS = 1
    pool = local.LocalPool()
    found: list[int] = []

    def turn() -> bool:
        found.append(len(found))
        if len(found) == 1:
            pool.wake()
        return False

    pool.open_for(turn)
    pool.wake()
    wait_until(lambda: not pool.running and len(found) == 2, seconds=10, what="the second look")


def test_a_process_that_ends_waits_until_what_was_in_hand_is_put_back(
    monkeypatch: pytest.MonkeyPatch, web: local.LocalPool, ingest: Ingest
) -> None:
    """The file is out of hand a moment before that is written; here the moment is long."""
    put_back = finish.put_back

    def slowly(claim: Claim, **told: Any) -> bool:
        time.sleep(0.3)
        return put_back(claim, **told)

    def stopped(*_: Any, **__: Any) -> None:
        raise Stopped

    monkeypatch.setattr(finish, "put_back", slowly)
    monkeypatch.setattr(execute, "_sync", stopped)
    stop = threading.Event()
    for module in (local, turns):
        monkeypatch.setattr(module, "must_stop", stop.is_set)
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    wait_until(lambda: SyncTaskFile.objects.filter(task=task, state=ItemState.PROCESSING).exists(), what="the claim")
    stop.set()

    local.wait_for_threads()

    item = SyncTaskFile.objects.get(task=task)
    assert (item.state, item.attempt) == (ItemState.QUEUED, 0)
