"""What a person may submit: counted from their tasks, refused as a whole, and given back by ending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import TASK_ACTIVE, TASK_TERMINAL, FileState, ItemState, TaskState
from datasync.exceptions import (
    FileBusy,
    NoTasksAllowed,
    TaskBeyondQuota,
    TooManyActiveTasks,
    TooManyFilesInTask,
    TooManyRowsInTask,
    TooManyRowsToday,
)
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.signals import before_submit
from ratelimits.quotas.models import LIMITS
from tests.quotas import limit, limit_tier, make_item, make_task
from tests.runs_support import Bell, bell, make_file, make_template, make_user

__all__ = ["bell"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def submit(owner: User | None, **fields: Any) -> SyncProgressTask:
    return services.submit_single(file_id=make_file(**fields).pk, owner=owner, sight=EVERYTHING)


def test_the_tenth_task_is_accepted_and_the_eleventh_refused_without_a_trace(bell: Bell, ana: User) -> None:
    tasks = [submit(ana) for _ in range(10)]
    file = make_file()

    with pytest.raises(TooManyActiveTasks) as refused:
        services.submit_single(file_id=file.pk, owner=ana, sight=EVERYTHING)

    ids = [task.task_id for task in tasks]
    assert refused.value.params == {"active": 10, "limit": 10}, "the owner is held, and others wait"
    refused.value.complete()
    assert refused.value.params == {"active": 10, "limit": 10, "active_task_ids": ids}
    assert SyncProgressTask.objects.count() == SyncTaskFile.objects.count() == 10
    file.refresh_from_db()
    assert file.state == FileState.PENDING


@pytest.mark.parametrize("state", TASK_TERMINAL)
def test_a_place_is_given_back_by_ending_however_that_is(
    bell: Bell, ana: User, settings: Any, state: TaskState
) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    task = submit(ana)
    with pytest.raises(TooManyActiveTasks):
        submit(ana)
    SyncProgressTask.objects.filter(pk=task.pk).update(state=state, finished_at=timezone.now())
    assert submit(ana).pk


@pytest.mark.parametrize("state", TASK_ACTIVE)
def test_a_task_that_has_not_ended_counts(bell: Bell, ana: User, settings: Any, state: TaskState) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    make_task(ana, state=state)
    with pytest.raises(TooManyActiveTasks):
        submit(ana)


def test_tasks_of_others_and_of_nobody_do_not_count(bell: Bell, ana: User, settings: Any) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    submit(make_user("bo"))
    submit(None)
    assert submit(ana).pk


def test_nobody_and_staff_are_not_limited_unless_they_have_limits_of_their_own(
    bell: Bell, ana: User, settings: Any
) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    boss = make_user("boss", is_staff=True)
    boss.groups.add(limit_tier("premium", max_active_tasks=0))
    assert all(submit(owner).pk for owner in (None, None, boss, boss))
    limit(boss, max_active_tasks=2)
    with pytest.raises(TooManyActiveTasks):
        submit(boss)


def test_what_was_refused_before_any_task_is_told_as_that(bell: Bell, ana: User, settings: Any) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    task = submit(ana)
    with pytest.raises(FileBusy):
        services.submit_single(file_id=task.items.get().file_id, owner=ana, sight=EVERYTHING)
    assert services.submit_all(owner=ana, sight=EVERYTHING) is None


def test_every_way_of_submitting_is_limited(bell: Bell, ana: User) -> None:
    limit(ana, max_active_tasks=0)
    file = make_file(template=make_template())
    ways: tuple[Callable[[], object], ...] = (
        lambda: services.submit_single(file_id=file.pk, owner=ana, sight=EVERYTHING),
        lambda: services.submit_by_ids(file_ids=[file.pk], owner=ana, sight=EVERYTHING),
        lambda: services.submit_batch(owner=ana, sight=EVERYTHING),
        lambda: services.submit_all(owner=ana, sight=EVERYTHING),
    )
    for way in ways:
        with pytest.raises(NoTasksAllowed) as refused:
            way()
        assert refused.value.params == {"name": "max_active_tasks"}
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize("limits", [{"max_active_tasks": 0}, {"max_files_per_task": 2}, {"max_rows_per_day": 29}])
def test_a_batch_of_everything_is_refused_before_it_is_made(bell: Bell, ana: User, limits: dict[str, int]) -> None:
    limit(ana, **limits)
    chosen = [make_file(template=make_template(), rows={"read": 10}).pk for _ in range(3)]
    ways: tuple[Callable[[], object], ...] = (
        lambda: services.submit_all(owner=ana, sight=EVERYTHING),
        lambda: services.submit_batch(owner=ana, sight=EVERYTHING),
    )
    answers = []
    for way in ways:
        with CaptureQueriesContext(connection) as captured, pytest.raises(TaskBeyondQuota) as refused:
            way()
        assert not [query for query in captured.captured_queries if query["sql"].startswith("INSERT")]
        answers.append((type(refused.value), refused.value.params))
    with pytest.raises(TaskBeyondQuota) as refused:
        services.submit_by_ids(file_ids=chosen, owner=ana, sight=EVERYTHING)
    assert answers == [(type(refused.value), refused.value.params)] * 2, "as the made task would be refused"


def test_the_refusal_says_when_a_task_is_likely_to_end(bell: Bell, ana: User, settings: Any) -> None:
    settings.QUOTA_ACTIVE_TASKS = 2
    slow, fast = (
        make_task(ana, state=TaskState.PROCESSING, started_at=timezone.now() - timedelta(seconds=10)) for _ in "ab"
    )
    make_item(slow, state=ItemState.PROCESSING, rows_read=10, rows_expected=1000)
    make_item(fast, state=ItemState.PROCESSING, rows_read=50, rows_expected=100)
    with pytest.raises(TooManyActiveTasks) as refused:
        submit(ana)
    refused.value.complete()
    assert refused.value.params["eta_seconds"] == pytest.approx(10, abs=2)
    assert refused.value.wait == refused.value.params["eta_seconds"]


def test_files_of_a_task_are_limited(bell: Bell, ana: User) -> None:
    limit(ana, max_files_per_task=2)
    files = [make_file().pk for _ in range(3)]
    with pytest.raises(TooManyFilesInTask) as refused:
        services.submit_by_ids(file_ids=files, owner=ana, sight=EVERYTHING)
    assert refused.value.params == {"files": 3, "limit": 2}
    assert services.submit_by_ids(file_ids=files[:2], owner=ana, sight=EVERYTHING).task.total_files == 2


def test_rows_of_a_day_are_those_read_and_those_to_come(bell: Bell, ana: User) -> None:
    limit(ana, max_rows_per_day=1000)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    make_task(ana, state=TaskState.COMPLETED, rows_read=10**6, finished_at=midnight - timedelta(seconds=1))
    make_task(make_user("bo"), state=TaskState.COMPLETED, rows_read=10**6)
    make_task(ana, state=TaskState.PARTIAL, rows_read=400, finished_at=midnight)
    active = make_task(ana, state=TaskState.PROCESSING)
    make_item(active, state=ItemState.COMPLETED, rows_read=100, rows_expected=900)
    make_item(active, state=ItemState.PROCESSING, rows_read=150, rows_expected=100)
    make_item(active, state=ItemState.QUEUED, rows_expected=100)
    make_item(active, state=ItemState.QUEUED)

    with pytest.raises(TooManyRowsToday) as refused:
        submit(ana, rows={"read": 251})
    assert refused.value.params == {"rows": 1001, "limit": 1000, "used": 750}
    assert 0 < refused.value.wait <= 24 * 3600 + 3600  # a day that is an hour longer

    assert submit(ana).pk  # nothing is known of the file
    assert submit(ana, rows={"read": 250}).pk
    with pytest.raises(TooManyRowsToday):
        submit(ana)


def test_rows_that_are_more_than_a_day_allows_are_not_put_off_until_tomorrow(bell: Bell, ana: User) -> None:
    limit(ana, max_rows_per_day=1000)
    make_task(ana, state=TaskState.COMPLETED, rows_read=400)
    with pytest.raises(TooManyRowsInTask) as refused:
        submit(ana, rows={"read": 1001})
    assert refused.value.params == {"rows": 1001, "limit": 1000}
    with pytest.raises(TooManyRowsToday):
        submit(ana, rows={"read": 1000})


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_of_none_at_all_is_never_waited_for(bell: Bell, ana: User, name: str) -> None:
    make_task(ana)
    limit(ana, **{name: 0})
    with pytest.raises(NoTasksAllowed) as refused:
        submit(ana)
    assert refused.value.params == {"name": name}


def test_work_that_failed_or_was_cancelled_leaves_nothing_behind(bell: Bell, ana: User) -> None:
    limit(ana, max_active_tasks=1, max_rows_per_day=100)
    for state, end in ((ItemState.FAILED, TaskState.FAILED), (ItemState.CANCELLED, TaskState.CANCELLED)) * 3:
        task = submit(ana, rows={"read": 100})
        task.items.update(state=state)
        SyncProgressTask.objects.filter(pk=task.pk).update(state=end, finished_at=timezone.now())
        CatalogFile.objects.update(state=FileState.FAILED)
    assert submit(ana, rows={"read": 100}).pk


def test_who_refuses_later_undoes_everything(bell: Bell, ana: User) -> None:
    def refuse(**_: Any) -> None:
        raise TooManyFilesInTask(files=1, limit=0)

    before_submit.connect(refuse)
    try:
        with pytest.raises(TooManyFilesInTask):
            submit(None)
    finally:
        before_submit.disconnect(refuse)
    assert not SyncProgressTask.objects.exists()
    assert not SyncTaskFile.objects.exists()


def test_being_counted_costs_two_statements_however_many_tasks_there_are(bell: Bell, ana: User) -> None:
    def cost(owner: User | None) -> int:
        file = make_file()
        with CaptureQueriesContext(connection) as captured:
            services.submit_single(file_id=file.pk, owner=owner, sight=EVERYTHING)
        return len(captured)

    limit(ana, max_active_tasks=100)
    locking = 1
    unlimited, few = cost(None), cost(ana)
    for _ in range(20):
        make_item(make_task(ana))
    assert cost(ana) == few == unlimited + locking + 2
