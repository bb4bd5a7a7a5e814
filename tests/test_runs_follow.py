"""Following a task: what is new since the last look, nothing left out, and the end once all has been told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import follow, services
from datasync.runs.follow import Follower, News
from tests.runs_support import bell, make_file

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


@pytest.fixture
def task() -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[make_file().pk for _ in range(4)], owner=None, sight=EVERYTHING).task


def finish(position: int, *, seconds_ago: float = 0.0, **values: Any) -> int:
    """Finish the file at this place; its id."""
    item = SyncTaskFile.objects.get(position=position)
    done = {"state": ItemState.COMPLETED, "finished_at": Now() - timedelta(seconds=seconds_ago), **values}
    SyncTaskFile.objects.filter(pk=item.pk).update(**done)
    return item.file_id


def close(task: SyncProgressTask) -> None:
    SyncProgressTask.objects.filter(pk=task.pk).update(
        state=TaskState.COMPLETED, succeeded_files=4, finished_at=Now()
    )  # fmt: skip


def told(news: list[News]) -> list[Any]:
    """Names of what is new, and ids of files."""
    return [new.data["file_id"] if new.name == "file" else new.name for new in news]


def test_it_tells_what_is_new_and_nothing_twice(task: SyncProgressTask) -> None:
    follower = Follower(task.pk)
    assert told(follower.look(sight=EVERYTHING)) == ["progress"]
    assert follower.look(sight=EVERYTHING) == []
    first = finish(0, rows_read=5)
    assert told(follower.look(sight=EVERYTHING)) == [first, "progress"]
    assert follower.look(sight=EVERYTHING) == []
    SyncTaskFile.objects.filter(position=1).update(state=ItemState.PROCESSING, rows_read=2)
    (live,) = follower.look(sight=EVERYTHING)
    assert (live.name, live.data["rows"]["read"], live.data["results"]) == ("progress", 7, [])
    rest = [finish(position) for position in (1, 2, 3)]
    close(task)
    news = follower.look(sight=EVERYTHING)
    assert told(news) == [*rest, "end"]
    assert news[-1].data["status"] == TaskState.COMPLETED


def test_a_look_costs_the_same_however_many_files_were_told(task: SyncProgressTask) -> None:
    SyncProgressTask.objects.update(state=TaskState.PROCESSING)
    SyncTaskFile.objects.filter(position=3).update(state=ItemState.PROCESSING, lease_until=Now() + timedelta(minutes=1))
    follower, costs = Follower(task.pk), []
    for position in range(3):
        finish(position)
        with CaptureQueriesContext(connection) as captured:
            follower.look(sight=EVERYTHING)
        costs.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            assert follower.look(sight=EVERYTHING) == []
        costs.append(len(captured))
    assert costs == [5, 3] * 3


def test_a_client_that_comes_back_misses_nothing(task: SyncProgressTask) -> None:
    old, new = finish(0, seconds_ago=60), finish(1, seconds_ago=30)
    last = Follower(task.pk).look(sight=EVERYTHING)[-1]
    assert last.id.startswith("2-queued-")
    later = finish(2)
    assert told(Follower(task.pk, after=last.id).look(sight=EVERYTHING)) == [new, later, "progress"], (
        "the last seconds are told again"
    )
    assert told(Follower(task.pk).look(sight=EVERYTHING)) == [old, new, later, "progress"]


def test_a_file_that_becomes_visible_late_is_told_all_the_same(task: SyncProgressTask) -> None:
    follower = Follower(task.pk)
    finish(0)
    follower.look(sight=EVERYTHING)
    late = finish(1, seconds_ago=3)
    assert told(follower.look(sight=EVERYTHING)) == [late, "progress"]


def test_a_file_that_becomes_visible_after_all_others_is_told_before_the_end(task: SyncProgressTask) -> None:
    follower = Follower(task.pk)
    first = finish(0)
    assert told(follower.look(sight=EVERYTHING)) == [first, "progress"]
    late, others = finish(1, seconds_ago=45), [finish(2), finish(3)]
    assert late not in told(follower.look(sight=EVERYTHING))
    close(task)
    assert told(follower.look(sight=EVERYTHING)) == [late, "end"]
    assert set(others).isdisjoint(told(follower.look(sight=EVERYTHING))), "told once"


def test_a_client_that_came_back_is_told_of_it_too(task: SyncProgressTask) -> None:
    finish(0)
    last = Follower(task.pk).look(sight=EVERYTHING)[-1]
    late, others = finish(1, seconds_ago=45), [finish(2), finish(3)]
    close(task)
    news = Follower(task.pk, after=last.id).look(sight=EVERYTHING)
    assert {late, *others, "end"} <= set(told(news))
    assert news[-1].name == "end"


def test_many_files_that_become_visible_late_come_in_portions(
    task: SyncProgressTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(task.pk)
    finish(0)
    follower.look(sight=EVERYTHING)
    late = [finish(position, seconds_ago=45) for position in (1, 2, 3)]
    close(task)
    monkeypatch.setattr(follow, "FILES_AT_ONCE", 2)
    assert told(follower.look(sight=EVERYTHING)) == late[:2]
    assert told(follower.look(sight=EVERYTHING)) == [late[2], "end"]


def test_many_files_come_in_portions_and_the_end_after_all(
    task: SyncProgressTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "FILES_AT_ONCE", 2)
    files = [finish(position) for position in range(4)]
    close(task)
    follower = Follower(task.pk)
    assert told(follower.look(sight=EVERYTHING)) == files[:2]
    assert told(follower.look(sight=EVERYTHING)) == files[2:]
    assert told(follower.look(sight=EVERYTHING)) == ["end"]


@pytest.mark.parametrize(
    "after", ["nonsense", "1-queued-", "1-gone-5", "1-queued-99999999999999999", "\x00", "-1-queued-1"]
)
def test_an_id_that_is_none_begins_at_the_beginning(task: SyncProgressTask, after: str) -> None:
    file = finish(0, seconds_ago=60)
    assert told(Follower(task.pk, after=after).look(sight=EVERYTHING)) == [file, "progress"]
