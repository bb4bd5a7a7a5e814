"""``bench.probe`` with doors to the queue: what a turn costs, how soon work starts, and people who sign in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.db import connection

from bench import probe
from bench.counting import counted
from datasync.access import EVERYTHING
from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE, ItemState
from datasync.exceptions import TaskFinished
from datasync.ingest.load.postgresql import PostgresqlLoader
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.cancel import cancel_task
from datasync.runs.claim import claim_next
from datasync.runs.pick import pick_task
from datasync.runs.services import submit_by_ids, submit_single
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from erp.models import ApiToken
from ratelimits.limits.choices import MOST_PER_MINUTE
from ratelimits.models import RateRule

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_POLL_SECONDS = 0.02
_PAUSE_SECONDS = 0.1


def sign_in(people: int) -> list[str]:
    """The tokens of so many people, in the order of their numbers. The limiter counts them and refuses nobody."""
    RateRule.objects.update(per_minute=MOST_PER_MINUTE)
    users = [_person(f"client-{number:04}") for number in range(people)]
    return [ApiToken.issue(user=user, label="bench")[1] for user in users]


def work_off(tasks: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Submit the files, a person's task for each group, and take turns until all are done: what the turns cost."""
    owners = [_person(f"owner-{number:04}") for number in range(len(tasks))]  # one may not have as many tasks
    submitted = [
        submit_by_ids(file_ids=file_ids, owner=owner, sight=EVERYTHING).task.pk
        for owner, file_ids in zip(owners, tasks, strict=True)
    ]
    active = SyncProgressTask.objects.filter(pk__in=submitted, state__in=TASK_ACTIVE)
    with counted() as cost:
        while True:
            with cost.switched(on=False):
                if not active.exists():
                    break
            take_turn()
    done = SyncTaskFile.objects.filter(task__in=submitted, state=ItemState.COMPLETED).count()
    return {
        "files": done,
        "statements": cost.statements,
        "commits": cost.commits,
        "messages": cost.messages,
        "database_seconds": cost.database_seconds,
        "broker_seconds": cost.broker_seconds,
    }


def dispatch(times: int) -> list[float]:
    """Seconds from the question whose turn it is to a file in hand, so often; each file is given back at once."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        task = pick_task()
        claim = claim_next(task.pk) if task else None
        seconds.append(time.perf_counter() - began)
        if claim is None:
            raise RuntimeError("Nothing to claim.")
        SyncTaskFile.objects.filter(pk=claim.item_id).update(
            state=ItemState.QUEUED, lease_token=None, lease_until=None, attempt=0
        )
    return seconds


def sweep_often(times: int) -> list[float]:
    """Seconds of so many sweeps that find nothing to do."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        swept = sweep()
        seconds.append(time.perf_counter() - began)
        if swept.anything:
            raise RuntimeError(f"There was something to do: {swept}")
    return seconds


def starts(file_ids: list[int]) -> list[float]:
    """Seconds from each submit to the start of its file, one file after another, by the database's clock."""
    seconds = []
    for file_id in file_ids:
        item = submit_single(file_id=file_id, owner=None, sight=EVERYTHING).items.get()
        wait_for([item.task_id])
        item.refresh_from_db()
        if item.started_at is None or item.state != ItemState.COMPLETED:
            raise RuntimeError(f"File {file_id} ended as {item.state}: {item.error}")
        seconds.append((item.started_at - item.queued_at).total_seconds())
        time.sleep(_PAUSE_SECONDS)
    return seconds


def locked(file_ids: list[int]) -> list[float]:
    """For how many seconds the sync of each file keeps other files of its shop out."""
    seconds: list[float] = []
    lock, commit, began = PostgresqlLoader.lock, connection.commit, [0.0]

    def locking(loader: PostgresqlLoader) -> str:
        now = lock(loader)
        began[0] = time.perf_counter()
        return now

    def committing() -> None:
        commit()
        if began[0]:
            seconds.append(time.perf_counter() - began[0])
            began[0] = 0.0

    with patch.object(PostgresqlLoader, "lock", locking), patch.object(connection, "commit", committing):
        for file_id in file_ids:
            probe.sync(file_id)
    return seconds


def beside(batch: list[int], singles: list[int]) -> dict[str, Any]:
    """One person's batch, and while it runs another's files, one after another: seconds of each, submit to end."""
    busy, other = _person("busy"), _person("other")
    task = submit_by_ids(file_ids=batch, owner=busy, sight=EVERYTHING).task
    done = task.items.exclude(state__in=ITEM_ACTIVE)
    while done.count() < 2:
        time.sleep(_POLL_SECONDS)
    items = []
    for file_id in singles:
        single = submit_single(file_id=file_id, owner=other, sight=EVERYTHING)
        wait_for([single.pk])
        items.append(single.items.get())
    left = task.items.filter(state__in=ITEM_ACTIVE).count()
    wait_for([task.pk])
    usual = [item.duration_ms / 1000 for item in task.items.all() if item.duration_ms is not None]
    took = [(item.finished_at - item.queued_at).total_seconds() for item in items if item.finished_at]
    return {"seconds": took, "batch_seconds": usual, "left": left}


def keep_busy(file_ids: list[int], seconds: float) -> int:
    """Submit the files again and again, whenever they are done, for so long; how many were synced meanwhile."""
    until, tasks = time.monotonic() + seconds, [submit_by_ids(file_ids=file_ids, owner=None, sight=EVERYTHING).task]
    while time.monotonic() < until:
        if not tasks[-1].items.filter(state__in=ITEM_ACTIVE).exists():
            wait_for([tasks[-1].pk])
            tasks.append(submit_by_ids(file_ids=file_ids, owner=None, sight=EVERYTHING).task)
        time.sleep(_POLL_SECONDS)
    done = SyncTaskFile.objects.filter(task__in=tasks, state=ItemState.COMPLETED).count()
    stop_all()
    return done


def stop_all() -> int:
    """Cancel every task and wait until nothing is in hand; how many there were."""
    tasks = list(SyncProgressTask.objects.filter(state__in=TASK_ACTIVE))
    for task in tasks:
        with suppress(TaskFinished):  # a worker may have ended it this moment
            cancel_task(task)
    wait_for([task.pk for task in tasks])
    return len(tasks)


def _person(name: str) -> User:
    return get_user_model().objects.get_or_create(username=name)[0]


def wait_for(tasks: Sequence[int]) -> None:
    """Return when these tasks have ended."""
    while SyncProgressTask.objects.filter(pk__in=tasks, state__in=TASK_ACTIVE).exists():
        time.sleep(_POLL_SECONDS)


probe.DOORS.update(
    {
        function.__name__: function
        for function in (sign_in, work_off, dispatch, sweep_often, starts, locked, beside, keep_busy, stop_all)
    }
)


if __name__ == "__main__":
    probe.main()
