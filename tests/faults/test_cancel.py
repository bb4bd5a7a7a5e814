"""G15: a cancel is prompt and final: each file is imported, or cancelled with nothing of it stored."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import TASK_ACTIVE, FileState, ItemState, TaskState
from datasync.models import OrderLine, QuarantinedRow, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.dispatch import give_turn_later
from erp.models import ApiToken
from tests.api import person
from tests.event_streams import Web
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.faults.web import Answer, StartWeb, call, start_web
from tests.services import wait_until

__all__ = ["start_web"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="on SQLite a cancel waits for the load"),
]
PROMPT = timedelta(seconds=5)
DUE_AFTER = 0.3
RACES = 5 if "FAULT_TRIALS" in os.environ else 1  # at once
POINTS = (Point.LOCK, Point.COPY, Point.WRITTEN, Point.COMMIT)
Orders = Mapping[int, Sequence[str]]


@dataclass
class Aim:
    """A pause that finds the moment before which a cancel is early and after which it is late."""

    seconds: float = 0.2

    def pause(self, chance: Random) -> None:
        """Wait for about that moment."""
        time.sleep(self.seconds * chance.uniform(0.7, 1.4))

    def learn(self, *, late: bool) -> None:
        """Aim at an earlier moment, or at a later one."""
        self.seconds *= 1 / 1.5 if late else 1.5


class Client:
    """A member of staff at a web process, who submits and cancels."""

    def __init__(self, web: Web) -> None:
        self.told_at: dict[int, datetime] = {}  # when each task's cancel was answered, by the database's clock
        self._web, self._token = web, ApiToken.issue(user=person("operator", is_staff=True))[1]

    def submit(self, file_ids: Sequence[int]) -> SyncProgressTask:
        body = {"file_ids": list(file_ids)}
        answer = call(self._web, "POST", "/api/data-sync/batch-by-ids", token=self._token, body=body)
        assert answer.status == 202, answer
        return SyncProgressTask.objects.get(task_id=answer.data["task_id"])

    def cancel(self, task: SyncProgressTask) -> Answer:
        address = f"/api/data-sync/cancel-task/{task.celery_task_id}"
        answer = call(self._web, "DELETE", address, token=self._token)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (self.told_at[task.pk],) = cursor.fetchone()
        return answer


@pytest.fixture
def client(start_web: StartWeb) -> Client:
    return Client(start_web())


def test_g15_while_it_is_queued_and_after_its_end(client: Client, start: Start, inbox: Path) -> None:
    """What waits is stopped within the call, the messages that are left of it do nothing, and an end is final."""
    trials = Trials("G15", "a task is cancelled while it is queued", quick=5, cost=4)
    expected = write_exports(inbox, 4, rows=20)
    for _trial in trials:
        task = client.submit(list(expected))
        answer = client.cancel(task)
        assert (answer.status, answer.data["status"]) == (200, "cancelled")
        assert _checked(task, client, answer, expected) == Counter(cancelled=4)
    running = start(processes=2)
    last = client.submit(list(expected))
    wait_until(at_rest, seconds=120, what=f"the last task; the worker's log is {running.log}")
    begun = SyncTaskFile.objects.filter(attempt__gt=0).values_list("task", flat=True)
    assert {str(task) for task in begun} == {str(last.pk)}
    answer = client.cancel(last)
    assert (answer.status, answer.error["code"]) == (409, "TASK_FINISHED")
    check(expected, trials)


def test_g15_at_the_claim_and_in_the_final_transaction(client: Client, start: Start, inbox: Path) -> None:
    """Files are due a moment after their submit; the pauses find the moments of their claims, and of their ends."""
    trials = Trials("G15", "a cancel races the claim and the final transaction", quick=16, cost=0.2, minutes=6)
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState] = {}
    operator = get_user_model().objects.get()
    running = start(processes=2)
    aims, ends = {"claim": Aim(), "end": Aim()}, Counter[tuple[str, bool]]()
    while trials.more:
        files = write_exports(inbox, 2 * RACES, rows=20, trial=trials.tried // RACES)
        expected |= files
        pairs = list(zip(*[iter(files)] * 2, strict=True))
        with transaction.atomic():
            tasks = [services.submit_by_ids(file_ids=pair, owner=operator, sight=EVERYTHING).task for pair in pairs]
            SyncTaskFile.objects.filter(task__in=tasks).update(not_before=Now() + timedelta(seconds=DUE_AFTER))
        for _ in tasks:
            give_turn_later(DUE_AFTER)
        name = ("claim", "end")[trials.tried // RACES % 2]
        past = {"claim": Q(attempt__gt=0), "end": Q(state=ItemState.COMPLETED)}[name]
        aims[name].pause(trials.random)
        answers = [client.cancel(task) for task in tasks]
        for task, answer in zip(tasks, answers, strict=True):
            wait_until(partial(_is_over, task), seconds=60, what=f"the task; the worker's log is {running.log}")
            _checked(task, client, answer, expected)
            ended |= _cancelled(task)
            late = task.items.filter(past).exists()
            ends[name, late] += 1
        aims[name].learn(late=late)
        trials.tried += RACES
    assert len(ends) == 4, f"no race: {ends}"
    check(expected, trials, ended=ended)


def test_g15_at_each_point_of_a_load(client: Client, start: Start, inbox: Path, stops: Stops) -> None:
    """Loads wait for their lock, in COPY, with all written, and in the commit.

    In every other round only the cancel ends the wait. In the others they go on at once, before their workers have
    heard of it: what was not written by then must not be.
    """
    trials = Trials("G15", "a running load is cancelled at a chosen point", quick=2 * len(POINTS), cost=2, minutes=2)
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState] = {}
    running = start(processes=len(POINTS), LEASE_SECONDS="60")
    while trials.more:
        files = write_exports(inbox, len(POINTS), rows=2_000, trial=trials.tried, shops=len(POINTS))
        expected |= files
        for (file_id, orders), point in zip(files.items(), POINTS, strict=True):
            stops.set(file_id, point, order_id=trials.random.choice(orders))
        task = client.submit(list(files))
        wait_until(lambda: len(stops.reached()) == len(POINTS), seconds=90, what=f"all points; see {running.log}")
        time.sleep(trials.random.uniform(0, 2))  # before the first beat of the workers, and after it
        answer = client.cancel(task)
        told = {kind: answer.data[kind]["files"] for kind in ("stopping", "stopped", "finished")}
        assert (answer.status, told["finished"]) == (200, 0)
        assert told["stopping"] + told["stopped"] == len(POINTS), told  # a beat may come before the answer is made up
        if go_on := bool(trials.tried % (2 * len(POINTS))):
            stops.let_all_go()
        wait_until(partial(_is_over, task), seconds=60, what=f"the task; the worker's log is {running.log}")
        _checked(task, client, answer, expected)
        must_stop = list(files)[: 2 if go_on else None]
        assert set(task.items.filter(file__in=must_stop).values_list("state", flat=True)) == {ItemState.CANCELLED}
        ended |= _cancelled(task)
        trials.recovery += _seconds_to_stop(task)
        stops.let_all_go()
        trials.tried += len(POINTS)
    check(expected, trials, ended=ended)


@pytest.mark.alone
def test_g15_at_any_moment_of_a_large_file(client: Client, start: Start, inbox: Path) -> None:
    trials = Trials("G15", "a running file is cancelled at any moment", quick=3, cost=4, minutes=2.5)
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState] = {}
    running = start()
    for trial in trials:
        files = write_exports(inbox, 1, rows=60_000, trial=trial)
        expected |= files
        task = client.submit(list(files))
        wait_until(task.items.filter(state=ItemState.PROCESSING).exists, seconds=60, what=f"a claim; see {running.log}")
        time.sleep(trials.random.uniform(0, 1.5))
        answer = client.cancel(task)
        wait_until(partial(_is_over, task), seconds=60, what=f"the task; the worker's log is {running.log}")
        if _checked(task, client, answer, expected)["cancelled"]:
            trials.recovery += _seconds_to_stop(task)
        ended |= _cancelled(task)
    check(expected, trials, ended=ended)


def _is_over(task: SyncProgressTask) -> bool:
    return not SyncProgressTask.objects.filter(pk=task.pk, state__in=TASK_ACTIVE).exists()


def _checked(task: SyncProgressTask, client: Client, answer: Answer, orders: Orders) -> Counter[str]:
    """How the files of a task ended that somebody tried to cancel; all that is told of them has to be true."""
    task.refresh_from_db()
    ends: dict[int, str] = {}
    for item in task.items.select_related("file"):
        stored = OrderLine.objects.filter(order_id__in=orders[item.file_id]).count()
        if item.state == ItemState.CANCELLED:
            assert (stored, item.rows_read, item.file.state) == (0, 0, FileState.PENDING)
            assert not QuarantinedRow.objects.filter(file=item.file).exists()
        else:
            assert (stored, item.state, item.file.state) == (
                len(orders[item.file_id]), ItemState.COMPLETED, FileState.INGESTED,
            )  # fmt: skip
            assert item.finished_at is not None
            assert item.finished_at <= client.told_at[task.pk], "synced after somebody was told that it is cancelled"
        ends[item.file_id] = item.state
    cancelled = ItemState.CANCELLED in ends.values()
    assert task.state == (TaskState.CANCELLED if cancelled else TaskState.COMPLETED)
    if answer.status == 200:
        assert {ends[file] for file in answer.data["stopped"]["file_ids"]} <= {ItemState.CANCELLED}
        assert {ends[file] for file in answer.data["finished"]["file_ids"]} <= {ItemState.COMPLETED}
        assert all(seconds <= PROMPT.total_seconds() for seconds in _seconds_to_stop(task)), _seconds_to_stop(task)
    else:
        assert (answer.status, answer.error["code"], cancelled) == (409, "TASK_FINISHED", False)
    return Counter(ends.values())


def _cancelled(task: SyncProgressTask) -> dict[int, ItemState]:
    """The files that nobody submits again, of a task whose answers were checked."""
    stopped = task.items.filter(state=ItemState.CANCELLED).values_list("file_id", flat=True)
    return dict.fromkeys(stopped, ItemState.CANCELLED)


def _seconds_to_stop(task: SyncProgressTask) -> list[float]:
    """From the cancel to the end of each file that was stopped, by the database's clock."""
    asked = task.cancel_requested_at
    ended = task.items.filter(state=ItemState.CANCELLED).values_list("finished_at", flat=True)
    return [(moment - asked).total_seconds() for moment in ended if moment is not None and asked is not None]
