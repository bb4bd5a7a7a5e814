"""How far it is: one's own tasks, everybody's for staff; lists in pages whose cost does not grow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.choices import ItemState, TaskKind, TaskState
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.test_api_submit import files

__all__ = ["files", "owner", "staff", "stranger"]
TASKS = "/api/data-sync/tasks"


def make_task(owner: User, number: int = 1, **values: Any) -> SyncProgressTask:
    return SyncProgressTask.objects.create(
        task_id=f"batch_{number:08x}", celery_task_id=f"celery-{number}", owner=owner,
        **{"kind": TaskKind.BATCH, "state": TaskState.QUEUED, **values},
    )  # fmt: skip


def make_item(task: SyncProgressTask, file: CatalogFile, **values: Any) -> SyncTaskFile:
    return SyncTaskFile.objects.create(
        task=task, file=file, position=file.pk, file_sha256=file.content_sha256, **values
    )


def addresses(task: SyncProgressTask) -> list[str]:
    return [f"/api/data-sync/progress/{task.task_id}", f"/api/data-sync/task-status/{task.celery_task_id}"]


def test_progress_of_a_running_task(owner: User, files: list[CatalogFile]) -> None:
    task = make_task(owner, state=TaskState.PROCESSING, started_at=timezone.now(), total_files=3)
    make_item(task, files[0], state=ItemState.COMPLETED, rows_read=5, rows_inserted=5)
    error = {"code": "ENCRYPTED", "message": "stored text", "params": {}, "recovery": "stored advice"}
    make_item(task, files[1], state=ItemState.FAILED, error=error)
    make_item(task, files[2], state=ItemState.PROCESSING, rows_read=2, rows_expected=4)
    response = client_of(owner).get(addresses(task)[0], {"page_size": 2})
    given = data_of(response)
    assert given["files"] == {"total": 3, "processed": 2, "succeeded": 1, "failed": 1, "skipped": 0}
    assert given["rows"]["inserted"] == 5
    assert given["current_file"] == files[2].original_name
    assert 0 < given["file_progress"] < 100
    assert given["errors"][0]["message"] == "The workbook is protected by a password."
    assert [result["file_id"] for result in given["results"]] == [files[0].pk, files[1].pk]
    assert response.json()["pagination"]["total_pages"] == 2


def test_celery_state_agrees_with_the_task(owner: User) -> None:
    task = make_task(owner, state=TaskState.QUEUED)
    given = data_of(client_of(owner).get(addresses(task)[1]))
    assert (given["state"], given["ready"], given["successful"], given["result"]) == ("PENDING", False, None, None)
    SyncProgressTask.objects.update(state=TaskState.FAILED, total_files=1, failed_files=1)
    given = data_of(client_of(owner).get(addresses(task)[1]))
    assert (given["state"], given["ready"], given["successful"]) == ("FAILURE", True, False)
    assert given["error"] == "0 of 1 files synced, 1 failed; 0 rows read."
    assert given["result"]["status"] == "failed"


def test_a_task_of_somebody_else_does_not_exist(owner: User, stranger: User, staff: User) -> None:
    for address in addresses(make_task(owner)):
        assert error_of(client_of(stranger).get(address), 404)["code"] == "TASK_NOT_FOUND"
        data_of(client_of(staff).get(address))
        error_of(APIClient().get(address), 401)


@pytest.mark.parametrize("given", ["nothing", "x" * 500, "%00", "..%2F..%2Fetc", "a%20b", "🙂"])
def test_ids_that_are_none(owner: User, given: str) -> None:
    error_of(client_of(owner).get(f"/api/data-sync/progress/{given}"), 404)
    error_of(client_of(owner).get(f"/api/data-sync/task-status/{given}"), 404)


def test_the_history_shows_ones_own_tasks_and_staff_everybodys(owner: User, stranger: User, staff: User) -> None:
    make_task(owner, 1)
    make_task(stranger, 2)
    assert [task["owner"] for task in data_of(client_of(owner).get(TASKS))] == ["owner"]
    assert {task["owner"] for task in data_of(client_of(staff).get(TASKS))} == {"owner", "stranger"}
    assert [task["owner"] for task in data_of(client_of(staff).get(TASKS, {"user": "stranger"}))] == ["stranger"]
    assert "user" in error_of(client_of(owner).get(TASKS, {"user": "stranger"}), 400)["fields"]


def test_the_history_counts_running_tasks_by_their_files(owner: User, files: list[CatalogFile]) -> None:
    running = make_task(owner, 1, state=TaskState.PROCESSING, started_at=timezone.now(), total_files=3)
    make_item(running, files[0], state=ItemState.COMPLETED, rows_read=5, rows_inserted=5)
    make_item(running, files[1], state=ItemState.PROCESSING, rows_read=2)
    make_item(running, files[2], state=ItemState.SKIPPED)
    make_task(owner, 2, state=TaskState.COMPLETED, succeeded_files=7, rows_read=70)
    (done, now) = data_of(client_of(owner).get(TASKS))
    assert (done["succeeded_files"], done["rows_read"], done["processed_files"]) == (7, 70, 7)
    assert (now["succeeded_files"], now["skipped_files"], now["processed_files"]) == (1, 1, 2)
    assert (now["rows_read"], now["rows_inserted"]) == (7, 5)
    assert now["rows_per_second"]


def test_a_summary_and_remarks_follow_the_reader(owner: User, files: list[CatalogFile]) -> None:
    skipped = {"code": "NO_TEMPLATE", "message": "as stored", "recovery": "Correct the request.", "file_id": 1}
    task = make_task(
        owner, state=TaskState.PARTIAL, total_files=2, succeeded_files=1, skipped_files=1, rows_read=1200,
        rows_inserted=1200, warnings=[skipped],
    )  # fmt: skip
    english = data_of(client_of(owner).get(addresses(task)[0]))
    assert english["message"] == "1 of 2 files synced, 1 skipped; 1,200 rows read: 1,200 inserted."
    assert english["warnings"][0]["message"] == "No published header template fits this file."
    chinese = data_of(client_of(owner, HTTP_ACCEPT_LANGUAGE="zh-hans").get(addresses(task)[0]))
    assert chinese["message"] == "已同步 1/2 个文件，跳过 1 个；读取 1,200 行：1,200 新增。"
    assert chinese["warnings"][0]["recovery"] not in {"", "Correct the request."}


def test_the_file_in_hand_is_named_however_many_failed_before(owner: User, files: list[CatalogFile]) -> None:
    task = make_task(owner, state=TaskState.PROCESSING, started_at=timezone.now(), total_files=112)
    template = files[0]
    failed = [
        CatalogFile(
            root="inbox", storage_name=f"bad{number}", original_name=f"bad{number}", size=1,
            modified_at=template.modified_at, sha256=f"b{number}", content_sha256=f"b{number}",
        )
        for number in range(111)
    ]  # fmt: skip
    for number, file in enumerate(CatalogFile.objects.bulk_create(failed)):
        SyncTaskFile.objects.create(task=task, file=file, position=number, state=ItemState.FAILED, error={"code": "X"})
    SyncTaskFile.objects.create(task=task, file=template, position=111, state=ItemState.PROCESSING)
    assert data_of(client_of(owner).get(addresses(task)[0]))["current_file"] == template.original_name


def test_the_history_is_filtered_and_ordered(owner: User) -> None:
    now = timezone.now()
    for number, state in enumerate((TaskState.COMPLETED, TaskState.FAILED, TaskState.COMPLETED), start=1):
        make_task(owner, number, state=state, priority=number, created_at=now - timedelta(days=number))
    client = client_of(owner)

    def found(**query: Any) -> list[int]:
        return [task["priority"] for task in data_of(client.get(TASKS, query))]

    assert found() == [1, 2, 3]
    assert found(status="completed", ordering="-priority") == [3, 1]
    assert found(type="single") == []
    assert found(created_from=(now - timedelta(days=2, hours=1)).isoformat()) == [1, 2]
    assert found(created_to=(now - timedelta(days=2, hours=1)).isoformat()) == [3]


@pytest.mark.parametrize(
    "query",
    [
        {"owner__password__startswith": "pbkdf2"},
        {"state": "queued"},
        {"status__in": "queued"},
        {"status": "everything"},
        {"ordering": "owner__password"},
        {"ordering": "?"},
        {"ordering": "-celery_task_id"},
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": str(10**30)},
        {"page_size": "0"},
        {"page_size": "many"},
        {"created_from": "yesterday"},
        {"format": "xml"},
        {"status": ""},
        {"user": ""},
        {"page": ""},
        {"page": "1_0"},
        {"page": "\u0663"},
        {"page": " 3"},
        {"page_size": "+5"},
        {"created_to": ""},
        {"page": ["1", "2"]},
    ],
)
def test_queries_are_strict(owner: User, query: dict[str, Any]) -> None:
    assert list(error_of(client_of(owner).get(TASKS, query), 400)["fields"]) == list(query)


def test_pages(owner: User) -> None:
    SyncProgressTask.objects.bulk_create(
        SyncProgressTask(task_id=f"batch_{n}", celery_task_id=f"c{n}", owner=owner, kind=TaskKind.BATCH)
        for n in range(210)
    )
    client = client_of(owner)
    assert len(data_of(client.get(TASKS))) == 20
    response = client.get(TASKS, {"page_size": 10**9})
    assert len(data_of(response)) == response.json()["pagination"]["page_size"] == 200
    past = client.get(TASKS, {"page": 1_000_000, "page_size": 200})
    assert data_of(past) == []
    assert past.json()["pagination"]["has_next"] is False
    seen = [task["task_id"] for page in (1, 2) for task in data_of(client.get(TASKS, {"page": page, "page_size": 200}))]
    assert len(set(seen)) == 210


def test_the_cost_of_a_list_does_not_grow(owner: User, staff: User) -> None:
    client = client_of(staff)
    client.get(TASKS)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            data_of(client.get(TASKS, {"page_size": 200}))
        return len(queries)

    for number in range(10):
        make_task(owner, number)
    few = cost()
    for number in range(10, 200):
        make_task(owner, number)
    assert cost() == few <= 5


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=-1", "color=red"])
def test_a_wrong_page_is_named(owner: User, query: str) -> None:
    error = error_of(client_of(owner).get(f"/api/data-sync/progress/batch_1?{query}"), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [query.split("=", maxsplit=1)[0]])
