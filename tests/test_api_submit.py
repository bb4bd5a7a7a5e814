"""Submitting over HTTP: strict input, a task for what can be synced, and the truth about the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.choices import FileState, TaskState
from datasync.models import CatalogFile, Platform, SyncProgressTask
from tests.api import client_of, data_of, error_of, owner, stranger
from tests.runs_support import Bell, bell, make_template

__all__ = ["bell", "owner", "stranger"]
SINGLE, BATCH, BY_IDS, ALL = (f"/api/data-sync/{name}" for name in ("single", "batch", "batch-by-ids", "batch-all"))
TOO_BIG = 2**63


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def files(db: None) -> list[CatalogFile]:
    """Three pending files: two of Shopee, one of TikTok."""
    for code in ("shopee", "tiktok"):
        Platform.objects.get_or_create(code=code, defaults={"name": code.title()})
    return [pending_file(number, platform="tiktok" if number == 3 else "shopee") for number in (1, 2, 3)]


def least_body(address: str, file: CatalogFile) -> dict[str, Any]:
    """What a call cannot do without."""
    if address == SINGLE:
        return {"file_id": file.pk}
    return {"file_ids": [file.pk]} if address == BY_IDS else {}


def pending_file(number: int, *, platform: str) -> CatalogFile:
    return CatalogFile.objects.create(
        root="inbox",
        storage_name=f"{number}.xlsx",
        original_name=f"{number}.xlsx",
        size=1,
        modified_at=timezone.now(),
        sha256=f"{number:064}",
        content_sha256=f"{number:064}",
        platform_id=platform,
        domain="orders",
        granularity="daily",
        state=FileState.PENDING,
    )


def test_a_single_file(client: APIClient, owner: User, files: list[CatalogFile]) -> None:
    given = data_of(client.post(SINGLE, {"file_id": files[0].pk, "priority": 10, "allow_quarantine": False}), 202)
    assert re.fullmatch(rf"single_file_{files[0].pk}_[0-9a-f]{{8}}", given["task_id"])
    assert (given["status"], given["total_files"], given["processed_files"]) == ("queued", 1, 0)
    task = SyncProgressTask.objects.get(task_id=given["task_id"])
    assert (task.owner, task.celery_task_id) == (owner, given["celery_task_id"])
    assert (task.priority, task.only_with_template, task.allow_quarantine) == (10, True, False)


def test_a_file_that_does_not_exist(client: APIClient) -> None:
    error = error_of(client.post(SINGLE, {"file_id": 404}), 404)
    assert (error["code"], error["params"]) == ("FILE_NOT_FOUND", {"what": 404})


def test_a_busy_file_names_its_task(client: APIClient, files: list[CatalogFile]) -> None:
    first = data_of(client.post(SINGLE, {"file_id": files[0].pk}), 202)
    error = error_of(client.post(SINGLE, {"file_id": files[0].pk}), 409)
    assert (error["code"], error["params"]["task_id"]) == ("FILE_BUSY", first["task_id"])


def test_a_batch_by_filter(client: APIClient, files: list[CatalogFile]) -> None:
    CatalogFile.objects.update(template=make_template())
    given = data_of(client.post(BATCH, {"platform": "shopee", "domains": ["orders"], "limit": 1}), 202)
    assert re.fullmatch(r"batch_[0-9a-f]{8}", given["task_id"])
    assert given["total_files"] == 1


def test_everything_that_is_pending(client: APIClient, files: list[CatalogFile]) -> None:
    CatalogFile.objects.update(template=make_template())
    given = data_of(client.post(ALL, {"priority": 3}), 202)
    assert given["total_files"] == 3
    assert SyncProgressTask.objects.get(task_id=given["task_id"]).priority == 3


@pytest.mark.parametrize("platform", ["*", "", None])
def test_a_batch_over_all_platforms(client: APIClient, files: list[CatalogFile], platform: str | None) -> None:
    CatalogFile.objects.update(template=make_template())
    assert data_of(client.post(BATCH, {"platform": platform}), 202)["total_files"] == 3


@pytest.mark.parametrize("address", [BATCH, ALL])
def test_nothing_pending_is_no_error(client: APIClient, address: str) -> None:
    response = client.post(address, {})
    assert data_of(response)["total_files"] == 0
    assert data_of(response)["task_id"] is None
    assert response.json()["message"] == "Nothing is pending."
    assert not SyncProgressTask.objects.exists()


def test_chosen_files_with_missing_and_busy_ones(client: APIClient, files: list[CatalogFile]) -> None:
    client.post(SINGLE, {"file_id": files[1].pk})
    given = data_of(client.post(BY_IDS, {"file_ids": [files[0].pk, files[1].pk, 404]}), 202)
    assert (given["total_files"], given["missing_file_ids"], given["busy_file_ids"]) == (1, [404], [files[1].pk])


def test_chosen_files_that_are_all_busy(client: APIClient, files: list[CatalogFile]) -> None:
    client.post(SINGLE, {"file_id": files[1].pk})
    assert error_of(client.post(BY_IDS, {"file_ids": [files[1].pk, 404]}), 409)["code"] == "FILE_BUSY"


def test_chosen_files_that_are_all_missing(client: APIClient) -> None:
    assert error_of(client.post(BY_IDS, {"file_ids": [404, 405]}), 404)["code"] == "DATA_NOT_FOUND"


def test_a_thousand_chosen_files_are_allowed(client: APIClient, files: list[CatalogFile]) -> None:
    ids = [files[0].pk, *range(1_000_000, 1_000_999)]
    assert len(data_of(client.post(BY_IDS, {"file_ids": ids}), 202)["missing_file_ids"]) == 999


@pytest.mark.parametrize("address", [SINGLE, BATCH, BY_IDS, ALL])
@pytest.mark.parametrize("priority", [0, 11, -1, "5", 5.5, 5.0, True, None, [], {}, TOO_BIG])
def test_priority_is_a_whole_number_from_1_to_10(
    client: APIClient, files: list[CatalogFile], address: str, priority: object
) -> None:
    body = least_body(address, files[0])
    error = error_of(client.post(address, body | {"priority": priority}), 400)
    assert error["code"] == "VALIDATION_ERROR"
    assert list(error["fields"]) == ["priority"]
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize("file_id", [0, -1, "1", 1.0, True, None, [1], {"id": 1}, TOO_BIG])
def test_a_file_id_is_a_positive_number(client: APIClient, file_id: object) -> None:
    assert list(error_of(client.post(SINGLE, {"file_id": file_id}), 400)["fields"]) == ["file_id"]


@pytest.mark.parametrize(
    "file_ids",
    [[], list(range(1, 1002)), [1, 1], [-1], [0], [TOO_BIG], [[1]], [{"id": 1}], ["1"], [1.5], [True], [None], 1, "1"],
)
def test_file_ids_are_1_to_1000_different_numbers(client: APIClient, file_ids: object) -> None:
    error = error_of(client.post(BY_IDS, {"file_ids": file_ids}), 400)
    assert all(name.startswith("file_ids") for name in error["fields"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 1001),
        ("limit", "10"),
        ("since_hours", 0),
        ("since_hours", -5),
        ("since_hours", TOO_BIG),
        ("domains", ["everything"]),
        ("domains", "orders"),
        ("domains", [["orders"]]),
        ("domains", [None]),
        ("granularities", ["yearly"]),
        ("platform", 5),
        ("platform", "x" * 33),
        ("platform", "shop\u0000ee"),
        ("only_with_template", "yes"),
        ("only_with_template", 1),
        ("allow_quarantine", None),
    ],
)
def test_filters_of_a_batch_are_strict(client: APIClient, files: list[CatalogFile], field: str, value: object) -> None:
    error = error_of(client.post(BATCH, {field: value}), 400)
    assert all(name.startswith(field) for name in error["fields"])
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize("address", [SINGLE, BATCH, BY_IDS, ALL])
@pytest.mark.parametrize("extra", ["owner", "owner_id", "state", "status", "tier", "task_id", "fallback", "__class__"])
def test_unknown_fields_are_refused(
    client: APIClient, stranger: User, files: list[CatalogFile], address: str, extra: str
) -> None:
    body = least_body(address, files[0])
    error = error_of(client.post(address, body | {extra: stranger.pk}), 400)
    assert error["fields"] == {extra: "There is no such field."}
    assert not SyncProgressTask.objects.exclude(state=TaskState.QUEUED).exists()


@pytest.mark.parametrize("address", [SINGLE, BATCH, BY_IDS, ALL])
def test_only_people_submit(db: None, address: str) -> None:
    error_of(APIClient().post(address, {}), 401)


def test_a_task_that_the_broker_did_not_take_says_so(
    client: APIClient, files: list[CatalogFile], bell: Bell, django_capture_on_commit_callbacks: Any
) -> None:
    bell.heard = False
    with django_capture_on_commit_callbacks(execute=True):
        given = data_of(client.post(SINGLE, {"file_id": files[0].pk}), 202)
    address = f"/api/data-sync/progress/{given['task_id']}"
    told = data_of(client.get(address))
    assert told["message"].startswith("The broker: it could not be reached")
    waiting = told["waiting"]
    assert told["message"] == f"{waiting['waits_for']['message']} {waiting['next']['message']}"
    chinese = data_of(client.get(address, HTTP_ACCEPT_LANGUAGE="zh-hans"))
    assert chinese["message"].startswith("消息代理：无法连接")
    assert "message" in given


@pytest.mark.django_db(transaction=True)
def test_the_answer_counts_files_that_are_done_with_at_once(client: APIClient, files: list[CatalogFile]) -> None:
    CatalogFile.objects.filter(pk=files[0].pk).update(state=FileState.NEEDS_DESCRIPTION)
    given = data_of(client.post(BY_IDS, {"file_ids": [file.pk for file in files]}), 202)
    assert (given["total_files"], given["processed_files"], given["message"]) == (3, 1, "")
