"""How long a task has: told at each door, kept with the task, and what becomes of files that nobody came to in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F
from django.db.models.functions import Now
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import NotInRange, TransientError
from datasync.models import CatalogFile, SyncProgressTask
from datasync.runs import finish, services
from datasync.runs.again import retry_task
from datasync.runs.claim import claim_next
from datasync.runs.errors import error_document
from datasync.runs.pick import pick_task
from datasync.runs.progress import progress
from datasync.runs.sweep import sweep
from tests.api import client_of, data_of, error_of, owner
from tests.runs_support import bell, make_file, make_template

__all__ = ["bell", "owner"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
SINGLE, BATCH, BY_IDS, ALL = (f"/api/data-sync/{name}" for name in ("single", "batch", "batch-by-ids", "batch-all"))
BAD = [59, 21_601, 0, -60, "600", 600.0, 600.5, True, None, [], {}, 2**63]
Submit = Callable[..., SyncProgressTask | None]
DOORS: dict[str, Submit] = {
    "single": lambda file, **how: services.submit_single(file_id=file.pk, owner=None, **how, sight=EVERYTHING),
    "batch": lambda _file, **how: services.submit_batch(owner=None, only_with_template=False, **how, sight=EVERYTHING),
    "by ids": lambda file, **how: services.submit_by_ids(file_ids=[file.pk], owner=None, **how, sight=EVERYTHING).task,
    "all": lambda _file, **how: services.submit_all(owner=None, **how, sight=EVERYTHING),
}


@pytest.fixture
def file() -> CatalogFile:
    """A pending file that every door would take."""
    return make_file(template=make_template())


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def seconds_of(task: SyncProgressTask | None) -> float:
    """How long the task has, as the database says and as the submit said."""
    assert task is not None
    stored = SyncProgressTask.objects.get(pk=task.pk)
    assert stored.deadline_at is not None
    assert stored.deadline_at == task.deadline_at
    return (stored.deadline_at - stored.created_at).total_seconds()


def late(task: SyncProgressTask) -> None:
    """Let the task's time be over."""
    SyncProgressTask.objects.filter(pk=task.pk).update(deadline_at=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("submit", DOORS.values(), ids=DOORS)
def test_a_task_has_as_long_as_is_asked_for_or_as_is_usual(submit: Submit, file: CatalogFile, settings: Any) -> None:
    assert seconds_of(submit(file, deadline_seconds=21_600)) == 21_600
    SyncProgressTask.objects.all().delete()
    CatalogFile.objects.update(state=FileState.PENDING)
    assert seconds_of(submit(file)) == 1800
    SyncProgressTask.objects.all().delete()
    CatalogFile.objects.update(state=FileState.PENDING)
    settings.BATCH_DEADLINE_SECONDS = 300
    assert seconds_of(submit(file)) == 300


@pytest.mark.parametrize("seconds", [value for value in BAD if value is not None])
@pytest.mark.parametrize("submit", DOORS.values(), ids=DOORS)
def test_a_time_that_is_none_makes_no_task(submit: Submit, file: CatalogFile, seconds: object) -> None:
    with pytest.raises(NotInRange, match="deadline_seconds must be a whole number between 60 and 21600"):
        submit(file, deadline_seconds=seconds)
    assert not SyncProgressTask.objects.exists()


def body_of(address: str, file: CatalogFile) -> dict[str, Any]:
    if address == SINGLE:
        return {"file_id": file.pk}
    return {"file_ids": [file.pk]} if address == BY_IDS else {}


@pytest.mark.parametrize("address", [SINGLE, BATCH, BY_IDS, ALL])
def test_the_api_takes_it_and_progress_shows_it(client: APIClient, file: CatalogFile, address: str) -> None:
    given = data_of(client.post(address, body_of(address, file) | {"deadline_seconds": 60}), 202)
    task = SyncProgressTask.objects.get(task_id=given["task_id"])
    assert seconds_of(task) == 60
    shown = data_of(client.get(f"/api/data-sync/progress/{task.task_id}"))
    assert datetime.fromisoformat(shown["deadline_at"]) == task.deadline_at


@pytest.mark.parametrize("seconds", BAD)
@pytest.mark.parametrize("address", [SINGLE, BATCH, BY_IDS, ALL])
def test_the_api_refuses_what_is_no_such_time(
    client: APIClient, file: CatalogFile, address: str, seconds: object
) -> None:
    error = error_of(client.post(address, body_of(address, file) | {"deadline_seconds": seconds}), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", ["deadline_seconds"])
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize("seconds", BAD)
def test_the_api_refuses_it_for_a_retry(client: APIClient, owner: User, file: CatalogFile, seconds: object) -> None:
    task = services.submit_single(file_id=file.pk, owner=owner, sight=EVERYTHING)
    address = f"/api/data-sync/retry-task/{task.celery_task_id}"
    error = error_of(client.post(address, {"deadline_seconds": seconds}), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", ["deadline_seconds"])


@pytest.mark.parametrize("which", [("--without-template",), ("--all",), ("--file-id",)])
def test_the_command_takes_it(file: CatalogFile, capsys: pytest.CaptureFixture[str], which: tuple[str, ...]) -> None:
    chosen = (*which, str(file.pk)) if which == ("--file-id",) else which
    call_command("sync_files", *chosen, "--deadline", "3600", "--json")
    document = json.loads(capsys.readouterr().out)
    assert seconds_of(SyncProgressTask.objects.get(task_id=document["task_id"])) == 3600
    assert document["deadline_at"]


@pytest.mark.parametrize("seconds", ["59", "21601", "x", "1.5", ""])
@pytest.mark.parametrize("command", [("sync_files",), ("retry_task", "batch_1"), ("templates", "remap", "1")])
def test_the_commands_refuse_what_is_no_such_time(command: tuple[str, ...], seconds: str) -> None:
    with pytest.raises(CommandError, match="argument --deadline"):
        call_command(*command, "--deadline", seconds)


def test_what_was_not_begun_in_time_is_reported_and_retried(client: APIClient, owner: User) -> None:
    files = [make_file() for _ in range(3)]
    task = services.submit_by_ids(
        file_ids=[file.pk for file in files], owner=owner, deadline_seconds=7200, sight=EVERYTHING
    ).task
    claim = claim_next(task.pk)
    assert claim
    late(task)
    assert pick_task() is None
    assert sweep().not_started == 2
    in_hand = task.items.get(pk=claim.item_id)
    assert in_hand.state == ItemState.PROCESSING  # what is in hand is finished
    finish.fail(claim, error=error_document(TransientError()), seconds=1.0)
    assert sweep().closed == 1
    task.refresh_from_db()
    assert (task.state, task.failed_files, task.skipped_files) == (TaskState.FAILED, 1, 2)
    assert {result["error"]["code"] for result in progress(task, sight=EVERYTHING)["results"][1:]} == {"NOT_STARTED"}
    assert CatalogFile.objects.filter(state=FileState.PENDING).count() == 2

    SyncProgressTask.objects.filter(pk=task.pk).update(deadline_at=F("created_at") + timedelta(seconds=7200))
    address = f"/api/data-sync/retry-task/{task.celery_task_id}"
    given = data_of(client.post(address, {"only_failed": False}), 202)
    assert given["total_files"] == 3
    assert seconds_of(SyncProgressTask.objects.get(task_id=given["task_id"])) == 7200


@pytest.mark.parametrize(("asked", "seconds"), [(None, 60), (3600, 3600)])
def test_a_retry_has_as_long_as_the_task_had_or_as_is_asked_for(asked: int | None, seconds: int) -> None:
    task = services.submit_single(file_id=make_file().pk, owner=None, deadline_seconds=60, sight=EVERYTHING)
    late(task)  # as if it had been given less than can be asked for
    sweep()
    task.refresh_from_db()
    assert seconds_of(retry_task(task, only_failed=False, deadline_seconds=asked, sight=EVERYTHING).task) == seconds


def test_a_file_that_waits_for_its_next_attempt_is_left_out_too() -> None:
    task = services.submit_single(file_id=make_file().pk, owner=None, deadline_seconds=60, sight=EVERYTHING)
    claim = claim_next(task.pk)
    assert claim
    finish.put_back(claim, error=error_document(TransientError()), seconds_until_next=4.0)
    late(task)
    assert sweep().not_started == 1
    task.refresh_from_db()
    item = task.items.get()
    assert (task.state, item.state, item.error["code"], item.file.state) == (
        TaskState.PARTIAL, ItemState.SKIPPED, "NOT_STARTED", FileState.PENDING,
    )  # fmt: skip
