"""A slice: file after file for a second, the bell passed on, the task closed once by the last one out."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from celery.result import AsyncResult
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.utils import translation
from django_celery_results.models import TaskResult

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import EncryptedFile, FileMissing, HeaderChanged, NoTemplate
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, QualityReport, SyncProgressTask, SyncTaskFile
from datasync.quality import gate
from datasync.runs import close, execute, services, turns
from datasync.runs.pick import pick_task
from datasync.runs.results import SyncFailed
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from datasync.runs.words import remark_in_words, summary
from datasync.signals import sync_finished
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


def _task(*files: CatalogFile) -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[file.pk for file in files], owner=None, sight=EVERYTHING).task


def _state_of(file: CatalogFile) -> tuple[str, str, str]:
    file.refresh_from_db()
    item = file.items.order_by("-pk").first()
    assert item is not None
    return item.state, file.state, item.error.get("code", "")


def test_one_slice_works_through_small_files_and_closes(bell: Bell, ingest: Ingest) -> None:
    files = [make_file() for _ in range(3)]
    task = _task(*files)
    heard: list[str] = []

    def hear(task: SyncProgressTask, **_: object) -> None:
        heard.append(task.state)

    sync_finished.connect(hear)
    bell.rung.clear()
    take_turn()
    sync_finished.disconnect(hear)

    task.refresh_from_db()
    assert ingest.seen == [file.pk for file in files]
    assert (task.state, task.succeeded_files, task.rows_inserted) == (TaskState.COMPLETED, 3, 30)
    with translation.override("en"):
        told = summary(task)
    assert told == "3 of 3 files synced; 30 rows read: 30 inserted."
    assert task.started_at
    assert task.finished_at
    assert heard == [TaskState.COMPLETED]
    assert bell.rung == []


def test_when_its_time_is_over_the_bell_goes_to_the_back(bell: Bell, ingest: Ingest, settings: object) -> None:
    settings.SLICE_SECONDS = 0.0  # type: ignore[attr-defined]
    task = _task(make_file(), make_file())
    bell.rung.clear()
    take_turn()
    assert (len(ingest.seen), bell.rung) == (1, [5])
    take_turn()
    task.refresh_from_db()
    assert (len(ingest.seen), task.state) == (2, TaskState.COMPLETED)
    bell.rung.clear()
    take_turn()
    assert bell.rung == []  # nothing is left to do: the turn ends


def test_without_a_broker_a_slice_goes_on(bell: Bell, ingest: Ingest, settings: object) -> None:
    settings.SLICE_SECONDS = 0.0  # type: ignore[attr-defined]
    task = _task(make_file(), make_file(), make_file())
    bell.heard = False
    take_turn()
    task.refresh_from_db()
    assert (len(ingest.seen), task.state) == (3, TaskState.COMPLETED)


def test_a_bell_for_a_finished_task_does_nothing(bell: Bell, ingest: Ingest) -> None:
    task = _task(make_file())
    take_turn()
    finished = SyncProgressTask.objects.get(pk=task.pk).finished_at
    take_turn()
    take_turn()
    assert SyncProgressTask.objects.get(pk=task.pk).finished_at == finished
    assert len(ingest.seen) == 1


def test_each_file_gets_the_end_its_error_stands_for(bell: Bell, ingest: Ingest) -> None:
    good, encrypted, gone, drifted, unknown, buggy = (make_file() for _ in range(6))
    ingest.ends = {
        encrypted.pk: EncryptedFile(),
        gone.pk: FileMissing(),
        drifted.pk: HeaderChanged(missing="order_id"),
        unknown.pk: NoTemplate(),
        buggy.pk: ZeroDivisionError("secret"),
    }
    task = _task(good, encrypted, gone, drifted, unknown, buggy)
    take_turn()

    assert _state_of(good) == (ItemState.COMPLETED, FileState.INGESTED, "")
    assert _state_of(encrypted) == (ItemState.FAILED, FileState.FAILED, "ENCRYPTED")
    assert _state_of(gone) == (ItemState.FAILED, FileState.SOURCE_MISSING, "SOURCE_MISSING")
    assert _state_of(drifted) == (ItemState.FAILED, FileState.TEMPLATE_UPDATE_REQUIRED, "HEADER_CHANGED")
    assert _state_of(unknown) == (ItemState.SKIPPED, FileState.PENDING, "NO_TEMPLATE")
    assert _state_of(buggy) == (ItemState.FAILED, FileState.FAILED, "INTERNAL_ERROR")
    task.refresh_from_db()
    assert (task.state, task.succeeded_files, task.failed_files, task.skipped_files) == (TaskState.PARTIAL, 1, 4, 1)
    assert [error["code"] for error in task.errors] == [
        "ENCRYPTED", "SOURCE_MISSING", "HEADER_CHANGED", "INTERNAL_ERROR"
    ]  # fmt: skip
    assert "secret" not in str(task.errors)
    assert [warning["code"] for warning in task.warnings] == ["NO_TEMPLATE"]
    assert not CatalogFile.objects.filter(pk=encrypted.pk, account="loaded").exists()


def test_a_file_without_rows_is_done_and_flagged(bell: Bell, ingest: Ingest) -> None:
    file = make_file()
    ingest.ends = {file.pk: Counts()}
    task = _task(file)
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED
    assert [warning["code"] for warning in task.warnings] == ["NO_ROWS"]


def test_a_database_that_stumbles_puts_the_file_back_for_later(bell: Bell, ingest: Ingest, settings: object) -> None:
    settings.SLICE_SECONDS = 0.05  # type: ignore[attr-defined]
    file = make_file()
    ingest.ends = {file.pk: OperationalError("deadlock")}
    task = _task(file)
    bell.rung.clear()
    take_turn()
    item = task.items.get()
    assert (item.state, item.attempt, item.error["code"]) == (ItemState.QUEUED, 1, "TEMPORARILY_UNAVAILABLE")
    assert task.items.filter(not_before__gt=Now(), not_before__lt=Now() + timedelta(seconds=2)).exists()
    assert len(bell.later) == 1

    ingest.ends = {}
    task.items.update(not_before=Now())
    take_turn()
    task.refresh_from_db()
    assert (task.state, task.items.get().attempt, task.items.get().error) == (TaskState.COMPLETED, 2, {})


def test_a_database_that_is_busy_at_the_claim_gives_the_bell_back(
    bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLICE_SECONDS = 0.0
    task = _task(make_file())
    bell.rung.clear()

    def busy(_task_id: int) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(turns, "claim_next", busy)
        take_turn()
    assert bell.rung == [5]
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED


def test_a_database_that_stumbles_at_the_close_lets_the_next_one_close(
    bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLICE_SECONDS = 0.01
    task = _task(make_file())

    def stumble(*_: object) -> None:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(close, "store_closed", stumble)
        take_turn()
    task.refresh_from_db()
    assert (task.state, task.closing_at, task.finished_at) == (TaskState.PROCESSING, None, None)
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED


def test_who_lost_the_lease_leaves_the_file_to_the_other(bell: Bell, ingest: Ingest) -> None:
    file = make_file()
    task = _task(file)

    def take_over(item: SyncTaskFile) -> None:
        SyncTaskFile.objects.filter(pk=item.pk).update(lease_token=None)

    ingest.meanwhile = take_over
    take_turn()
    file.refresh_from_db()
    task.refresh_from_db()
    assert (file.account, task.state, task.items.get().state) == ("", TaskState.PROCESSING, ItemState.PROCESSING)


def test_many_messages_at_once_sync_each_file_once_and_close_once(bell: Bell, ingest: Ingest) -> None:
    files = [make_file() for _ in range(24)]
    task = _task(*files)
    heard: list[str] = []

    def hear(task: SyncProgressTask, **_: object) -> None:
        heard.append(task.task_id)

    def work() -> None:
        try:
            take_turn()
        finally:
            connections.close_all()

    sync_finished.connect(hear)
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sync_finished.disconnect(hear)
    while bell.rung[10:]:
        take_turn()
    task.refresh_from_db()
    assert sorted(ingest.seen) == sorted(file.pk for file in files)
    assert (task.state, task.succeeded_files, heard) == (TaskState.COMPLETED, 24, [task.task_id])
    assert TaskResult.objects.filter(task_id=task.celery_task_id).count() == 1


def test_celery_clients_read_the_truth(bell: Bell, ingest: Ingest) -> None:
    good, bad = make_file(), make_file()
    ingest.ends = {bad.pk: EncryptedFile()}
    done, failed = _task(good), _task(bad)
    states: list[str] = []
    ingest.meanwhile = lambda item: states.append(AsyncResult(item.task.celery_task_id).state)

    assert AsyncResult(done.celery_task_id).state == "PENDING"
    take_turn()
    take_turn()

    assert states == ["STARTED", "STARTED"]
    result: Any = AsyncResult(done.celery_task_id)
    assert (result.state, result.result["status"], result.result["files"]["succeeded"]) == ("SUCCESS", "completed", 1)
    assert TaskResult.objects.get(task_id=done.celery_task_id).task_name == "data_sync.take_turn"
    result = AsyncResult(failed.celery_task_id)
    assert result.state == "FAILURE"
    assert isinstance(result.result, SyncFailed)
    assert result.result.args[1]["files"]["failed"] == 1


def test_a_task_of_nothing_but_undescribed_files_closes_at_once(bell: Bell, ingest: Ingest) -> None:
    task = _task(make_file(state=FileState.NEEDS_DESCRIPTION))
    take_turn()
    task.refresh_from_db()
    assert (task.state, task.skipped_files, ingest.seen) == (TaskState.PARTIAL, 1, [])


def test_a_gate_that_fails_does_not_hold_the_task_up(
    bell: Bell, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_task: SyncProgressTask) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gate, "assess", broken)
    task = _task(make_file())
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED
    assert [warning["code"] for warning in task.warnings] == ["QUALITY_UNKNOWN"]
    with translation.override("zh-hans"):
        assert remark_in_words(task.warnings[0])["message"] == "无法评估数据质量。"


def test_a_defect_at_the_close_gives_the_bell_back_and_leaves_the_mark_for_a_minute(
    bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLICE_SECONDS = 0.01
    task = _task(make_file())
    bell.rung.clear()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(close, "final_state", broken)
        take_turn()
    task.refresh_from_db()
    assert (task.state, bell.rung) == (TaskState.PROCESSING, [5])
    assert task.closing_at is not None
    assert pick_task() is None
    SyncProgressTask.objects.update(closing_at=Now() - timedelta(seconds=61))
    assert sweep().closed == 1


def test_reports_that_cannot_be_stored_do_not_hold_the_task_up(
    bell: Bell, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file()
    unstorable: Any = {"platform_id": "nowhere", "domain": None}
    monkeypatch.setattr(gate, "assess", lambda _task: [QualityReport(**unstorable)])
    task = _task(file)
    take_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED
    assert [warning["code"] for warning in task.warnings] == ["QUALITY_UNKNOWN"]
    assert task.quality == gate.quality_check([])


def test_a_closer_that_vanished_is_replaced_after_a_minute(bell: Bell, ingest: Ingest) -> None:
    file = make_file()
    task = _task(file)
    task.items.update(state=ItemState.COMPLETED)
    SyncProgressTask.objects.update(closing_at=Now() - timedelta(seconds=20))
    assert sweep().closed == 0
    SyncProgressTask.objects.update(closing_at=Now() - timedelta(seconds=70))
    assert sweep().closed == 1
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED


def test_a_message_that_the_broker_never_takes_back_ends_all_the_same(
    bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLICE_SECONDS = 0.0
    monkeypatch.setattr(turns, "MOST_SECONDS", 0.0)
    _task(make_file(), make_file())
    bell.heard = False
    with pytest.raises(turns.TurnNotPassedOn):
        take_turn()
    assert len(ingest.seen) == 1


def test_a_file_that_met_the_end_of_its_messages_time_is_not_blamed(
    bell: Bell, ingest: Ingest, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SLICE_SECONDS = 0.01
    innocent, slow = make_file(), make_file()
    ingest.ends = {innocent.pk: SoftTimeLimitExceeded(), slow.pk: SoftTimeLimitExceeded()}
    _task(innocent)
    take_turn()
    assert _state_of(innocent) == (ItemState.QUEUED, FileState.QUEUED, "TEMPORARILY_UNAVAILABLE")
    monkeypatch.setattr(execute, "SOFT_LIMIT_SECONDS", 0.0)
    _task(slow)
    take_turn()
    assert _state_of(slow) == (ItemState.FAILED, FileState.FAILED, "READER_TIMEOUT")
