"""G17: the quota is exact however many ask at once, and true whatever dies: it is counted, never kept."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from redis import Redis

from datasync.choices import TASK_ACTIVE, ItemState
from datasync.models import SyncProgressTask, SyncTaskFile
from erp.models import ApiToken
from tests.api import person
from tests.event_streams import Web
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_least, at_rest, check
from tests.faults.trials import Trials
from tests.faults.web import Answer, StartWeb, at_once, call, start_web
from tests.services import Server, start_redis, wait_until

__all__ = ["start_web"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="over HTTP the product is the same"),
]
LIMIT = 10
AT_ONCE = 100


@pytest.fixture
def redis() -> Iterator[Server]:
    server = start_redis()
    yield server
    os.kill(server.process.pid, signal.SIGCONT)
    server.stop(by=signal.SIGKILL)


class Crowd:
    """Many clients of one person, each of whom wants another file synced."""

    def __init__(self, web: Web, owner: User, files: list[int]) -> None:
        self._web, self._owner, self._token = web, owner, ApiToken.issue(user=owner)[1]
        self._files = files
        self.ended: dict[int, ItemState | None] = dict.fromkeys(files)
        """Those of the files that nobody got accepted, and those that were cancelled."""
        self._accepted: dict[str, int] = {}

    def submit(self, number: int) -> int:
        """How many of so many submits at once were accepted; all others must have been refused as they should."""
        free = LIMIT - self.active
        wanted, self._files = self._files[:number], self._files[number:]
        answers = at_once(number, partial(self._submit, wanted))
        told = Counter((one.status, one.error.get("code", "")) for one in answers)
        assert told == +Counter({(202, ""): free, (429, "QUOTA_EXCEEDED"): number - free})
        for refused in (one.error["params"] for one in answers if one.error):
            assert refused["limit"] == LIMIT <= refused["active"] == len(refused["active_task_ids"])
            assert set(refused["active_task_ids"]) <= set(self._tasks())
            assert refused.get("eta_seconds", 0) >= 0
        accepted = {one.data["task_id"]: file for file, one in zip(wanted, answers, strict=True) if not one.error}
        for file in accepted.values():
            del self.ended[file]
        self._accepted |= accepted
        assert self.active == LIMIT
        self._files = [file for file, one in zip(wanted, answers, strict=True) if one.error] + self._files
        return len(accepted)

    def cancel_one(self) -> None:
        """Give one place back."""
        task = SyncProgressTask.objects.filter(owner=self._owner, state__in=TASK_ACTIVE).order_by("-pk")[0]
        address = f"/api/data-sync/cancel-task/{task.celery_task_id}"
        assert call(self._web, "DELETE", address, token=self._token).data["status"] == "cancelled"
        self.ended[self._accepted[task.task_id]] = ItemState.CANCELLED

    @property
    def active(self) -> int:
        """How many tasks the person is told to have, which has to be how many there are."""
        told = call(self._web, "GET", "/api/quota/me", token=self._token).data
        tasks = self._tasks(state__in=TASK_ACTIVE)
        assert {one["task_id"] for one in told["active_tasks"]} == set(tasks)
        assert told["active"] == len(tasks) <= LIMIT
        return len(tasks)

    def _submit(self, files: list[int], at: int) -> Answer:
        body = {"file_id": files[at]}
        return call(self._web, "POST", "/api/data-sync/single", token=self._token, body=body)

    def _tasks(self, **conditions: object) -> list[str]:
        tasks = SyncProgressTask.objects.filter(owner=self._owner, **conditions)
        return list(tasks.values_list("task_id", flat=True))


def test_g17_a_hundred_at_once_and_whatever_dies(start_web: StartWeb, start: Start, redis: Server, inbox: Path) -> None:
    trials = Trials(
        "G17", "a hundred submits at once; workers are killed, Redis is emptied and frozen", cost=60, minutes=2
    )
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState | None] = {}
    web = start_web(REDIS_URL=redis.url)
    for trial in trials:
        files = write_exports(inbox, AT_ONCE, rows=10, trial=trial)
        expected |= files
        crowd = Crowd(web, person(f"person{trial}"), list(files))
        assert crowd.submit(AT_ONCE) == LIMIT

        running = start(REDIS_URL=redis.url, SLICE_SECONDS="0.1")
        done = SyncTaskFile.objects.filter(file__in=files, state=ItemState.COMPLETED)
        wait_until(partial(at_least, done, 1 + trial % 5), seconds=120, what=f"some files; see {running.log}")
        running.kill()
        wait_until(_nobody_writes, seconds=60, what="what the killed worker had begun in the database")
        crowd.submit(15)

        with Redis.from_url(redis.url) as client:
            client.flushall()
        assert crowd.submit(15) == 0

        os.kill(redis.process.pid, signal.SIGSTOP)
        assert crowd.submit(15) == 0
        os.kill(redis.process.pid, signal.SIGCONT)

        crowd.cancel_one()
        assert crowd.submit(15) == 1

        running = start(REDIS_URL=redis.url)
        wait_until(at_rest, seconds=120, what=f"the tasks; the worker's log is {running.log}")
        running.kill()
        assert crowd.active == 0
        assert crowd.submit(15) == LIMIT
        running = start(REDIS_URL=redis.url)
        wait_until(at_rest, seconds=120, what=f"the tasks; the worker's log is {running.log}")
        running.kill()
        ended |= crowd.ended
        check(expected, trials, ended=ended)


def _nobody_writes() -> bool:
    """Whether no other session is in the middle of anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return bool(cursor.fetchone() == (0,))
