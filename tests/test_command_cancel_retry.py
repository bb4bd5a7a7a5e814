"""``manage.py cancel_task`` and ``retry_task``: what they do, say as JSON, and end with."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import CorruptFile
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands import cancel_task, retry_task
from datasync.models import SyncProgressTask
from datasync.runs import finish, services
from datasync.runs.claim import Claim, claim_next
from datasync.runs.turns import take_turn, work_on
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)
COMMANDS: dict[str, Any] = {"cancel_task": cancel_task.Command, "retry_task": retry_task.Command}


def _run(name: str, *arguments: str) -> tuple[str, Exit]:
    command = COMMANDS[name](stdout=io.StringIO())
    call_command(command, *arguments)
    return command.stdout._out.getvalue(), command.exit_code


def _document(name: str, *arguments: str) -> dict[str, Any]:
    text, code = _run(name, *arguments, "--json")
    assert code == Exit.OK
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture
def task(bell: Bell) -> SyncProgressTask:
    """A task over two files that nobody has begun."""
    return services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=None, sight=EVERYTHING).task


@pytest.fixture
def failed(task: SyncProgressTask, ingest: Ingest) -> SyncProgressTask:
    """The same task after one of its files failed."""
    ingest.ends[task.items.order_by("position")[0].file_id] = CorruptFile(found="a test")
    take_turn()
    return task


def test_cancel_a_task_that_waits(task: SyncProgressTask) -> None:
    document = _document("cancel_task", task.task_id)
    assert (document["task_id"], document["status"]) == (task.task_id, "cancelled")
    assert [document[name]["files"] for name in ("stopped", "finished", "stopping")] == [2, 0, 0]
    assert len(document["stopped"]["file_ids"]) == 2


def test_cancel_in_words(task: SyncProgressTask) -> None:
    text, code = _run("cancel_task", task.task_id)
    assert code == Exit.OK
    assert task.task_id in text
    assert "cancelled" in text


def test_cancel_and_wait_for_what_is_in_hand(task: SyncProgressTask, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = claim_next(task.pk)
    assert claim is not None

    def follow(watched: SyncProgressTask, **_: Any) -> None:
        _stop(claim, watched)

    monkeypatch.setattr("datasync.management.commands.cancel_task.watch", follow)
    document = _document("cancel_task", task.task_id, "--wait")
    assert (document["status"], document["stopped"]["files"], document["stopping"]["files"]) == ("cancelled", 2, 0)


def _stop(claim: Claim, task: SyncProgressTask) -> None:
    finish.cancel(claim, seconds=1)
    work_on(task, until=0)
    task.refresh_from_db()


def test_cancel_refuses_what_has_ended(failed: SyncProgressTask) -> None:
    with pytest.raises(ConsoleError) as raised:
        _run("cancel_task", failed.task_id)
    assert (raised.value.code, raised.value.returncode) == ("TASK_FINISHED", Exit.USAGE)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_task_that_there_is_not(db: None, name: str) -> None:
    with pytest.raises(ConsoleError) as raised:
        _run(name, "batch_unknown")
    assert (raised.value.code, raised.value.returncode) == ("TASK_NOT_FOUND", Exit.USAGE)


def test_retry_names_the_same_new_task_however_often(failed: SyncProgressTask) -> None:
    document = _document("retry_task", failed.task_id)
    assert (document["retry_of"], document["status"], document["files"]["total"]) == (failed.task_id, "queued", 1)
    assert _document("retry_task", failed.task_id)["task_id"] == document["task_id"]
    text, code = _run("retry_task", failed.task_id)
    assert code == Exit.OK
    assert document["task_id"] in text


def test_retry_takes_stopped_files_when_asked_to(task: SyncProgressTask) -> None:
    _run("cancel_task", task.task_id)
    with pytest.raises(ConsoleError) as raised:
        _run("retry_task", task.task_id)
    assert (raised.value.code, raised.value.returncode) == ("NOTHING_TO_RETRY", Exit.USAGE)
    assert _document("retry_task", task.task_id, "--unfinished")["files"]["total"] == 2


def test_retry_refuses_what_still_runs(task: SyncProgressTask) -> None:
    with pytest.raises(ConsoleError) as raised:
        _run("retry_task", task.task_id)
    assert (raised.value.code, raised.value.returncode) == ("TASK_RUNNING", Exit.USAGE)


def test_retry_ends_as_the_files_did(failed: SyncProgressTask, monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(watched: SyncProgressTask, **_: Any) -> None:
        take_turn()
        watched.refresh_from_db()
        assert watched.state == TaskState.FAILED

    monkeypatch.setattr("datasync.management.watching.watch", follow)
    _text, code = _run("retry_task", failed.task_id, "--wait")
    assert code == Exit.REFUSED


def test_retry_names_files_that_are_busy(failed: SyncProgressTask, capsys: pytest.CaptureFixture[str]) -> None:
    failed.items.update(state=ItemState.FAILED)
    busy = failed.items.order_by("position")[0].file_id
    services.submit_single(file_id=busy, owner=None, sight=EVERYTHING)
    for _ in range(2):
        document = _document("retry_task", failed.task_id)
        assert (document["busy_file_ids"], document["files"]["total"]) == ([busy], 1)
        assert f"Busy: {busy}" in capsys.readouterr().err


def test_retry_waits_where_no_broker_is_wanted(
    failed: SyncProgressTask, bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXECUTION = "local"
    ingest.ends.clear()

    def follow(watched: SyncProgressTask, **_: Any) -> None:
        take_turn()
        watched.refresh_from_db()

    monkeypatch.setattr("datasync.management.watching.watch", follow)
    text, code = _run("retry_task", failed.task_id, "--wait", "--json")
    assert (json.loads(text)["status"], code) == ("completed", Exit.OK)
    assert SyncProgressTask.objects.get(parent=failed).fallback


def test_retry_says_that_the_broker_did_not_hear(failed: SyncProgressTask, bell: Bell) -> None:
    bell.heard = False
    _text, code = _run("retry_task", failed.task_id, "--json")
    assert code == Exit.UNAVAILABLE
    assert SyncProgressTask.objects.get(parent=failed).state == TaskState.QUEUED
