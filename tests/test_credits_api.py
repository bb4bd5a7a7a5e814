"""Credits over HTTP: what one has and why, the refusal, and what staff grant."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.choices import ItemState, TaskState
from datasync.models import ShopLimit, SyncProgressTask, SyncTaskFile
from ratelimits.credits import services
from ratelimits.models import CreditAccount, CreditEntry
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.credits_support import balance, give, use
from tests.facts_support import file_of, make_shop
from tests.quotas import make_item, make_task
from tests.rate_events import give as allow
from tests.runs_support import Bell, bell, make_file, make_template

__all__ = ["bell", "owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
BALANCE, ENTRIES = "/api/credits/balance", "/api/credits/entries"
GRANT: dict[str, Any] = {"amount": 100, "key": "march", "note": "March", "expires_at": "2100-01-01T00:00:00Z"}


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def boss(staff: User) -> APIClient:
    """Staff with the right to grant."""
    allow(staff, "add_creditentry")
    return client_of(staff)


def address(user_id: int) -> str:
    return f"/api/credits/users/{user_id}/grant"


def test_what_i_have(client: APIClient, owner: User, stranger: User, settings: Any) -> None:
    assert data_of(client.get(BALANCE)) == {"balance": 0, "required": False, "ends": []}
    settings.CREDITS_REQUIRED = True
    give(owner, 10)
    ending = give(owner, 20, days=1)
    give(stranger, 40)
    mine = data_of(client.get(BALANCE))
    assert (mine["balance"], mine["required"], [end["amount"] for end in mine["ends"]]) == (30, True, [20])
    assert ending.expires_at is not None
    assert mine["ends"][0]["expires_at"] == ending.expires_at.isoformat().replace("+00:00", "Z")


def test_a_line_of_a_task_out_of_sight_does_not_name_it(client: APIClient, owner: User) -> None:
    hidden, shown = make_task(owner), make_task(owner)
    SyncTaskFile.objects.create(task=hidden, file=file_of(make_shop("other")), file_sha256="0" * 64)
    give(owner, 100)
    for task in (hidden, shown):
        services.consume(owner, amount=5, key=f"task:{task.task_id}", task=task.task_id)
    services.refund(hidden.task_id)
    assert [line["task_id"] for line in data_of(client.get(ENTRIES))] == [
        hidden.task_id, shown.task_id, hidden.task_id, None,
    ]  # fmt: skip
    ShopLimit.objects.create(user=owner)
    response = client.get(ENTRIES)
    assert hidden.task_id not in response.content.decode()
    refunded, paid, used, granted = data_of(response)
    assert [(line["key"], line["task_id"]) for line in (refunded, used)] == [(None, None)] * 2
    assert (paid["key"], paid["task_id"]) == (f"task:{shown.task_id}", shown.task_id)
    assert granted["key"].startswith("grant:")
    assert [line["balance_after"] for line in (refunded, paid, used, granted)] == [95, 90, 95, 100]


def test_looking_opens_no_account(client: APIClient) -> None:
    data_of(client.get(BALANCE))
    data_of(client.get(ENTRIES))
    assert not CreditAccount.objects.exists()


def test_my_entries_page_by_page(client: APIClient, owner: User, stranger: User) -> None:
    give(owner, 100, note="<script>alert(1)</script>")
    give(stranger, 100)
    for _ in range(4):
        use(owner, 10, task="batch_0a1b2c3d")
    seen, cursor = [], ""
    while True:
        body = client.get(ENTRIES, {"page_size": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += body["data"]
        cursor = body["pagination"]["next_cursor"]
        if not cursor:
            break
    assert [entry["balance_after"] for entry in seen] == [60, 70, 80, 90, 100]
    assert [entry["task_id"] for entry in seen] == ["batch_0a1b2c3d"] * 4 + [None]
    assert (seen[-1]["kind"], seen[-1]["note"], seen[-1]["uncovered"]) == ("grant", "<script>alert(1)</script>", 0)


def test_entries_of_a_kind_or_of_a_task(client: APIClient, owner: User) -> None:
    give(owner, 100)
    use(owner, 10, task="batch_1")
    use(owner, 20, task="batch_2")
    for query, amounts in (({"kind": "grant"}, [100]), ({"task_id": "batch_1"}, [-10]), ({"kind": "refund"}, [])):
        assert [entry["amount"] for entry in data_of(client.get(ENTRIES, query))] == amounts


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "theft"}, {"user": "1"}, {"cursor": "nonsense"}, {"page_size": "0"}, {"key__startswith": "g"},
        {"user__password__startswith": "p"}, {"task_id": "a\0b"},
    ],
)  # fmt: skip
def test_the_query_is_checked(client: APIClient, query: dict[str, str]) -> None:
    error = error_of(client.get(ENTRIES, query), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", list(query))


def test_entries_cost_the_same_however_many(client: APIClient, owner: User) -> None:
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            data_of(client.get(path))
        return len(captured)

    give(owner, 100, days=1)
    few = [cost(BALANCE), cost(ENTRIES)]
    few = [cost(BALANCE), cost(ENTRIES)]  # the first use of a token is written down
    for _ in range(30):
        give(owner, 5, days=1)
        use(owner, 1)
    assert [cost(BALANCE), cost(ENTRIES)] == few


def test_staff_grant_once(boss: APIClient, owner: User) -> None:
    entry = data_of(boss.post(address(owner.pk), GRANT))
    assert data_of(boss.post(address(owner.pk), GRANT)) == entry
    assert entry.pop("at")
    assert entry.pop("id")
    assert entry == {
        "kind": "grant", "amount": 100, "uncovered": 0, "balance_after": 100, "key": "grant:march", "task_id": None,
        "note": "March", "by": "staff", "expires_at": "2100-01-01T00:00:00Z",
    }  # fmt: skip
    assert balance(owner) == 100


def test_a_key_that_was_used_for_another_grant(boss: APIClient, owner: User, stranger: User) -> None:
    data_of(boss.post(address(owner.pk), GRANT))
    for response in (boss.post(address(owner.pk), GRANT | {"amount": 5}), boss.post(address(stranger.pk), GRANT)):
        error = error_of(response, 409)
        assert (error["code"], error["params"]) == ("CREDIT_KEY_TAKEN", {"key": "grant:march"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("amount", value) for value in (0, -1, 10**12 + 1, 2**63, "5", 5.0, True, None, [5])),
        *(("key", value) for value in ("", " ", "x" * 195, 5, None, "a\0b")),
        *(("note", value) for value in ("x" * 201, 5, None, "a\0b")),
        *(("expires_at", value) for value in ("tomorrow", 5, "2020-01-01T00:00:00Z", "", "9999-99-99", ["x"])),
        *((name, 1) for name in ("balance", "user", "user_id", "kind", "by", "balance_after", "__class__")),
    ],
)
def test_a_grant_is_checked(boss: APIClient, owner: User, field: str, value: object) -> None:
    error = error_of(boss.post(address(owner.pk), GRANT | {field: value}), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [field])
    assert not CreditEntry.objects.exists()


@pytest.mark.parametrize("user_id", [404, 2**63, 10**30])
def test_nobody_is_granted_nothing(boss: APIClient, user_id: int) -> None:
    assert error_of(boss.post(address(user_id), GRANT), 404)["code"] == "USER_NOT_FOUND"


def test_only_staff_with_the_right_grant(client: APIClient, staff: User, owner: User) -> None:
    looking = client_of(staff)
    allow(staff, "view_creditentry", "view_creditaccount", "change_creditentry")
    for one in (client, looking):
        assert error_of(one.post(address(owner.pk), GRANT), 403)["code"] == "PERMISSION_DENIED"
    assert not CreditEntry.objects.exists()


def test_staff_who_are_limited_to_shops_do_not_grant(boss: APIClient, staff: User) -> None:
    ShopLimit.objects.create(user=staff)
    assert error_of(boss.post(address(staff.pk), GRANT), 403)["code"] == "LIMITED_TO_SHOPS"
    assert not CreditEntry.objects.exists()


@pytest.mark.parametrize("call", ["single", "batch", "batch-by-ids", "batch-all"])
def test_a_submit_without_credits(client: APIClient, bell: Bell, settings: Any, call: str) -> None:
    settings.CREDITS_REQUIRED = True
    file = make_file(template=make_template())
    bodies: dict[str, Any] = {"single": {"file_id": file.pk}, "batch-by-ids": {"file_ids": [file.pk]}}
    error = error_of(client.post(f"/api/data-sync/{call}", bodies.get(call, {})), 402)
    assert (error["code"], error["type"], error["params"]) == ("CREDITS_EXHAUSTED", "credits_exhausted", {"balance": 0})
    assert error["detail"] == "The credits are used up: the balance is 0."
    assert not SyncProgressTask.objects.exists()


def test_a_retry_without_credits_of_whom_the_task_belongs_to(
    boss: APIClient, staff: User, owner: User, bell: Bell, settings: Any
) -> None:
    settings.CREDITS_REQUIRED = True
    give(staff, 100)
    failed = make_task(owner, state=TaskState.FAILED)
    make_item(failed, state=ItemState.FAILED)
    path = f"/api/data-sync/retry-task/{failed.celery_task_id}"
    assert error_of(boss.post(path, {}), 402)["code"] == "CREDITS_EXHAUSTED"
    give(owner, 1)
    assert data_of(boss.post(path, {}), 202)["task_id"]
