"""Quotas over HTTP: the refusal, what one has, and what staff give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.choices import FileState, ItemState, TaskState
from datasync.models import ShopLimit, SyncProgressTask, SyncTaskFile
from datasync.runs.remap import services as remap
from datasync.runs.remap.selection import Concerned
from ratelimits.models import UserQuota
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.facts_support import file_of, make_shop
from tests.quotas import limit, limit_tier, make_item, make_task
from tests.rate_events import give
from tests.runs_support import Bell, bell, make_file, make_template

__all__ = ["bell", "owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
ME, USERS = "/api/quota/me", "/api/quota/users"
UNKNOWN = (404, 2**63, 10**30)


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def boss(staff: User) -> APIClient:
    """Staff with every right to quotas."""
    give(staff, "view_userquota", "add_userquota", "change_userquota", "delete_userquota")
    return client_of(staff)


def address(user: User) -> str:
    return f"{USERS}/{user.pk}"


@pytest.mark.parametrize("call", ["single", "batch", "batch-by-ids", "batch-all"])
def test_a_submit_beyond_the_quota(client: APIClient, owner: User, bell: Bell, settings: Any, call: str) -> None:
    settings.QUOTA_ACTIVE_TASKS = 2
    begun = timezone.now() - timedelta(seconds=60)
    tasks = [make_task(owner, state=TaskState.PROCESSING, started_at=begun) for _ in range(2)]
    make_item(tasks[1], state=ItemState.PROCESSING, rows_read=50, rows_expected=100)
    file = make_file(template=make_template())
    bodies: dict[str, Any] = {"single": {"file_id": file.pk}, "batch-by-ids": {"file_ids": [file.pk]}}

    response = client.post(f"/api/data-sync/{call}", bodies.get(call, {}))

    error = error_of(response, 429)
    assert (error["code"], error["type"]) == ("QUOTA_EXCEEDED", "quota_exceeded")
    assert error["detail"] == "2 tasks are active already; the limit is 2 a person."
    assert error["params"].pop("eta_seconds") == pytest.approx(60, abs=5)
    assert error["params"] == {"active": 2, "limit": 2, "active_task_ids": [task.task_id for task in tasks]}
    assert int(response["Retry-After"]) == pytest.approx(60, abs=6)
    assert SyncProgressTask.objects.count() == 2


def test_tasks_out_of_sight_count_and_are_not_named(client: APIClient, owner: User, bell: Bell, settings: Any) -> None:
    """The id of a task over one file tells its file."""
    settings.QUOTA_ACTIVE_TASKS = 2
    shop, hidden, shown = make_shop("other"), make_task(owner), make_task(owner)
    SyncTaskFile.objects.create(task=hidden, file=file_of(shop), file_sha256="0" * 64)
    mine = make_shop("mine")
    ShopLimit.objects.create(user=owner).shops.add(mine)
    told = client.get(ME)
    assert (data_of(told)["active"], [task["task_id"] for task in data_of(told)["active_tasks"]]) == (
        2,
        [shown.task_id],
    )
    refused = client.post("/api/data-sync/single", {"file_id": file_of(mine, state=FileState.PENDING).pk})
    assert error_of(refused, 429)["params"] == {"active": 2, "limit": 2, "active_task_ids": [shown.task_id]}
    assert hidden.task_id not in told.content.decode() + refused.content.decode()


def test_when_a_task_ends_is_left_out_where_it_cannot_be_told(
    client: APIClient, owner: User, bell: Bell, settings: Any
) -> None:
    settings.QUOTA_ACTIVE_TASKS = 1
    make_item(make_task(owner))
    response = client.post("/api/data-sync/single", {"file_id": make_file().pk})
    assert "eta_seconds" not in error_of(response, 429)["params"]
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("call", ["batch", "batch-by-ids", "batch-all"])
def test_a_task_that_waiting_does_not_help_is_not_told_to_wait(
    client: APIClient, owner: User, bell: Bell, call: str
) -> None:
    limit(owner, max_files_per_task=1)
    files = [make_file(template=make_template()).pk for _ in range(2)]
    response = client.post(f"/api/data-sync/{call}", {"file_ids": files} if call == "batch-by-ids" else {})
    error = error_of(response, 422)
    assert (error["code"], error["params"]) == ("TASK_BEYOND_QUOTA", {"files": 2, "limit": 1})
    assert "Retry-After" not in response


def test_a_submit_of_whom_no_task_is_allowed(client: APIClient, owner: User, bell: Bell) -> None:
    limit(owner, max_active_tasks=0)
    response = client.post("/api/data-sync/single", {"file_id": make_file().pk})
    assert error_of(response, 422)["code"] == "TASK_BEYOND_QUOTA"
    assert "Retry-After" not in response


@pytest.mark.parametrize(("most", "status", "code"), [(1, 429, "QUOTA_EXCEEDED"), (0, 422, "TASK_BEYOND_QUOTA")])
def test_a_remap_beyond_the_quota(
    boss: APIClient, staff: User, bell: Bell, monkeypatch: pytest.MonkeyPatch, most: int, status: int, code: str
) -> None:
    limit(staff, max_active_tasks=most)
    other = make_task(staff)
    template = make_template()
    file = make_file(template=template)
    found = [Concerned(file_id=file.pk, content_sha256="0" * 64, rows=10, busy=False)]
    monkeypatch.setattr(remap, "concerned", lambda _: found)
    response = boss.post(f"/api/data-sync/templates/{template.pk}/remap", {})
    assert error_of(response, status)["code"] == code
    assert ("Retry-After" in response) is (status == 429)
    assert list(SyncProgressTask.objects.all()) == [other]


@pytest.mark.parametrize(("most", "status", "code"), [(1, 429, "QUOTA_EXCEEDED"), (0, 422, "TASK_BEYOND_QUOTA")])
def test_a_retry_beyond_the_quota_of_whom_the_task_belongs_to(
    boss: APIClient, owner: User, bell: Bell, most: int, status: int, code: str
) -> None:
    limit(owner, max_active_tasks=most)
    failed = make_task(owner, state=TaskState.FAILED)
    make_item(failed, state=ItemState.FAILED)
    make_task(owner)
    response = boss.post(f"/api/data-sync/retry-task/{failed.celery_task_id}", {})
    assert error_of(response, status)["code"] == code
    assert SyncProgressTask.objects.count() == 2


def test_what_i_may_have_and_have(client: APIClient, owner: User, stranger: User) -> None:
    owner.groups.add(limit_tier("operator", max_rows_per_day=1000))
    begun = timezone.now() - timedelta(seconds=30)
    running = make_task(owner, state=TaskState.PROCESSING, started_at=begun)
    make_item(running, state=ItemState.PROCESSING, rows_read=50, rows_expected=100)
    waiting = make_task(owner)
    make_task(owner, state=TaskState.COMPLETED, rows_read=30)
    make_task(stranger)

    mine = data_of(client.get(ME))

    first, second = mine.pop("active_tasks")
    assert (first["task_id"], first["status"]) == (running.task_id, "processing")
    assert mine.pop("eta_seconds") == first["eta_seconds"] == pytest.approx(30, abs=5)
    assert (second["task_id"], second["status"], second["eta_seconds"]) == (waiting.task_id, "queued", None)
    assert mine == {
        "max_active_tasks": {"limit": 10, "source": "default", "tier": None},
        "max_files_per_task": {"limit": None, "source": "default", "tier": None},
        "max_rows_per_day": {"limit": 1000, "source": "tier", "tier": "operator"},
        "active": 2,
        "rows_today": 130,
    }


def test_staff_are_not_limited_and_nothing_is_going_on(boss: APIClient) -> None:
    mine = data_of(boss.get(ME))
    assert mine["max_active_tasks"] == {"limit": None, "source": "staff", "tier": None}
    assert (mine["active"], mine["active_tasks"], mine["rows_today"], mine["eta_seconds"]) == (0, [], 0, None)


def test_many_tasks_are_counted_and_some_are_named(client: APIClient, owner: User) -> None:
    for _ in range(103):
        make_task(owner)
    mine = data_of(client.get(ME))
    assert (mine["active"], len(mine["active_tasks"])) == (103, 100)


def cost(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


def test_looking_costs_the_same_however_much_there_is(client: APIClient, boss: APIClient, owner: User) -> None:
    def costs() -> list[int]:
        asked = (lambda: client.get(ME), lambda: boss.get(address(owner)), lambda: boss.get(USERS))
        return [cost(ask) for ask in asked]

    make_item(make_task(owner))
    limit(owner, max_active_tasks=3)
    costs()  # the first use of a token is written down
    few = costs()
    for number in range(9):
        make_item(make_task(owner))
        limit(User.objects.create_user(f"user{number}"), max_active_tasks=number)
    assert costs() == few


def test_staff_give_a_person_limits_and_clear_them(boss: APIClient, owner: User, staff: User) -> None:
    limits = {"max_active_tasks": 20, "max_rows_per_day": 5_000_000_000}
    given = data_of(boss.put(address(owner), limits))
    assert (given["user_id"], given["username"]) == (owner.pk, "owner")
    assert given["max_active_tasks"] == {"limit": 20, "source": "user", "tier": None}
    own = given["own"]
    assert own.pop("changed_at")
    assert own == limits | {
        "user_id": owner.pk, "username": "owner", "max_files_per_task": None, "changed_by": "staff",
    }  # fmt: skip
    assert data_of(boss.get(address(owner)))["own"]["max_active_tasks"] == 20

    replaced = data_of(boss.put(address(owner), {"max_files_per_task": 7}))
    assert (replaced["own"]["max_active_tasks"], replaced["own"]["max_files_per_task"]) == (None, 7)
    assert UserQuota.objects.count() == 1

    cleared = data_of(boss.delete(address(owner)))
    assert (cleared["own"], cleared["max_active_tasks"]["source"]) == (None, "default")
    assert error_of(boss.delete(address(owner)), 404)["code"] == "QUOTA_NOT_FOUND"


def test_a_list_of_those_with_limits_of_their_own(boss: APIClient, owner: User, stranger: User) -> None:
    limit(stranger, max_active_tasks=1)
    limit(owner, max_active_tasks=2)
    limit_tier("operator", max_active_tasks=3)
    listed = boss.get(USERS, {"page_size": 1})
    assert [row["username"] for row in data_of(listed)] == ["owner"]
    assert listed.json()["pagination"]["total"] == 2
    assert [row["username"] for row in data_of(boss.get(USERS, {"search": "TRANG"}))] == ["stranger"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"max_active_tasks": -1}, "max_active_tasks"),
        ({"max_active_tasks": "5"}, "max_active_tasks"),
        ({"max_active_tasks": True}, "max_active_tasks"),
        ({"max_active_tasks": 2**31}, "max_active_tasks"),
        ({"max_files_per_task": 1.5}, "max_files_per_task"),
        ({"max_rows_per_day": 10**12 + 1}, "max_rows_per_day"),
        ({"tier": "operator"}, "tier"),
        ({"max_active_tasks": None}, ""),
        ({}, ""),
    ],
)
def test_limits_are_checked(boss: APIClient, owner: User, body: dict[str, Any], field: str) -> None:
    error = error_of(boss.put(address(owner), body), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [field])
    assert not UserQuota.objects.exists()


@pytest.mark.parametrize("query", [{"page": "0"}, {"who": "ana"}])
def test_the_query_of_the_list_is_checked(boss: APIClient, query: dict[str, str]) -> None:
    assert error_of(boss.get(USERS, query), 400)["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("user_id", UNKNOWN)
def test_persons_who_do_not_exist(boss: APIClient, user_id: int) -> None:
    one = f"{USERS}/{user_id}"
    for response in (boss.get(one), boss.put(one, {"max_active_tasks": 1}), boss.delete(one)):
        assert error_of(response, 404)["code"] == "USER_NOT_FOUND"


@pytest.mark.parametrize(
    ("right", "opened"),
    [
        ("view_userquota", {"list", "get"}), ("change_userquota", {"list", "get", "put again"}),
        ("add_userquota", {"put"}), ("delete_userquota", {"delete"}), ("view_creditentry", set()),
    ],
)  # fmt: skip
def test_each_right_of_the_console_opens_what_it_opens_there(
    staff: User, owner: User, stranger: User, right: str, opened: set[str]
) -> None:
    limit(owner, max_active_tasks=2)
    give(staff, right)
    client, limits = client_of(staff), {"max_active_tasks": 99}
    calls: dict[str, Callable[[], Any]] = {
        "list": lambda: client.get(USERS),
        "get": lambda: client.get(address(owner)),
        "put": lambda: client.put(address(stranger), limits),
        "put again": lambda: client.put(address(owner), limits),
        "delete": lambda: client.delete(address(owner)),
    }
    answered = {name: call().status_code for name, call in calls.items()}
    assert answered == {name: 200 if name in opened else 403 for name in calls}


def test_staff_who_are_limited_to_shops_have_no_business_there(boss: APIClient, staff: User, owner: User) -> None:
    ShopLimit.objects.create(user=staff)
    for response in (boss.get(USERS), boss.put(address(staff), {"max_active_tasks": 99})):
        assert error_of(response, 403)["code"] == "LIMITED_TO_SHOPS"
    assert not UserQuota.objects.exists()


def test_others_have_no_business_there(client: APIClient, owner: User) -> None:
    mine = address(owner)
    for response in (
        client.get(USERS), client.get(mine), client.put(mine, {"max_active_tasks": 99}), client.delete(mine)
    ):  # fmt: skip
        assert error_of(response, 403)["code"] == "PERMISSION_DENIED"
    assert not UserQuota.objects.exists()
