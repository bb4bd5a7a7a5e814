"""Whoever is limited to shops submits files of these: a batch picks no others, and a task over others is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework.test import APIClient

from datasync.access import Sight
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound
from datasync.models import CatalogFile, IdempotencyKey, Shop, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from ratelimits.models import UserQuota
from tests.access_support import API, Belongings, client, foreign, limit, limited, mine, other, own
from tests.api import client_of, data_of, error_of, person
from tests.facts_support import file_of
from tests.quarantine_rows import make_file, make_task
from tests.runs_support import bell, make_template
from tests.test_quarantine_races import at_once

__all__ = ["bell", "client", "foreign", "limited", "mine", "other", "own"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bell")]


@pytest.fixture
def pending(mine: Shop, other: Shop, limited: User) -> dict[str, CatalogFile]:
    """A pending file of either shop, one of none, and one of none that the limited person uploaded."""
    template = make_template()
    return {
        "mine": file_of(mine, state=FileState.PENDING, template=template),
        "other": file_of(other, state=FileState.PENDING, template=template),
        "nobody's": make_file("a.csv", shop=None, template=template),
        "uploaded": make_file("b.csv", shop=None, template=template, uploaded_by=limited),
    }


def taken(data: dict[str, Any]) -> set[int]:
    if data["task_id"] is None:
        return set()
    return set(SyncProgressTask.objects.get(task_id=data["task_id"]).items.values_list("file_id", flat=True))


@pytest.mark.parametrize(("call", "body"), [("batch", {}), ("batch", {"platform": "shopee"}), ("batch-all", {})])
def test_a_batch_picks_among_files_in_sight(
    client: APIClient, pending: dict[str, CatalogFile], call: str, body: dict[str, Any]
) -> None:
    given = data_of(client.post(f"{API}/{call}", body, format="json"), 202)
    assert taken(given) == {pending["mine"].pk}
    free = data_of(client_of(person("free")).post(f"{API}/{call}", body, format="json"), 202)
    assert taken(free) == {file.pk for name, file in pending.items() if name != "mine"}


@pytest.mark.parametrize("call", ["batch", "batch-all"])
def test_a_batch_of_whoever_sees_no_shop_is_empty(pending: dict[str, CatalogFile], limited: User, call: str) -> None:
    assert data_of(client_of(limit(limited)).post(f"{API}/{call}", {}, format="json"))["total_files"] == 0


def test_chosen_files_out_of_sight_are_missing(client: APIClient, pending: dict[str, CatalogFile]) -> None:
    wanted = [file.pk for file in pending.values()]
    given = data_of(client.post(f"{API}/batch-by-ids", {"file_ids": wanted}, format="json"), 202)
    assert given["missing_file_ids"] == wanted[1:]
    assert taken(given) == {pending["mine"].pk}


@pytest.mark.django_db(transaction=True)
def test_an_own_upload_needs_a_shop_before_it_is_synced(client: APIClient, pending: dict[str, CatalogFile]) -> None:
    file = pending["uploaded"]
    error = error_of(client.post(f"{API}/single", {"file_id": file.pk}, format="json"), 400)
    assert (error["code"], error["params"]["missing"]) == ("VALIDATION_ERROR", "shop")
    told = data_of(client.post(f"{API}/files/{file.pk}/dry-run", {}, format="json"))
    assert (told["status"], told["error"]["code"]) == ("needs_description", "NEEDS_DESCRIPTION")
    data_of(client.patch(f"{API}/files/{file.pk}", {"shop_id": "mine"}, format="json"))
    CatalogFile.objects.filter(pk=file.pk).update(state=FileState.PENDING)
    assert taken(data_of(client.post(f"{API}/single", {"file_id": file.pk}, format="json"), 202)) == {file.pk}


def test_a_retry_takes_files_of_a_shop_alone(client: APIClient, own: Belongings, limited: User) -> None:
    uploaded = make_file("c.csv", shop=None, uploaded_by=limited)
    task = make_task(own.file, uploaded, task_id="failed", owner=limited, state=TaskState.PARTIAL)
    task.items.update(state=ItemState.FAILED)
    given = data_of(client.post(f"{API}/retry-task/failed", {}, format="json"), 202)
    assert taken(given) == {own.file.pk}
    alone = make_task(uploaded, task_id="alone", owner=limited, state=TaskState.FAILED)
    SyncTaskFile.objects.filter(task=alone).update(state=ItemState.FAILED)
    refused = error_of(client.post(f"{API}/retry-task/alone", {}, format="json"), 409)
    assert refused["code"] == "NOTHING_TO_RETRY"


def test_whoever_retries_for_another_is_not_told_what_that_ones_quota_is_used_up_by(
    own: Belongings, foreign: Belongings, mine: Shop
) -> None:
    """Unless the task is their own, or nothing is kept from them."""
    ana, staff, boss = person("ana"), limit(person("staff", is_staff=True), mine), person("boss", is_staff=True)
    failed = make_task(own.file, task_id="failed", owner=ana, state=TaskState.FAILED)
    failed.items.update(state=ItemState.FAILED)
    make_task(foreign.file, task_id="of-the-other", owner=ana, state=TaskState.PROCESSING)
    UserQuota.objects.create(user=ana, max_active_tasks=1)
    refused = {who: client_of(who).post(f"{API}/retry-task/failed", {}, format="json") for who in (staff, ana, boss)}
    told = {who: error_of(response, 429) for who, response in refused.items()}
    assert {one["code"] for one in told.values()} == {"QUOTA_EXCEEDED"}
    assert "of-the-other" not in refused[staff].content.decode()
    assert told[staff]["params"] == {}
    assert int(refused[staff]["Retry-After"]) >= 60
    for who in (ana, boss):
        assert told[who]["params"]["active_task_ids"] == ["of-the-other"]


@pytest.mark.parametrize("body", [{}, {"priority": 9}], ids=["the same request", "another request"])
def test_a_key_whose_task_is_out_of_sight_tells_nothing_of_it(
    limited: User, pending: dict[str, CatalogFile], mine: Shop, other: Shop, body: dict[str, Any]
) -> None:
    limit(limited, mine, other)
    client = client_of(limited, HTTP_IDEMPOTENCY_KEY="k1")
    address, asked = f"{API}/single", {"file_id": pending["other"].pk}
    first = data_of(client.post(address, asked, format="json"), 202)
    assert data_of(client.post(address, asked, format="json"), 202)["task_id"] == first["task_id"]
    limit(limited, mine)
    answer = client.post(address, asked | body, format="json")
    assert error_of(answer, 409)["code"] == "IDEMPOTENCY_CONFLICT"
    assert first["task_id"] not in answer.content.decode()
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
@pytest.mark.parametrize("call", ["single", "by ids", "batch", "retry"])
def test_a_file_that_leaves_the_sight_meanwhile_is_not_taken(
    limited: User, pending: dict[str, CatalogFile], other: Shop, call: str
) -> None:
    """The submit has seen the file in sight, waits for whoever moves it, and judges it again."""
    file, sight, moved = pending["mine"], Sight.of(limited), threading.Event()
    submits: dict[str, Callable[[], object]] = {
        "single": lambda: services.submit_single(file_id=file.pk, owner=limited, sight=sight),
        "by ids": lambda: services.submit_by_ids(file_ids=[file.pk], owner=limited, sight=sight),
        "batch": lambda: services.submit_batch(owner=limited, sight=sight),
        "retry": lambda: services.submit_again(failed, file_ids=[file.pk], sight=sight),
    }
    told = {"single": FileNotFound, "by ids": DataNotFound}
    failed = make_task(file, task_id="failed", owner=limited, state=TaskState.FAILED)
    failed.items.update(state=ItemState.FAILED)

    def move() -> None:
        with transaction.atomic():
            CatalogFile.objects.filter(pk=file.pk).update(shop=other)
            moved.set()
            until_one_waits()

    def submit() -> object:
        assert moved.wait(timeout=20)
        return submits[call]()

    nothing, submitted = at_once(move, submit)
    assert nothing is None
    assert type(submitted) is told.get(call, type(None)), "as one that is not there"
    assert list(SyncProgressTask.objects.all()) == [failed]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
def test_of_several_the_one_that_leaves_is_missing_and_not_busy(
    limited: User, pending: dict[str, CatalogFile], mine: Shop, other: Shop
) -> None:
    stays, busy, leaves = pending["mine"], file_of(mine), file_of(mine)
    make_task(busy, task_id="has-it", state=TaskState.PROCESSING).items.update(state=ItemState.PROCESSING)
    wanted, sight, moved = [stays.pk, busy.pk, leaves.pk], Sight.of(limited), threading.Event()

    def move() -> None:
        with transaction.atomic():
            CatalogFile.objects.filter(pk=leaves.pk).update(shop=other)
            moved.set()
            until_one_waits()

    def submit() -> object:
        assert moved.wait(timeout=20)
        return services.submit_by_ids(file_ids=wanted, owner=limited, sight=sight)

    _nothing, submitted = at_once(move, submit)
    assert isinstance(submitted, services.Submission)
    assert (submitted.missing_file_ids, submitted.busy_file_ids) == ((leaves.pk,), (busy.pk,))


def test_a_busy_file_names_the_task_that_had_it_a_moment_ago(
    limited: User, pending: dict[str, CatalogFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended between the two looks."""
    make_task(pending["mine"], task_id="had-it", state=TaskState.COMPLETED).items.update(state=ItemState.COMPLETED)
    monkeypatch.setattr(services, "take_chosen", lambda *_args, **_told: 0)
    with pytest.raises(FileBusy) as refused:
        services.submit_single(file_id=pending["mine"].pk, owner=limited, sight=Sight.of(limited))
    assert refused.value.params == {"task_id": "had-it"}


def until_one_waits() -> None:
    """Until another session waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("nobody waits")


def test_a_key_is_its_persons_own(limited: User, pending: dict[str, CatalogFile]) -> None:
    client, free = (client_of(user, HTTP_IDEMPOTENCY_KEY="k1") for user in (limited, person("free")))

    def submit(one: APIClient, file: CatalogFile) -> Any:
        return data_of(one.post(f"{API}/single", {"file_id": file.pk}, format="json"), 202)["task_id"]

    first = submit(client, pending["mine"])
    assert submit(client, pending["mine"]) == first
    assert submit(free, pending["other"]) != first
    assert IdempotencyKey.objects.filter(key="k1").count() == 2
