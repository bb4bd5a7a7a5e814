"""Cancelling and retrying over HTTP, and the Idempotency-Key of every call that makes a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import CorruptFile, TooManyActiveTasks
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.claim import claim_next
from datasync.runs.turns import take_turn
from datasync.signals import before_submit
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.runs_support import Bell, Ingest, bell, ingest, make_file, make_template

__all__ = ["bell", "ingest", "owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db(transaction=True)
SUBMITS = ("single", "batch", "batch-by-ids", "batch-all")


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def task(owner: User, bell: Bell) -> SyncProgressTask:
    """A task over two files that nobody has begun."""
    return services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=owner, sight=EVERYTHING).task


@pytest.fixture
def failed(task: SyncProgressTask, ingest: Ingest) -> SyncProgressTask:
    """The same task after one of its files failed."""
    ingest.ends[task.items.order_by("position")[0].file_id] = CorruptFile(found="a test")
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.PARTIAL
    return task


@pytest.fixture
def refused() -> Iterator[None]:
    """Somebody limits people, and this person has reached the limit."""

    def refuse(**_: Any) -> None:
        raise TooManyActiveTasks(active=2, limit=2, active_task_ids=["batch_0a1b2c3d"], eta_seconds=None, wait=30.0)

    before_submit.connect(refuse)
    yield
    before_submit.disconnect(refuse)


def cancel(client: APIClient, task: SyncProgressTask) -> Any:
    return client.delete(f"/api/data-sync/cancel-task/{task.celery_task_id}")


def retry(client: APIClient, task: SyncProgressTask, body: Any = None, *, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/data-sync/retry-task/{task.celery_task_id}", body or {}, "json", headers=headers)


def test_a_task_that_waits_is_cancelled_at_once(client: APIClient, task: SyncProgressTask) -> None:
    data = data_of(cancel(client, task))
    files = list(task.items.order_by("position").values_list("file_id", flat=True))
    assert data == {
        "task_id": task.task_id,
        "celery_task_id": task.celery_task_id,
        "status": "cancelled",
        "stopped": {"files": 2, "file_ids": files},
        "finished": {"files": 0, "file_ids": []},
        "stopping": {"files": 0, "file_ids": []},
    }
    state = data_of(client.get(f"/api/data-sync/task-status/{task.celery_task_id}"))
    assert (state["state"], state["ready"], state["successful"]) == ("REVOKED", True, False)


def test_files_in_hand_are_said_to_stop(client: APIClient, task: SyncProgressTask) -> None:
    claim = claim_next(task.pk)
    assert claim is not None
    response = cancel(client, task)
    data = data_of(response)
    assert (data["status"], data["stopping"]) == ("cancelling", {"files": 1, "file_ids": [claim.file_id]})
    assert response.json()["message"] == "Files in hand stop within seconds."


def test_a_finished_task_cannot_be_cancelled(client: APIClient, failed: SyncProgressTask) -> None:
    error = error_of(cancel(client, failed), 409)
    assert (error["code"], error["params"]) == ("TASK_FINISHED", {"task_id": failed.task_id, "state": "partial"})


@pytest.mark.parametrize(("language", "state"), [("en", "completed in part"), ("zh-hans", "部分完成")])
def test_the_state_of_a_finished_task_is_told_in_words(
    owner: User, failed: SyncProgressTask, language: str, state: str
) -> None:
    error = error_of(cancel(client_of(owner, HTTP_ACCEPT_LANGUAGE=language), failed), 409)
    assert (state in error["detail"], error["params"]["state"]) == (True, "partial")


def test_other_peoples_tasks_do_not_exist(stranger: User, failed: SyncProgressTask) -> None:
    for answer in (cancel(client_of(stranger), failed), retry(client_of(stranger), failed)):
        assert error_of(answer, 404)["code"] == "TASK_NOT_FOUND"


def test_staff_steers_everybodys_and_they_stay_theirs(staff: User, owner: User, failed: SyncProgressTask) -> None:
    retried = SyncProgressTask.objects.get(task_id=data_of(retry(client_of(staff), failed), 202)["task_id"])
    assert retried.owner == owner
    assert data_of(cancel(client_of(staff), retried))["status"] == "cancelled"
    assert data_of(retry(client_of(owner), failed), 202)["task_id"] == retried.task_id


def test_a_retry_is_one_new_task_however_often(client: APIClient, failed: SyncProgressTask) -> None:
    data = data_of(retry(client, failed, {"only_failed": True}), 202)
    assert (data["status"], data["total_files"], data["retry_of"]) == ("queued", 1, failed.task_id)
    assert data_of(retry(client, failed), 202) == data
    assert data_of(retry(client, failed, {"only_failed": False}), 202) == data
    assert SyncProgressTask.objects.count() == 2


def test_stopped_files_are_retried_when_asked_for(client: APIClient, task: SyncProgressTask) -> None:
    cancel(client, task)
    error = error_of(retry(client, task), 409)
    assert (error["code"], error["params"]["unfinished"]) == ("NOTHING_TO_RETRY", 2)
    assert data_of(retry(client, task, {"only_failed": False}), 202)["total_files"] == 2


def test_a_running_task_cannot_be_retried(client: APIClient, task: SyncProgressTask) -> None:
    error = error_of(retry(client, task), 409)
    assert (error["code"], error["params"]) == ("TASK_RUNNING", {"task_id": task.task_id})


def test_files_that_are_busy_name_their_task(client: APIClient, failed: SyncProgressTask, owner: User) -> None:
    other = services.submit_single(file_id=failed.items.order_by("position")[0].file_id, owner=owner, sight=EVERYTHING)
    error = error_of(retry(client, failed), 409)
    assert (error["code"], error["params"]["task_id"]) == ("FILE_BUSY", other.task_id)


def test_files_that_are_left_out_are_named(client: APIClient, failed: SyncProgressTask, owner: User) -> None:
    failed.items.update(state=ItemState.FAILED)
    busy, free = failed.items.order_by("position").values_list("file_id", flat=True)
    services.submit_single(file_id=busy, owner=owner, sight=EVERYTHING)
    data = data_of(retry(client, failed, key="once"), 202)
    assert (data["total_files"], data["busy_file_ids"]) == (1, [busy])
    assert data_of(retry(client, failed, key="once"), 202) == data
    assert data_of(retry(client, failed), 202) == data
    assert SyncTaskFile.objects.get(task__parent=failed).file_id == free


def test_a_limit_that_is_reached(client: APIClient, failed: SyncProgressTask, refused: None) -> None:
    response = retry(client, failed)
    assert error_of(response, response.status_code)["code"] == TooManyActiveTasks.code
    assert response.status_code == 429
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "status", "code"), [("archived", 409, "TEMPLATE_NOT_IN_USE"), (None, 404, "TEMPLATE_NOT_FOUND")]
)
def test_a_remap_whose_template_is_out_of_use(
    client: APIClient, failed: SyncProgressTask, state: str | None, status: int, code: str
) -> None:
    template = make_template()
    template.state = state or template.state
    template.save()
    options = {"template_id": template.pk if state else template.pk + 1}
    SyncProgressTask.objects.filter(pk=failed.pk).update(kind="remap", options=options)
    assert error_of(retry(client, failed), status)["code"] == code


@pytest.mark.parametrize("body", [{"only_failed": "yes"}, {"only_failed": None}, {"priority": 3}])
def test_wrong_input_is_named(client: APIClient, failed: SyncProgressTask, body: dict[str, Any]) -> None:
    error = error_of(retry(client, failed, body), 400)
    assert (error["code"], set(error["fields"])) == ("VALIDATION_ERROR", set(body))


@pytest.fixture
def submits(bell: Bell) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """For each call that submits: a body, and another one."""
    files = [make_file(template=make_template(), state=FileState.PENDING).pk for _ in range(4)]
    return {
        "single": ({"file_id": files[0]}, {"file_id": files[1]}),
        "batch": ({"limit": 1}, {"limit": 2}),
        "batch-by-ids": ({"file_ids": [files[0], 404]}, {"file_ids": files[1:]}),
        "batch-all": ({"priority": 3}, {"priority": 4}),
    }


@pytest.mark.parametrize("call", SUBMITS)
def test_a_submit_sent_twice_makes_one_task(client: APIClient, submits: dict[str, Any], call: str) -> None:
    path, (body, other) = f"/api/data-sync/{call}", submits[call]
    first = data_of(client.post(path, body, HTTP_IDEMPOTENCY_KEY="once"), 202)
    assert data_of(client.post(path, body, HTTP_IDEMPOTENCY_KEY="once"), 202) == first
    error = error_of(client.post(path, other, HTTP_IDEMPOTENCY_KEY="once"), 409)
    assert (error["code"], error["params"]) == ("IDEMPOTENCY_CONFLICT", {"task_id": first["task_id"]})
    assert SyncProgressTask.objects.count() == 1


def test_a_repeated_submit_is_answered_with_how_far_its_task_is_now(client: APIClient, submits: dict[str, Any]) -> None:
    waiting = make_file(state=FileState.NEEDS_DESCRIPTION)
    body = {"file_ids": [submits["single"][0]["file_id"], waiting.pk]}
    first = data_of(client.post("/api/data-sync/batch-by-ids", body, HTTP_IDEMPOTENCY_KEY="once"), 202)
    assert (first["total_files"], first["processed_files"]) == (2, 1), "one waits for a description"
    assert data_of(client.post("/api/data-sync/batch-by-ids", body, HTTP_IDEMPOTENCY_KEY="once"), 202) == first
    SyncTaskFile.objects.filter(state=ItemState.QUEUED).update(state=ItemState.COMPLETED)
    again = data_of(client.post("/api/data-sync/batch-by-ids", body, HTTP_IDEMPOTENCY_KEY="once"), 202)
    assert again == first | {"processed_files": 2}


def test_defaults_that_are_said_make_no_other_request(client: APIClient, submits: dict[str, Any]) -> None:
    path, (body, _) = "/api/data-sync/single", submits["single"]
    first = data_of(client.post(path, body, HTTP_IDEMPOTENCY_KEY="once"), 202)
    said = body | {"priority": 5, "allow_quarantine": True}
    assert data_of(client.post(f"{path}", said, HTTP_IDEMPOTENCY_KEY="once"), 202) == first


def test_a_retry_sent_twice(client: APIClient, failed: SyncProgressTask, submits: dict[str, Any]) -> None:
    first = data_of(retry(client, failed, key="once"), 202)
    assert data_of(retry(client, failed, key="once"), 202) == first
    response = retry(client, failed, {"only_failed": False}, key="once")
    assert error_of(response, 409)["code"] == "IDEMPOTENCY_CONFLICT"
    single = client.post("/api/data-sync/single", submits["single"][0], HTTP_IDEMPOTENCY_KEY="once")
    assert error_of(single, 409)["code"] == "IDEMPOTENCY_CONFLICT"


def test_a_key_that_is_none_is_named(client: APIClient, submits: dict[str, Any]) -> None:
    for call in SUBMITS:
        response = client.post(f"/api/data-sync/{call}", submits[call][0], HTTP_IDEMPOTENCY_KEY="a b")
        error = error_of(response, 400)
        assert (error["code"], set(error["fields"])) == ("VALIDATION_ERROR", {"Idempotency-Key"})
    assert not SyncProgressTask.objects.exists()
    assert CatalogFile.objects.filter(state=FileState.PENDING).count() == 4


def test_the_key_is_documented_wherever_it_is_heeded() -> None:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    naming = {
        path.removeprefix("/api/data-sync/")
        for path, methods in document["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if (parameter["in"], parameter["name"]) == ("header", "Idempotency-Key")
    }
    assert naming == {*SUBMITS, "retry-task/{celery_task_id}", "templates/{template_id}/remap"}
