"""The sweeper: files of dead workers go on, or end with a reason, and lost turns are given again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.claim import Claim, claim_next
from datasync.runs.sweep import Swept, sweep
from datasync.runs.sweep import turns as lost_turns
from datasync.runs.turns import take_turn
from erp.publishing import BrokerAway
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_broker(bell: Bell) -> None:
    """Nothing waits at the broker; turns are only counted."""


def _task(files: int = 1) -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[make_file().pk for _ in range(files)], owner=None, sight=EVERYTHING).task


def _dies(task: SyncProgressTask) -> Claim:
    """A worker takes a file of the task and is never heard of again."""
    claim = claim_next(task.pk)
    assert claim is not None
    task.items.filter(pk=claim.item_id).update(lease_until=Now() - timedelta(seconds=1))
    return claim


def test_nothing_to_do() -> None:
    assert sweep() == Swept()
    assert not sweep().anything


def test_a_file_of_a_dead_worker_is_queued_again_and_finished(bell: Bell, ingest: Ingest) -> None:
    task = _task()
    _dies(task)
    take_turn()
    assert not ingest.seen
    bell.rung.clear()
    assert sweep() == Swept(freed=1, turns=1)
    assert bell.rung == [5]
    take_turn()
    task.refresh_from_db()
    item = task.items.get()
    assert (task.state, item.attempt, item.crashes) == (TaskState.COMPLETED, 2, 1)


def test_a_file_that_killed_two_workers_is_given_up(bell: Bell, ingest: Ingest) -> None:
    task = _task(2)
    for _ in range(2):
        _dies(task)
        swept = sweep()
    assert swept.given_up == 1
    take_turn()
    task.refresh_from_db()
    given_up, other = task.items.order_by("position")
    assert (given_up.state, given_up.error["code"], given_up.crashes) == (ItemState.FAILED, "READER_CRASHED", 2)
    assert given_up.file.state == FileState.FAILED
    assert (other.state, task.state) == (ItemState.COMPLETED, TaskState.PARTIAL)


def test_a_lease_that_runs_is_left_alone() -> None:
    task = _task()
    assert claim_next(task.pk)
    assert sweep() == Swept()


def test_a_file_of_a_cancelled_task_is_not_queued_again() -> None:
    task = _task()
    _dies(task)
    SyncProgressTask.objects.filter(pk=task.pk).update(cancel_requested_at=Now(), state=TaskState.CANCELLING)
    assert sweep().stopped == 1
    item = task.items.get()
    assert (item.state, item.file.state) == (ItemState.CANCELLED, FileState.PENDING)


def test_files_that_nobody_came_to_before_the_deadline_are_said_to_be_not_started(ingest: Ingest) -> None:
    task = _task(3)
    first = claim_next(task.pk)
    assert first
    SyncProgressTask.objects.filter(pk=task.pk).update(deadline_at=Now() - timedelta(seconds=1))
    assert sweep().not_started == 2
    late = task.items.exclude(pk=first.item_id)
    assert {(item.state, item.error["code"], item.file.state) for item in late} == {
        (ItemState.SKIPPED, "NOT_STARTED", FileState.PENDING)
    }
    assert task.items.get(pk=first.item_id).state == ItemState.PROCESSING


def test_a_synced_file_whose_new_sync_came_to_nothing_is_what_it_was_before() -> None:
    file = make_file(state=FileState.INGESTED)
    task = services.submit_by_ids(file_ids=[file.pk], owner=None, sight=EVERYTHING).task
    SyncProgressTask.objects.filter(pk=task.pk).update(deadline_at=Now())
    sweep()
    file.refresh_from_db()
    assert file.state == FileState.INGESTED


def test_a_task_that_nobody_closed_is_closed() -> None:
    task = _task()
    task.items.update(state=ItemState.FAILED, error={"code": "CORRUPT_FILE", "message": "", "recovery": ""})
    assert sweep() == Swept(closed=1)
    task.refresh_from_db()
    assert task.state == TaskState.FAILED


def test_turns_are_given_only_where_none_waits(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    task = _task(14)
    bell.rung.clear()
    assert sweep().turns == 10
    monkeypatch.setattr(lost_turns, "messages_waiting", lambda _queue: 1)
    assert sweep().turns == 0
    monkeypatch.setattr(lost_turns, "messages_waiting", lambda _queue: 0)
    task.items.update(not_before=Now() + timedelta(seconds=60))
    assert sweep().turns == 0
    assert len(bell.rung) == 10


def test_a_broker_that_is_away_does_not_keep_the_rest_from_being_done(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell.heard = False

    def away(_queue: str) -> int:
        raise BrokerAway("no route")

    monkeypatch.setattr(lost_turns, "messages_waiting", away)
    task = _task()
    _dies(task)
    assert sweep() == Swept(freed=1)


def test_a_dry_run_says_the_same_and_does_nothing(bell: Bell) -> None:
    task = _task(2)
    _dies(task)
    bell.rung.clear()
    assert sweep(dry_run=True) == Swept(freed=1, turns=1)
    assert bell.rung == []
    assert task.items.filter(state=ItemState.PROCESSING).count() == 1
    assert sweep() == Swept(freed=1, turns=2)


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    task = _task()
    _dies(task)
    call_command("recover_tasks", "--json", "--dry-run")
    assert json.loads(capsys.readouterr().out)["freed"] == 1
    call_command("recover_tasks")
    assert "files queued again" in capsys.readouterr().out
