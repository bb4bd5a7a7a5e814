"""A page that follows a task loses its web process: what it missed it gets from another, streamed or polled."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.choices import ItemState, TaskState
from datasync.models import SyncProgressTask
from erp.models import ApiToken
from tests.api import person
from tests.conftest import test_environment
from tests.event_streams import Stream, Web, web_process
from tests.runs_support import make_file
from tests.test_api_progress import make_item, make_task
from tests.test_api_stream import address, finish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
FILES = 6


@pytest.fixture
def owner(transactional_db: None) -> User:
    return person("owner")


@pytest.fixture
def task(owner: User) -> SyncProgressTask:
    """A task of several files."""
    task = make_task(owner, state=TaskState.PROCESSING, total_files=FILES)
    for _ in range(FILES):
        make_item(task, make_file())
    return task


@pytest.fixture
def webs(transactional_db: None, tmp_path: Path) -> Iterator[list[Web]]:
    """Two web servers, as behind one address."""
    with ExitStack() as running:
        logs = (tmp_path / f"web{number}.log" for number in range(2))
        yield [running.enter_context(web_process(test_environment(), threads=4, log=log)) for log in logs]


def test_nothing_is_missed_when_the_web_process_is_killed(webs: list[Web], owner: User, task: SyncProgressTask) -> None:
    token = ApiToken.issue(user=owner)[1]
    items = list(task.items.order_by("position").select_related("file"))
    stream = webs[0].get(address(task), token=token, Accept="text/event-stream")
    stream.until("progress")
    told: list[int] = []
    for item in items[:2]:
        finish(item.file)
        _name, last, data = stream.until("file")
        told.append(data["file_id"])
    os.killpg(webs[0].process.pid, signal.SIGKILL)
    for item in items[2:4]:
        finish(item.file)
    assert _rest(stream) is None, "it breaks off without an end"

    polled = _polled(webs[1], task, token)
    assert (polled["files"]["processed"], polled["status"]) == (4, "processing")
    states = {result["file_id"]: result["status"] for result in polled["results"]}
    assert [states[item.file_id] for item in items] == [ItemState.COMPLETED] * 4 + [ItemState.QUEUED] * 2

    stream = webs[1].get(address(task), token=token, Last_Event_ID=last)
    for item in items[4:]:
        finish(item.file)
    _close(task)
    for name, _id, data in stream.events():
        if name == "file":
            told.append(data["file_id"])
    assert name == "end"
    assert data["status"] == "completed"
    assert set(told) == {item.file_id for item in items}
    assert _polled(webs[1], task, token)["status"] == "completed"


def _rest(stream: Stream) -> Any:
    """The last event of a stream whose server is gone; None where none came."""
    found = None
    try:
        for name, _id, data in stream.events():
            found = data if name == "end" else found
    except (OSError, http.client.HTTPException):
        return found
    return found


def _polled(web: Web, task: SyncProgressTask, token: str) -> Any:
    asked = web.get(address(task).removesuffix("/stream"), token=token)
    assert asked.answer.status == 200
    return json.load(asked.answer)["data"]


def _close(task: SyncProgressTask) -> None:
    SyncProgressTask.objects.filter(pk=task.pk).update(state=TaskState.COMPLETED, succeeded_files=FILES)
