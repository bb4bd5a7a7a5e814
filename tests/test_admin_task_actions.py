"""Cancelling and retrying tasks in the console: first a question, then the act, and never for who may only look."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import CorruptFile
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.cancel import cancel_task
from datasync.runs.claim import claim_next
from datasync.runs.turns import take_turn
from tests.runs_support import Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
LIST = reverse("admin:datasync_syncprogresstask_changelist")


def _task(files: int = 2, **fields: Any) -> SyncProgressTask:
    chosen = [make_file(**fields).pk for _ in range(files)]
    return services.submit_by_ids(file_ids=chosen, owner=None, sight=EVERYTHING).task


def _failed(ingest: Ingest) -> SyncProgressTask:
    """A task whose first file failed."""
    task = _task()
    ingest.ends[task.items.order_by("position")[0].file_id] = CorruptFile(found="a test")
    take_turn()
    task.refresh_from_db()
    return task


def _act(client: Client, action: str, *tasks: SyncProgressTask, **posted: str) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [task.pk for task in tasks], **posted})


def _told(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_before_a_cancel_it_is_asked(admin_client: Client) -> None:
    task = _task()
    page = _act(admin_client, "cancel_chosen", task)
    text = page.content.decode()
    assert page.status_code == 200
    assert task.task_id in text
    assert "<td>0</td><td>2</td>" in text
    assert 'name="confirmed"' in text
    task.refresh_from_db()
    assert task.state == TaskState.QUEUED


def test_cancel(admin_client: Client) -> None:
    waiting, running, ended = _task(), _task(), _task(files=1)
    claim_next(running.pk)
    cancel_task(ended)
    told = _told(_act(admin_client, "cancel_chosen", waiting, running, ended, confirmed="1"))
    assert f"{waiting.task_id}</a>: 2 files stopped." in told
    assert f"{running.task_id}</a>: 1 file stopped; files in hand stop within seconds: 1." in told
    assert f"{ended.task_id}: Task {ended.task_id} has ended already" in told
    states = dict(SyncProgressTask.objects.values_list("pk", "state"))
    assert states == {waiting.pk: "cancelled", running.pk: "cancelling", ended.pk: "cancelled"}


def test_before_a_retry_it_is_asked_which_files(admin_client: Client, ingest: Ingest) -> None:
    text = _act(admin_client, "retry_chosen", _failed(ingest)).content.decode()
    assert "<td>1</td><td>0</td>" in text
    assert 'value="failed"' in text
    assert 'value="unfinished"' in text
    assert SyncProgressTask.objects.count() == 1


def test_retry(admin_client: Client, ingest: Ingest) -> None:
    failed, stopped = _failed(ingest), _task()
    cancel_task(stopped)
    told = _told(_act(admin_client, "retry_chosen", failed, stopped, confirmed="failed"))
    retried = SyncProgressTask.objects.get(parent=failed)
    assert f"{retried.task_id}</a>: 1 file." in told
    assert "stopped or not started were 2" in told
    _act(admin_client, "retry_chosen", failed, stopped, confirmed="unfinished")
    assert SyncProgressTask.objects.get(parent=failed) == retried
    assert SyncProgressTask.objects.get(parent=stopped).total_files == 2


def test_a_retry_names_files_that_are_busy(admin_client: Client, ingest: Ingest) -> None:
    failed = _failed(ingest)
    failed.items.update(state=ItemState.FAILED)
    busy = failed.items.order_by("position")[0].file_id
    services.submit_single(file_id=busy, owner=None, sight=EVERYTHING)
    told = _told(_act(admin_client, "retry_chosen", failed, confirmed="failed"))
    assert f"{failed.task_id}: 1 file is being synced already. ({busy})" in told


def test_a_task_that_was_retried_says_by_which(admin_client: Client, ingest: Ingest) -> None:
    failed = _failed(ingest)
    _act(admin_client, "retry_chosen", failed, confirmed="failed")
    text = _act(admin_client, "retry_chosen", failed).content.decode()
    assert SyncProgressTask.objects.get(parent=failed).task_id in text


@pytest.mark.parametrize("action", ["cancel_chosen", "retry_chosen"])
def test_who_may_only_look_is_not_offered_it(client: Client, ingest: Ingest, action: str) -> None:
    task = _failed(ingest) if action == "retry_chosen" else _task()
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_syncprogresstask"))
    client.force_login(user)
    _act(client, action, task, confirmed="failed")
    assert list(SyncProgressTask.objects.values_list("state", flat=True)) == [task.state]
    user.user_permissions.add(Permission.objects.get(codename="change_syncprogresstask"))
    _act(client, action, task, confirmed="failed")
    assert list(SyncProgressTask.objects.values_list("state", flat=True)) != [task.state]


def test_only_so_many_at_once(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasync.admin.steering.MOST_TASKS", 1)
    tasks = _task(), _task()
    assert "Only the first 1 tasks are taken." in _told(_act(admin_client, "cancel_chosen", *tasks, confirmed="1"))
    assert sorted(SyncProgressTask.objects.values_list("state", flat=True)) == ["cancelled", "queued"]
