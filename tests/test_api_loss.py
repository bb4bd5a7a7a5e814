"""Lost rows over HTTP: where the rows are, in parts, and what lost more than is tolerated."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.choices import FileState, QuarantineState
from datasync.models import SyncTaskFile
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.flows import quarantine, synced
from tests.runs_support import make_file

__all__ = ["owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
ANALYSIS, ALERT = "/api/data-sync/loss-analysis", "/api/data-sync/loss-alert"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def items(owner: User) -> list[SyncTaskFile]:
    """Three syncs of the owner: 50 %, 10 % and nothing of the rows quarantined."""
    half = synced(make_file(), owner=owner, read=4, inserted=2, quarantined=2)
    quarantine(half, QuarantineState.OPEN, QuarantineState.DISCARDED)
    tenth = synced(make_file(domain="products"), owner=owner, read=10, inserted=9, quarantined=1)
    quarantine(tenth, QuarantineState.OPEN)
    return [half, tenth, synced(make_file(), owner=owner, read=6, inserted=6)]


def parts(client: APIClient, **query: Any) -> list[tuple[Any, ...]]:
    data = data_of(client.get(ANALYSIS, query))
    return [(part["file_id"], part["domain"], part["rows"]["read"], part["lost"]) for part in data["parts"]]


def test_all_rows_by_domain(client: APIClient, items: list[SyncTaskFile]) -> None:
    data = data_of(client.get(ANALYSIS))
    assert (data["flow"]["files"], data["flow"]["rows"]["read"], data["flow"]["lost"]) == (3, 20, 3)
    assert data["flow"]["quarantine"] == {"open": 2, "corrected": 0, "discarded": 1, "judged_again": 0}
    assert data["flow"]["balanced"]
    assert parts(client) == [(None, "orders", 10, 2), (None, "products", 10, 1)]


def test_a_domain_a_task_and_a_file_by_file(client: APIClient, items: list[SyncTaskFile]) -> None:
    half, tenth, whole = items
    assert parts(client, domain="orders") == [(half.file_id, "orders", 4, 2), (whole.file_id, "orders", 6, 0)]
    assert parts(client, task_id=tenth.task.task_id) == [(tenth.file_id, "products", 10, 1)]
    assert parts(client, file_id=whole.file_id) == [(whole.file_id, "orders", 6, 0)]
    assert parts(client, platform="lazada") == []
    assert parts(client, platform="shopee", shop="sg1") == []


def test_parts_come_in_pages_at_a_flat_price(client: APIClient, items: list[SyncTaskFile]) -> None:
    assert parts(client, domain="orders", page=2, page_size=1) == [(items[2].file_id, "orders", 6, 0)]
    with CaptureQueriesContext(connection) as few:
        data_of(client.get(ANALYSIS, {"domain": "orders"}))
    for _ in range(5):
        synced(make_file(), read=1, inserted=1)
    with CaptureQueriesContext(connection) as many:
        assert len(data_of(client.get(ANALYSIS, {"domain": "orders"}))["parts"]) == 7
    assert len(many) == len(few)


@pytest.mark.parametrize("call", [ANALYSIS, ALERT])
def test_a_task_of_somebody_else_does_not_exist(call: str, items: list[SyncTaskFile], stranger: User) -> None:
    query = {"task_id": items[0].task.task_id}
    assert error_of(client_of(stranger).get(call, query), 404)["code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("call", [ANALYSIS, ALERT])
def test_a_file_that_is_not_there_or_deleted_is_not_found(call: str, client: APIClient) -> None:
    assert error_of(client.get(call, {"file_id": 99}), 404)["code"] == "FILE_NOT_FOUND"


@pytest.mark.parametrize("call", [ANALYSIS, ALERT])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"file_id": "0"}, "file_id"),
        ({"file_id": str(2**63)}, "file_id"),
        ({"task_id": "a b"}, "task_id"),
        ({"domain": "weather"}, "domain"),
        ({"file_id": "1", "domain": "orders"}, "domain"),
        ({"shop": "sg1"}, "platform"),
        ({"page": "0"}, "page"),
        ({"nope": "1"}, "nope"),
    ],
)
def test_a_wrong_question_names_its_field(call: str, client: APIClient, query: dict[str, str], field: str) -> None:
    error = error_of(client.get(call, query), 400)
    assert (error["code"], field in error["fields"]) == ("VALIDATION_ERROR", True)


@pytest.mark.parametrize("threshold", ["-1", "100.1", "nan", "1e1", "5%", "", "٣"])
def test_a_threshold_is_a_share(client: APIClient, threshold: str) -> None:
    assert set(error_of(client.get(ALERT, {"threshold": threshold}), 400)["fields"]) == {"threshold"}


def alerts(client: APIClient, **query: Any) -> list[Any]:
    data = data_of(client.get(ALERT, query))
    name = {"task": "task_id", "file": "file_id", "domain": "domain"}[query.get("subject", "task")]
    return [alert[name] for alert in data["alerts"]]


def test_what_lost_more_than_the_threshold_newest_first(client: APIClient, items: list[SyncTaskFile]) -> None:
    half, tenth, _whole = items
    data = data_of(client.get(ALERT))
    assert (data["threshold"], data["above"]) == (5.0, {"task": 2, "file": 2, "domain": 2})
    assert [alert["task_id"] for alert in data["alerts"]] == [tenth.task.task_id, half.task.task_id]
    assert (data["alerts"][1]["undecided_percent"], data["alerts"][1]["lost_percent"]) == (25.0, 50.0)
    assert "release" in data["alerts"][0]["recovery_suggestion"]
    assert alerts(client, threshold="10") == [half.task.task_id]
    assert alerts(client, threshold="10", subject="file") == [half.file_id]
    assert alerts(client, threshold="10", subject="domain") == ["orders"]
    assert alerts(client, threshold="10", domain="products") == []
    assert alerts(client, page=2, page_size=1) == [half.task.task_id]
    assert alerts(client, threshold="100") == []


def test_a_released_row_is_not_lost(client: APIClient, owner: User) -> None:
    item = synced(make_file(), owner=owner, read=10, inserted=8, quarantined=2)
    quarantine(item, QuarantineState.RELEASED, QuarantineState.DISCARDED)
    assert alerts(client, threshold="10") == []
    assert alerts(client, threshold="9.9") == [item.task.task_id]
    assert "decided" in data_of(client.get(ALERT))["alerts"][0]["recovery_suggestion"]


def test_people_see_their_own_tasks_staff_everybodys(items: list[SyncTaskFile], staff: User, stranger: User) -> None:
    assert alerts(client_of(stranger)) == []
    assert len(alerts(client_of(stranger), subject="file")) == 2
    assert len(alerts(client_of(staff))) == 2


def test_a_deleted_file_alerts_nobody(client: APIClient, items: list[SyncTaskFile]) -> None:
    items[0].file.state = FileState.DELETED
    items[0].file.save()
    assert alerts(client, subject="file") == [items[1].file_id]


def test_alerts_cost_the_same_however_many(client: APIClient, owner: User, items: list[SyncTaskFile]) -> None:
    data_of(client.get(ALERT))  # the token's first use is written down
    with CaptureQueriesContext(connection) as few:
        data_of(client.get(ALERT))
    for _ in range(5):
        synced(make_file(), owner=owner, read=2, inserted=1, quarantined=1)
    with CaptureQueriesContext(connection) as many:
        assert len(data_of(client.get(ALERT))["alerts"]) == 7
    assert len(many) == len(few)
