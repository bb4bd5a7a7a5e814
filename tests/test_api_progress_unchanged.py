"""Polling is cheap: an answer has a weak tag, and asked with it there is no answer while nothing has changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasync.choices import ItemState, TaskState
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from tests.api import client_of, data_of, owner
from tests.runs_support import make_file
from tests.test_api_progress import addresses, make_item, make_task
from tests.test_api_submit import files

__all__ = ["files", "owner"]


@pytest.fixture
def task(owner: User, files: list[CatalogFile]) -> SyncProgressTask:
    task = make_task(owner, state=TaskState.PROCESSING, started_at=timezone.now(), total_files=2)
    make_item(task, files[0], state=ItemState.COMPLETED, rows_read=5, rows_inserted=5, finished_at=timezone.now())
    make_item(task, files[1], state=ItemState.PROCESSING, rows_read=2, lease_until=timezone.now())
    return task


def test_an_unchanged_task_has_no_answer_and_costs_three_statements(owner: User, task: SyncProgressTask) -> None:
    client = client_of(owner)
    first = client.get(addresses(task)[0])
    assert data_of(first)["files"]["processed"] == 1
    assert first["ETag"].startswith('W/"')
    assert first["Cache-Control"] == "private, no-cache"
    with CaptureQueriesContext(connection) as captured:
        again = client.get(addresses(task)[0], HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    asked = [query["sql"] for query in captured if "datasync_" in query["sql"]]
    assert len(asked) == 3, asked  # whose shops, which task, how far it is


def test_the_whole_answer_costs_no_more_than_before(owner: User, task: SyncProgressTask) -> None:
    client = client_of(owner)
    with CaptureQueriesContext(connection) as captured:
        data_of(client.get(addresses(task)[0]))
    assert len([query for query in captured if "datasync_" in query["sql"]]) == 5


def test_what_waits_is_not_asked_what_is_in_hand(owner: User, task: SyncProgressTask) -> None:
    """Nothing is in hand and nothing has failed, so there is nothing of the kind to look for."""
    task.items.filter(state=ItemState.PROCESSING).update(state=ItemState.QUEUED, lease_until=None)
    client = client_of(owner)
    client.get(addresses(task)[0])  # asks for everybody who polls in this second
    with CaptureQueriesContext(connection) as captured:
        answer = data_of(client.get(addresses(task)[0]))
    assert (answer["current_files"], answer["errors"]) == ([], [])
    asked = [query["sql"] for query in captured if "datasync_synctaskfile" in query["sql"].split("WHERE")[0]]
    assert len([sql for sql in asked if "rows_expected" in sql.split("FROM")[0] and "original_name" in sql]) == 0, asked


def test_a_poll_costs_the_same_however_many_files_there_are(owner: User, task: SyncProgressTask) -> None:
    client = client_of(owner)

    def cost() -> list[int]:
        counts = []
        for address in addresses(task):
            with CaptureQueriesContext(connection) as captured:
                data_of(client.get(address))
            counts.append(len(captured))
        return counts

    cost()  # the first call notes that the token was used
    few = cost()
    error = {"code": "ENCRYPTED", "message": "stored text", "params": {}, "recovery": "stored advice"}
    for state in (ItemState.COMPLETED, ItemState.FAILED, ItemState.PROCESSING, ItemState.QUEUED) * 15:
        failed = {"error": error} if state == ItemState.FAILED else {}
        make_item(task, make_file(), state=state, lease_until=timezone.now(), **failed)
    assert cost() == few


@pytest.mark.parametrize(
    "change",
    [
        {"rows_read": 3},
        {"state": ItemState.FAILED, "finished_at": timezone.now()},
        {"attempt": 2},
        {"rows_expected": 9},
    ],
)
def test_any_change_of_a_file_gives_a_new_answer(owner: User, task: SyncProgressTask, change: dict[str, Any]) -> None:
    client = client_of(owner)
    tag = client.get(addresses(task)[0])["ETag"]
    SyncTaskFile.objects.filter(state=ItemState.PROCESSING).update(**change)
    answer = client.get(addresses(task)[0], HTTP_IF_NONE_MATCH=tag)
    assert data_of(answer)
    assert answer["ETag"] != tag


def test_another_state_page_or_language_is_another_answer(owner: User, task: SyncProgressTask) -> None:
    client = client_of(owner)
    tag = client.get(addresses(task)[0])["ETag"]
    others: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"page_size": 1}, {}),
        ({"page": 2}, {}),
        ({}, {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}),
    ]
    for query, headers in others:
        answer = client.get(addresses(task)[0], query, HTTP_IF_NONE_MATCH=tag, **headers)
        assert answer.status_code == 200, (query, headers)
    SyncProgressTask.objects.update(state=TaskState.CANCELLING, cancel_requested_at=timezone.now())
    assert client.get(addresses(task)[0], HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_a_finished_task_is_unchanged_until_it_is_retried(owner: User) -> None:
    task = make_task(owner, state=TaskState.FAILED, total_files=1, failed_files=1, finished_at=timezone.now())
    client = client_of(owner)
    tag = client.get(addresses(task)[0])["ETag"]
    with CaptureQueriesContext(connection) as captured:
        assert client.get(addresses(task)[0], HTTP_IF_NONE_MATCH=f'"other", {tag}').status_code == 304
    assert len([query for query in captured if "datasync_" in query["sql"]]) == 2
    assert client.get(addresses(task)[0], HTTP_IF_NONE_MATCH="garbage").status_code == 200
    make_task(owner, 2, parent=task)
    answer = client.get(addresses(task)[0], HTTP_IF_NONE_MATCH=tag)
    assert data_of(answer)["waiting"]["next"]["code"] == "RETRIED"
