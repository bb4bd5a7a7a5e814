"""Whose turn it is: priority first, people in turns, and nothing waits for ever."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.claim import claim_next
from datasync.runs.pick import pick_task, tasks_in_order
from tests.runs_support import Bell, bell, make_file, make_user

__all__ = ["bell"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(bell: Bell) -> None:
    """Turns are only counted."""


def _task(owner: User | None = None, *, priority: int = 5, files: int = 1) -> SyncProgressTask:
    ids = [make_file().pk for _ in range(files)]
    return services.submit_by_ids(file_ids=ids, owner=owner, priority=priority, sight=EVERYTHING).task


def _picked(turns: int) -> list[int]:
    """Who is picked one after the other, at times that SQLite, which counts milliseconds, can tell apart."""
    picked = []
    for _ in range(turns):
        picked.append(pick_task())
        time.sleep(0.003)
    return [task.pk for task in picked if task is not None]


def _waited(task: SyncProgressTask, seconds: float, *, served: bool = False) -> None:
    when = Now() - timedelta(seconds=seconds)
    SyncProgressTask.objects.filter(pk=task.pk).update(**{"served_at" if served else "created_at": when})


def test_nothing_to_do_is_nobodys_turn() -> None:
    assert pick_task() is None
    assert tasks_in_order() == []


def test_the_highest_number_goes_first() -> None:
    tasks = {priority: _task(priority=priority) for priority in (3, 10, 1, 7)}
    assert tasks_in_order() == [tasks[priority].pk for priority in (10, 7, 3, 1)]


def test_people_take_turns_however_many_tasks_each_has() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    first, second, third = (_task(ana, files=3) for _ in range(3))
    other = _task(ben, files=3)
    assert _picked(6) == [first.pk, other.pk, second.pk, other.pk, third.pk, other.pk]


def test_who_has_not_been_served_goes_before_who_has_been() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    done = _task(ana)
    assert _picked(1) == [done.pk]
    SyncTaskFile.objects.filter(task=done).update(state=ItemState.COMPLETED)
    SyncProgressTask.objects.filter(pk=done.pk).update(state=TaskState.COMPLETED)
    again, single = _task(ana), _task(ben)
    assert _picked(2) == [single.pk, again.pk]


def test_waiting_makes_a_person_more_urgent(settings: Any) -> None:
    settings.AGEING_SECONDS = 30
    ana, ben = make_user("ana"), make_user("ben")
    low, high = _task(ana, priority=1), _task(ben, priority=10)
    _waited(low, 269)
    assert _picked(1) == [high.pk]
    _waited(low, 301)
    assert _picked(2) == [low.pk, high.pk]


def test_waiting_makes_a_task_more_urgent_among_its_owners(settings: Any) -> None:
    settings.AGEING_SECONDS = 30
    owner = make_user()
    low, high = _task(owner, priority=1, files=2), _task(owner, priority=10, files=2)
    assert _picked(1) == [high.pk]
    _waited(low, 275)
    assert _picked(2) == [low.pk, high.pk]


def test_what_was_served_long_ago_is_no_debt_to_someone_who_comes_back(settings: Any) -> None:
    settings.AGEING_SECONDS = 30
    ana, ben = make_user("ana"), make_user("ben")
    old = _task(ana)
    _waited(old, 86_400, served=True)
    SyncProgressTask.objects.filter(pk=old.pk).update(state=TaskState.COMPLETED)
    SyncTaskFile.objects.filter(task=old).update(state=ItemState.COMPLETED)
    _task(ana)
    urgent = _task(ben, priority=6)
    assert _picked(1) == [urgent.pk]


def test_only_what_can_be_worked_on_is_picked(settings: Any) -> None:
    settings.BATCH_WINDOW = 2
    put_off, cancelled, late, full, good = (_task(files=3) for _ in range(5))
    put_off.items.update(not_before=Now() + timedelta(seconds=60))
    SyncProgressTask.objects.filter(pk=cancelled.pk).update(cancel_requested_at=Now(), state=TaskState.CANCELLING)
    SyncProgressTask.objects.filter(pk=late.pk).update(deadline_at=Now() - timedelta(seconds=1))
    assert claim_next(full.pk)
    assert claim_next(full.pk)
    assert tasks_in_order() == [good.pk]


def test_a_task_that_only_has_to_be_closed_is_picked() -> None:
    task = _task()
    task.items.update(state=ItemState.COMPLETED)
    assert tasks_in_order() == [task.pk]
    SyncProgressTask.objects.filter(pk=task.pk).update(closing_at=Now())
    assert tasks_in_order() == []


def test_a_pick_is_one_statement_however_many_tasks_there_are() -> None:
    for number in range(12):
        _task(make_user(f"user{number}"), priority=1 + number % 10)
    with CaptureQueriesContext(connection) as captured:
        assert pick_task() is not None
    assert len(captured) == 1
