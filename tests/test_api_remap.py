"""``POST templates/{id}/remap``: staff only; a preview, a task, or nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.models import HeaderTemplate, SyncProgressTask
from datasync.runs.services import submit_single
from tests.api import client_of, data_of, error_of, owner, staff
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    facts,
    inbox,
    line,
    synced,
    take_turn,
    template_of,
    with_column,
    write_orders,
)

__all__ = ["bell", "inbox", "owner", "staff"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(inbox: Path, bell: Bell) -> HeaderTemplate:
    """A corrected template whose rows are stored as the one before read them."""
    synced(write_orders(inbox, [line("A1"), line("B1", recipient="=HYPERLINK(1)"), line("C1")]))
    return corrected(template_of("orders", granularity="daily"), with_column("Recipient", field="buyer_name"))


def _path(template_id: int) -> str:
    return f"/api/data-sync/templates/{template_id}/remap"


def test_a_dry_run_tells_and_writes_nothing(stored: HeaderTemplate, staff: User) -> None:
    before = facts()
    data = data_of(client_of(staff).post(_path(stored.pk), {"dry_run": True, "sample": 2}, format="json"))
    assert facts() == before
    assert not SyncProgressTask.objects.filter(kind="remap").exists()
    assert (data["task_id"], data["total_files"]) == (None, 1)
    preview = data["preview"]
    assert (preview["files"], preview["rows"], preview["rows_sampled"], preview["updated"]) == (1, 3, 2, 2)
    differences = [one for sample in preview["samples"] for one in sample["differences"]]
    assert {"field": "buyer_name", "header": "Recipient", "stored": None, "new": "=HYPERLINK(1)"} in differences


def test_it_becomes_a_task_that_progress_follows(stored: HeaderTemplate, staff: User) -> None:
    client = client_of(staff)
    data = data_of(client.post(_path(stored.pk), {"priority": 3}, format="json"), 202)
    assert (data["status"], data["total_files"], data["preview"], data["busy_file_ids"]) == ("queued", 1, None, [])
    task = SyncProgressTask.objects.get(task_id=data["task_id"])
    assert (task.owner, task.priority) == (staff, 3)
    take_turn()
    progress = data_of(client.get(f"/api/data-sync/progress/{task.task_id}"))
    assert (progress["type"], progress["status"], progress["rows"]["updated"]) == ("remap", "completed", 3)
    task.refresh_from_db()
    assert counts(task) == {"read": 3, "updated": 3}


def test_sent_twice_it_is_one_task(stored: HeaderTemplate, staff: User) -> None:
    client, path = client_of(staff), _path(stored.pk)
    first = data_of(client.post(path, {"priority": 3}, "json", HTTP_IDEMPOTENCY_KEY="once"), 202)
    assert data_of(client.post(path, {"priority": 3}, "json", HTTP_IDEMPOTENCY_KEY="once"), 202) == first
    assert SyncProgressTask.objects.filter(kind="remap").count() == 1
    error = error_of(client.post(path, {"priority": 4}, "json", HTTP_IDEMPOTENCY_KEY="once"), 409)
    assert (error["code"], error["params"]) == ("IDEMPOTENCY_CONFLICT", {"task_id": first["task_id"]})


def test_sent_twice_it_names_the_same_busy_files(stored: HeaderTemplate, staff: User, inbox: Path) -> None:
    busy = synced(write_orders(inbox, [line("D1")], name="20260306_100009"))
    submitted = submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)
    client, path = client_of(staff), _path(stored.pk)
    answers = [data_of(client.post(path, {}, "json", HTTP_IDEMPOTENCY_KEY="once"), 202) for _ in range(2)]
    assert [answer["busy_file_ids"] for answer in answers] == [[submitted.items.get().file_id]] * 2


def test_nothing_to_do(inbox: Path, bell: Bell, staff: User) -> None:
    row = template_of("orders", granularity="daily")
    data = data_of(client_of(staff).post(_path(row.pk), {}, format="json"))
    assert (data["task_id"], data["total_files"]) == (None, 0)


def test_only_staff(stored: HeaderTemplate, owner: User) -> None:
    response = client_of(owner).post(_path(stored.pk), {}, format="json")
    assert error_of(response, 403)["code"] == "PERMISSION_DENIED"


def test_an_unknown_template(stored: HeaderTemplate, staff: User) -> None:
    response = client_of(staff).post(_path(2**40), {"dry_run": True}, format="json")
    assert error_of(response, 404)["code"] == "TEMPLATE_NOT_FOUND"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_template_that_is_not_in_use(stored: HeaderTemplate, staff: User, dry_run: bool) -> None:
    older = HeaderTemplate.objects.get(
        domain="orders", platform="shopee", source_platform="shopee", granularity="daily", state="archived"
    )
    response = client_of(staff).post(_path(older.pk), {"dry_run": dry_run}, format="json")
    assert error_of(response, 409)["code"] == "TEMPLATE_NOT_IN_USE"


def test_files_that_are_all_busy(stored: HeaderTemplate, staff: User) -> None:
    client = client_of(staff)
    task_id = data_of(client.post(_path(stored.pk), {}, format="json"), 202)["task_id"]
    error = error_of(client.post(_path(stored.pk), {}, format="json"), 409)
    assert (error["code"], error["params"]["task_id"]) == ("FILE_BUSY", task_id)


@pytest.mark.parametrize(
    "body", [{"priority": 0}, {"priority": True}, {"sample": 20_001}, {"sample": 0}, {"dry_run": "yes"}, {"rows": 1}]
)
def test_wrong_input_is_named(stored: HeaderTemplate, staff: User, body: dict[str, object]) -> None:
    error = error_of(client_of(staff).post(_path(stored.pk), body, format="json"), 400)
    assert error["code"] == "VALIDATION_ERROR"
    assert set(error["fields"]) == set(body)
