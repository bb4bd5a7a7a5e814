"""Retrying a task: one new task over what was not synced, however often and from wherever it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskKind, TaskState
from datasync.exceptions import (
    CorruptFile,
    FileBusy,
    NothingToRetry,
    TaskRunning,
    TemplateNotInUse,
)
from datasync.mapping.publishing import archive
from datasync.models import CatalogFile, HeaderTemplate, SyncProgressTask
from datasync.runs import services
from datasync.runs.again import retry_task, retryable
from datasync.runs.cancel import cancel_task
from datasync.runs.remap.services import start_remap
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from tests.remap_support import corrected, inbox, line, synced, template_of, with_column, write_orders
from tests.runs_support import Bell, Ingest, bell, ingest, make_file, make_user
from tests.test_quarantine_races import at_once

__all__ = ["bell", "inbox", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)
CLICKS = 50


def _ended(ingest: Ingest, *, failed: int = 1, done: int = 1, **flags: bool) -> SyncProgressTask:
    """A task with files that failed and files that were synced."""
    files = [make_file().pk for _ in range(failed + done)]
    ingest.ends |= dict.fromkeys(files[:failed], CorruptFile(found="a test"))
    task = services.submit_by_ids(file_ids=files, owner=make_user(), priority=7, **flags, sight=EVERYTHING).task
    take_turn()
    task.refresh_from_db()
    assert task.failed_files == failed
    return task


def _files(task: SyncProgressTask) -> list[int]:
    return list(task.items.order_by("position").values_list("file_id", flat=True))


def test_the_failed_files_become_a_new_task_like_the_old_one(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest, failed=2, done=1, allow_quarantine=False)
    retried = retry_task(task, sight=EVERYTHING).task
    assert _files(retried) == _files(task)[:2]
    assert (retried.parent, retried.owner, retried.priority, retried.kind) == (task, task.owner, 7, task.kind)
    assert (retried.allow_quarantine, retried.only_with_template, retried.total_files) == (False, True, 2)
    assert retried.celery_task_id != task.celery_task_id
    ingest.ends.clear()
    take_turn()
    retried.refresh_from_db()
    assert (retried.state, retried.succeeded_files) == (TaskState.COMPLETED, 2)
    before = task.state
    task.refresh_from_db()
    assert (task.state, task.failed_files) == (before, 2)


def test_asked_again_it_is_the_same_task_even_when_that_has_ended(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest)
    retried = retry_task(task, sight=EVERYTHING).task
    rung = len(bell.rung)
    assert (
        retry_task(task, sight=EVERYTHING).task == retry_task(task, only_failed=False, sight=EVERYTHING).task == retried
    )
    take_turn()
    assert retry_task(task, sight=EVERYTHING).task == retried
    assert SyncProgressTask.objects.count() == 2
    assert len(bell.rung) == rung


def test_a_retry_that_failed_is_retried_itself(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest)
    first = retry_task(task, sight=EVERYTHING).task
    take_turn()
    first.refresh_from_db()
    second = retry_task(first, sight=EVERYTHING).task
    assert (second.parent, _files(second)) == (first, _files(task)[:1])


def test_many_clicks_at_once_make_one_task(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest, failed=3)
    given = at_once(*[lambda: retry_task(task, sight=EVERYTHING).task.pk] * CLICKS)
    made = SyncProgressTask.objects.exclude(pk=task.pk).get()
    assert set(given) == {made.pk}
    assert _files(made) == _files(task)[:3]
    assert len(bell.rung) == 4 + 3  # turns of the first task, and of one more


def test_a_single_file_stays_one(bell: Bell, ingest: Ingest) -> None:
    file = make_file()
    ingest.ends[file.pk] = CorruptFile(found="a test")
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    retried = retry_task(task, sight=EVERYTHING).task
    assert retried.task_id.startswith(f"single_file_{file.pk}_")
    assert (retried.kind, retried.owner) == (TaskKind.SINGLE, None)


def test_a_task_that_runs_is_not_retried(bell: Bell) -> None:
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    with pytest.raises(TaskRunning, match=task.task_id):
        retry_task(task, sight=EVERYTHING)


def test_stopped_files_are_taken_when_asked_for(bell: Bell) -> None:
    task = services.submit_by_ids(file_ids=[make_file().pk, make_file().pk], owner=None, sight=EVERYTHING).task
    cancel_task(task)
    assert retryable(task, sight=EVERYTHING) == (0, 2)
    with pytest.raises(NothingToRetry, match="stopped or not started were 2"):
        retry_task(task, sight=EVERYTHING)
    assert _files(retry_task(task, only_failed=False, sight=EVERYTHING).task) == _files(task)


def test_files_that_nobody_came_to_in_time_are_taken_when_asked_for(bell: Bell) -> None:
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    SyncProgressTask.objects.update(deadline_at=Now())
    assert sweep().not_started == 1
    assert retryable(task, sight=EVERYTHING) == (0, 1)
    assert retry_task(task, only_failed=False, sight=EVERYTHING).task.total_files == 1


def test_files_that_wait_for_a_person_are_not(bell: Bell) -> None:
    files = [make_file(state=FileState.NEEDS_DESCRIPTION).pk, make_file(state=FileState.NEEDS_DESCRIPTION).pk]
    task = services.submit_by_ids(file_ids=files, owner=None, sight=EVERYTHING).task
    take_turn()
    assert set(task.items.values_list("state", flat=True)) == {ItemState.SKIPPED}
    with pytest.raises(NothingToRetry):
        retry_task(task, only_failed=False, sight=EVERYTHING)


def test_a_file_that_was_deleted_is_left_out(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest, failed=2, done=0)
    CatalogFile.objects.filter(pk=_files(task)[0]).update(state=FileState.DELETED)
    assert _files(retry_task(task, sight=EVERYTHING).task) == _files(task)[1:]


def test_files_that_are_all_busy_name_their_task_and_leave_no_retry(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest)
    other = services.submit_single(file_id=_files(task)[0], owner=None, sight=EVERYTHING)
    with pytest.raises(FileBusy, match=other.task_id):
        retry_task(task, sight=EVERYTHING)
    cancel_task(other)
    assert retry_task(task, sight=EVERYTHING).task.parent == task


def test_files_that_are_busy_are_named_whenever_it_is_asked(bell: Bell, ingest: Ingest) -> None:
    task = _ended(ingest, failed=3, done=1)
    busy, *free = _files(task)[:3]
    other = services.submit_single(file_id=busy, owner=None, sight=EVERYTHING)
    retried = retry_task(task, sight=EVERYTHING)
    assert (_files(retried.task), retried.busy_file_ids, retried.missing_file_ids) == (free, (busy,), ())
    cancel_task(other)
    again = retry_task(task, only_failed=False, sight=EVERYTHING)
    assert (again.task, again.busy_file_ids) == (retried.task, (busy,))
    ingest.ends[free[0]] = CorruptFile(found="a test")
    take_turn()
    assert retry_task(SyncProgressTask.objects.get(parent=task), sight=EVERYTHING).busy_file_ids == ()


@pytest.fixture
def failed_remap(inbox: Path, bell: Bell) -> SyncProgressTask:
    """A remap of two files, one of which failed."""
    for number in (1, 2):
        synced(write_orders(inbox, [line(f"A{number}")], name=f"20260306_10000{number}"))
    template = corrected(template_of("orders", granularity="daily"), with_column("Recipient", field="buyer_name"))
    started = start_remap(template.pk, owner=make_user(), sight=EVERYTHING)
    assert started is not None
    failing = started.task.items.order_by("position")[0]
    sha256 = CatalogFile.objects.get(pk=failing.file_id).content_sha256
    started.task.items.filter(pk=failing.pk).update(file_sha256="of older content")
    take_turn()
    assert CatalogFile.objects.get(pk=failing.file_id).content_sha256 == sha256
    started.task.refresh_from_db()
    assert (started.task.failed_files, started.task.succeeded_files) == (1, 1)
    return started.task


def test_a_remap_is_a_remap_again_over_what_failed(failed_remap: SyncProgressTask) -> None:
    retried = retry_task(failed_remap, sight=EVERYTHING).task
    assert (retried.kind, retried.parent, retried.options) == (TaskKind.REMAP, failed_remap, failed_remap.options)
    assert _files(retried) == [failed_remap.items.get(state=ItemState.FAILED).file_id]
    take_turn()
    retried.refresh_from_db()
    assert (retried.state, retried.rows_updated) == (TaskState.COMPLETED, 1)


def test_busy_files_of_a_remap_are_named_too(failed_remap: SyncProgressTask) -> None:
    failed_remap.items.update(state=ItemState.FAILED)
    busy = failed_remap.items.order_by("position")[0].file_id
    services.submit_single(file_id=busy, owner=None, sight=EVERYTHING)
    assert [retry_task(failed_remap, sight=EVERYTHING).busy_file_ids for _ in range(2)] == [(busy,)] * 2


def test_a_remap_of_a_template_that_is_no_longer_in_use_is_not(failed_remap: SyncProgressTask) -> None:
    archive(HeaderTemplate.objects.get(pk=failed_remap.options["template_id"]))
    with pytest.raises(TemplateNotInUse):
        retry_task(failed_remap, sight=EVERYTHING)


def test_a_cancelled_remap_keeps_what_is_done(inbox: Path, bell: Bell) -> None:
    for number in (1, 2):
        synced(write_orders(inbox, [line(f"A{number}")], name=f"20260306_10000{number}"))
    template = corrected(template_of("orders", granularity="daily"), with_column("Recipient", field="buyer_name"))
    started = start_remap(template.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    cancelled = cancel_task(started.task)
    assert (cancelled.task.state, cancelled.stopped.files) == (TaskState.CANCELLED, 2)
    assert set(CatalogFile.objects.values_list("state", flat=True)) == {FileState.INGESTED}
    assert retry_task(started.task, only_failed=False, sight=EVERYTHING).task.total_files == 2
