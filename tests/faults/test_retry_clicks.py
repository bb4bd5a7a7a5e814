"""G16: a retry, and any submit with a key, makes one task, however often it is sent and whatever dies meanwhile."""

from __future__ import annotations

import http.client
import os
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.cancel import cancel_task
from erp.models import ApiToken
from tests.api import person
from tests.event_streams import Web
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.faults.web import Answer, StartWeb, at_once, call, kill, start_web
from tests.services import wait_until

__all__ = ["start_web"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="over HTTP the product is the same"),
]
CLICKS = 50
SENT = 20
ADDRESS = "/api/data-sync/batch-by-ids"


@pytest.fixture
def owner(transactional_db: None) -> User:
    return person("owner", is_staff=True)


def test_g16_fifty_clicks_make_one_retry(start_web: StartWeb, start: Start, inbox: Path, owner: User) -> None:
    """Files that were stopped are wanted after all: fifty clicks arrive in the same moment."""
    trials = Trials("G16", "a retry is clicked fifty times at once", quick=2, cost=4, minutes=1.5)
    web, token = start_web(), ApiToken.issue(user=owner)[1]
    expected: dict[int, list[str]] = {}
    for trial in trials:
        files = write_exports(inbox, 2, rows=20, trial=trial)
        expected |= files
        task = services.submit_by_ids(file_ids=list(files), owner=owner, sight=EVERYTHING).task
        cancel_task(task)

        def click(_at: int, task: SyncProgressTask = task) -> Answer:
            address, body = f"/api/data-sync/retry-task/{task.celery_task_id}", {"only_failed": False}
            return call(web, "POST", address, token=token, body=body)

        answers = at_once(CLICKS, click)
        retried = SyncProgressTask.objects.get(parent=task)
        assert _told(answers) == {(202, retried.task_id): CLICKS}
        assert retried.items.count() == len(files)
    running = start(processes=2)
    wait_until(at_rest, seconds=120, what=f"the retries; the worker's log is {running.log}")
    assert SyncTaskFile.objects.filter(state=ItemState.COMPLETED).count() == len(expected)
    check(expected, trials)


def test_g16_a_submit_that_is_sent_again_to_another_process_makes_one_task(
    start_web: StartWeb, start: Start, inbox: Path, owner: User
) -> None:
    """Twenty clients send one request with one key; the web processes are killed under them, and they ask others."""
    trials = Trials(
        "G16",
        "a submit is sent twenty times with one key; the web processes are killed",
        quick=2,
        cost=20,
        minutes=2,
    )
    token = ApiToken.issue(user=owner)[1]
    webs = [start_web()]
    expected: dict[int, list[str]] = {}
    for trial in trials:
        files = write_exports(inbox, 3, rows=20, trial=trial)
        expected |= files
        webs.append(start_web())
        before, after = webs[-2:]  # the one that is killed, and the one that is asked then
        body, key = {"file_ids": list(files)}, f"order-{trial}"

        def send(_at: int, body: object = body, key: str = key, webs: tuple[Web, ...] = (before, after)) -> Answer:
            for web in webs:
                with suppress(OSError, http.client.HTTPException):
                    return call(web, "POST", ADDRESS, token=token, body=body, Idempotency_Key=key)
            raise AssertionError("nobody answers")

        killing = threading.Timer(trials.random.uniform(0, 0.15), kill, [before])
        killing.start()
        answers = at_once(SENT, send)
        killing.join()
        (task,) = SyncProgressTask.objects.filter(items__file__in=files).distinct().order_by("pk")
        assert _told(answers) == {(202, task.task_id): SENT}
    running = start(processes=2)
    wait_until(at_rest, seconds=120, what=f"the tasks; the worker's log is {running.log}")
    assert SyncTaskFile.objects.filter(state=ItemState.COMPLETED).count() == len(expected)
    check(expected, trials)


def _told(answers: list[Answer]) -> Counter[tuple[int, str]]:
    """How often each task was named, or each error."""
    return Counter((one.status, one.data["task_id"] if one.data else one.error["code"]) for one in answers)
