"""Whoever is limited to shops submits files of these: a batch picks no others, and a task over others is none."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.choices import FileState, ItemState, TaskState
from datasync.models import CatalogFile, IdempotencyKey, Shop, SyncProgressTask, SyncTaskFile
from tests.access_support import API, Belongings, client, limit, limited, mine, other, own
from tests.api import client_of, data_of, error_of, person
from tests.facts_support import file_of
from tests.quarantine_rows import make_file, make_task
from tests.runs_support import bell, make_template

__all__ = ["bell", "client", "limited", "mine", "other", "own"]
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


def test_a_key_is_its_persons_own(limited: User, pending: dict[str, CatalogFile]) -> None:
    client, free = (client_of(user, HTTP_IDEMPOTENCY_KEY="k1") for user in (limited, person("free")))

    def submit(one: APIClient, file: CatalogFile) -> Any:
        return data_of(one.post(f"{API}/single", {"file_id": file.pk}, format="json"), 202)["task_id"]

    first = submit(client, pending["mine"])
    assert submit(client, pending["mine"]) == first
    assert submit(free, pending["other"]) != first
    assert IdempotencyKey.objects.filter(key="k1").count() == 2
