"""Live progress by server-sent events: told as it happens, resumed, bounded, and in nobody's way."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from django.utils import timezone

from datasync.choices import ItemState, TaskState
from datasync.exceptions import StreamsBusy
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from erp.api.event_stream import Event, EventStream, Places
from erp.models import ApiToken
from erp.stopping import stopping
from tests.api import client_of, error_of, person
from tests.conftest import test_environment
from tests.event_streams import Web, web_process
from tests.runs_support import make_file
from tests.services import wait_until
from tests.test_api_progress import make_item, make_task

pytestmark = pytest.mark.django_db(transaction=True)
AS_EVENTS: dict[str, Any] = {"HTTP_ACCEPT": "text/event-stream"}


@pytest.fixture
def owner(transactional_db: None) -> User:
    return person("owner")


@pytest.fixture
def files(transactional_db: None) -> list[CatalogFile]:
    return [make_file() for _ in range(2)]


@pytest.fixture
def task(owner: User, files: list[CatalogFile]) -> SyncProgressTask:
    task = make_task(owner, state=TaskState.PROCESSING, started_at=timezone.now(), total_files=2)
    for file in files:
        make_item(task, file)
    return task


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[Web]:
    """A web process with four threads, hence two places for streams."""
    with web_process(test_environment(), threads=4, log=tmp_path / "web.log") as web:
        yield web


def address(task: SyncProgressTask) -> str:
    return f"/api/data-sync/progress/{task.task_id}/stream"


def finish(file: CatalogFile) -> None:
    SyncTaskFile.objects.filter(file=file).update(state=ItemState.COMPLETED, rows_read=7, finished_at=Now())


def close(task: SyncProgressTask) -> None:
    SyncProgressTask.objects.filter(pk=task.pk).update(
        state=TaskState.COMPLETED, succeeded_files=2, rows_read=14, finished_at=Now()
    )  # fmt: skip


def events_of(content: bytes) -> list[tuple[str, Any]]:
    """Names and data of a whole stream."""
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in content.decode().split("\n\n")[:-1]]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


def test_a_finished_task_is_told_at_once(owner: User, task: SyncProgressTask, files: list[CatalogFile]) -> None:
    for file in files:
        finish(file)
    close(task)
    response = client_of(owner).get(address(task), **AS_EVENTS, HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-store", "no")
    events = events_of(response.getvalue())
    assert [(name, data.get("file_id")) for name, data in events] == [
        ("file", files[0].pk), ("file", files[1].pk), ("end", None),
    ]  # fmt: skip
    assert events[-1][1]["status"] == "completed"
    assert "results" not in events[-1][1]
    assert events[-1][1]["message"].startswith("已同步"), "in the language of the request"


def test_a_task_of_somebody_else_does_not_exist(task: SyncProgressTask) -> None:
    for headers in ({}, AS_EVENTS):
        response = client_of(person(f"stranger{len(headers)}")).get(address(task), **headers)
        assert error_of(response, 404)["code"] == "TASK_NOT_FOUND"
        assert response["Content-Type"] == "application/json"


def test_a_head_opens_no_stream(owner: User, task: SyncProgressTask) -> None:
    assert client_of(owner).head(address(task)).status_code == 405


def test_without_a_place_the_client_is_told_to_poll(owner: User, task: SyncProgressTask, settings: Any) -> None:
    settings.STREAMS_AT_ONCE = 0
    response = client_of(owner).get(address(task))
    error = error_of(response, 503)
    assert error["code"] == "STREAMS_BUSY"
    assert "progress" in error["recovery_suggestion"]
    assert int(response["Retry-After"]) > 0


def test_a_place_is_given_back_however_the_stream_ends() -> None:
    places = Places(lambda: 1)

    def stream(**times: float) -> EventStream:
        return EventStream(lambda: [Event("end", "1", {}, last=True)], places=places, **times)

    unread = stream()
    with pytest.raises(StreamsBusy):
        stream()
    unread.close()
    unread.close()
    read = stream()
    assert len(list(read)) == 2
    read.close()
    half_read = stream()
    next(iter(half_read))
    half_read.close()
    stream().close()


def test_it_shows_that_it_lives_and_ends_after_its_time(transactional_db: None) -> None:
    began = time.monotonic()
    stream = EventStream(list, places=Places(lambda: 1), pause=0.01, heartbeat=0.1, most=0.5)
    said = list(stream)
    assert said[0].startswith(b"retry: ")
    assert 2 <= said.count(b": still here\n\n") <= 5
    assert len(said) == 1 + said.count(b": still here\n\n")
    assert 0.5 <= time.monotonic() - began < 5


def test_a_database_that_is_away_costs_a_look_and_not_the_stream() -> None:
    looks = itertools.count()

    def look() -> list[Event]:
        if next(looks) == 0:
            raise DatabaseError("away")
        return [Event("end", "1", {"done": True}, last=True)]

    said = list(EventStream(look, places=Places(lambda: 1), pause=0.01))
    assert said[-1] == b'id: 1\nevent: end\ndata: {"done":true}\n\n'


def test_a_process_that_is_asked_to_stop_ends_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "wait", lambda _seconds: True)
    assert len(list(EventStream(list, places=Places(lambda: 1)))) == 1


@pytest.mark.services
def test_it_is_told_as_it_happens_and_goes_on_where_it_broke_off(
    web: Web, owner: User, task: SyncProgressTask, files: list[CatalogFile]
) -> None:
    token = ApiToken.issue(user=owner)[1]
    stream = web.get(address(task), token=token, Accept="text/event-stream")
    assert stream.answer.status == 200
    assert stream.until("progress")[2]["files"]["processed"] == 0
    finish(files[0])
    assert stream.until("file")[2]["file_id"] == files[0].pk
    _name, last, live = stream.until("progress")
    assert (live["files"]["processed"], live["waiting"]["waits_for"]["code"]) == (1, "NO_WORKER")
    stream.close()

    SyncTaskFile.objects.filter(file=files[0]).update(finished_at=timezone.now() - timedelta(minutes=5))
    finish(files[1])
    close(task)
    stream = web.get(address(task), token=token, Last_Event_ID=last)
    assert [(name, data.get("file_id")) for name, _id, data in stream.events()] == [
        ("file", files[1].pk),
        ("end", None),
    ]


@pytest.mark.services
def test_streams_leave_threads_for_others_and_a_closed_page_leaves_its_place(
    web: Web, owner: User, task: SyncProgressTask
) -> None:
    token = ApiToken.issue(user=owner)[1]
    first, second = (web.get(address(task), token=token) for _ in range(2))
    for stream in (first, second):
        stream.until("progress")
    refused = web.get(address(task), token=token)
    assert refused.answer.status == 503
    assert json.load(refused.answer)["error"]["code"] == "STREAMS_BUSY"
    for _ in range(8):
        polled = web.get(address(task).removesuffix("/stream"), token=token, seconds=5)
        assert polled.answer.status == 200
        polled.close()
    first.close()
    rows = itertools.count(1)

    def has_a_place() -> bool:
        """What is told to a page that is gone shows that it is."""
        SyncTaskFile.objects.update(rows_read=next(rows))
        third = web.get(address(task), token=token)
        third.close()
        return third.answer.status == 200

    wait_until(has_a_place, seconds=20, what="the place of a page that was closed")
    second.close()


@pytest.mark.services
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no sessions to count")
def test_between_two_looks_it_has_no_connection(web: Web, owner: User, task: SyncProgressTask) -> None:
    stream = web.get(address(task), token=ApiToken.issue(user=owner)[1])
    stream.until("progress")

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(cursor.fetchone()[0])

    seen = []
    end = time.monotonic() + 3
    while time.monotonic() < end:
        seen.append(others())
        time.sleep(0.02)
    assert seen.count(0) > len(seen) / 2, seen
    stream.close()


@pytest.mark.services
def test_stopping_the_web_process_waits_for_no_stream(web: Web, owner: User, task: SyncProgressTask) -> None:
    stream = web.get(address(task), token=ApiToken.issue(user=owner)[1])
    stream.until("progress")
    began = time.monotonic()
    web.process.terminate()
    assert [name for name, _id, _data in stream.events()] == [], "it breaks off; the client comes back"
    web.process.wait(15)
    assert time.monotonic() - began < 10
