"""Submitting: what becomes a task, what is refused, and that the broker never decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound, InvalidRequest
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from tests.runs_support import Bell, bell, make_file, make_template, make_user

__all__ = ["bell"]


@pytest.mark.django_db(transaction=True)
def test_single_queues_the_file_and_rings_once(bell: Bell) -> None:
    file, ana = make_file(), make_user()

    task = services.submit_single(file_id=file.pk, owner=ana, priority=8, allow_quarantine=False, sight=EVERYTHING)

    assert task.task_id.startswith(f"single_file_{file.pk}_")
    assert (task.state, task.priority, task.owner_id, task.total_files) == (TaskState.QUEUED, 8, ana.pk, 1)
    assert not task.allow_quarantine
    item = task.items.get()
    assert (item.state, item.file_sha256) == (ItemState.QUEUED, file.content_sha256)
    file.refresh_from_db()
    assert file.state == FileState.QUEUED
    assert bell.rung == [8]


@pytest.mark.django_db(transaction=True)
def test_a_busy_file_is_refused_with_the_running_task(bell: Bell) -> None:
    file = make_file()
    running = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)

    with pytest.raises(FileBusy) as refused:
        services.submit_single(file_id=file.pk, owner=make_user(), sight=EVERYTHING)

    assert refused.value.params == {"task_id": running.task_id}
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_single_refuses_what_it_cannot_sync(bell: Bell) -> None:
    with pytest.raises(FileNotFound):
        services.submit_single(file_id=999_999, owner=None, sight=EVERYTHING)
    undescribed = make_file(state=FileState.NEEDS_DESCRIPTION)
    with pytest.raises(InvalidRequest, match="not known what the file holds"):
        services.submit_single(file_id=undescribed.pk, owner=None, sight=EVERYTHING)
    assert not bell.rung


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("priority", [0, 11, "5", 5.5, True])
def test_priority_is_a_whole_number_from_1_to_10(bell: Bell, priority: object) -> None:
    with pytest.raises(InvalidRequest, match="priority"):
        services.submit_single(file_id=make_file().pk, owner=None, priority=priority, sight=EVERYTHING)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_chosen_files_name_the_missing_and_the_busy(bell: Bell) -> None:
    busy, first, second = make_file(), make_file(), make_file()
    undescribed = make_file(state=FileState.NEEDS_DESCRIPTION)
    services.submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)

    wanted = [second.pk, 999_999, busy.pk, first.pk, second.pk, undescribed.pk]
    submission = services.submit_by_ids(file_ids=wanted, owner=None, sight=EVERYTHING)

    assert submission.missing_file_ids == (999_999,)
    assert submission.busy_file_ids == (busy.pk,)
    items = list(submission.task.items.order_by("position").values_list("file_id", "state"))
    assert items == [
        (second.pk, ItemState.QUEUED), (first.pk, ItemState.QUEUED), (undescribed.pk, ItemState.SKIPPED)
    ]  # fmt: skip
    assert submission.task.items.get(file=undescribed).error["code"] == "NEEDS_DESCRIPTION"
    assert len(bell.rung) == 4  # one for the file that was busy before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file_ids", [[], list(range(1, 1002)), [-1], [2**63], [True]])
def test_file_ids_are_checked(bell: Bell, file_ids: list[int]) -> None:
    with pytest.raises(InvalidRequest):
        services.submit_by_ids(file_ids=file_ids, owner=None, sight=EVERYTHING)


@pytest.mark.django_db(transaction=True)
def test_chosen_files_that_are_all_missing_or_all_busy_are_refused(bell: Bell) -> None:
    with pytest.raises(DataNotFound):
        services.submit_by_ids(file_ids=[999_998, 999_999], owner=None, sight=EVERYTHING)
    file = make_file()
    services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(FileBusy):
        services.submit_by_ids(file_ids=[file.pk], owner=None, sight=EVERYTHING)
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_pending_makes_no_task(bell: Bell) -> None:
    make_file(state=FileState.INGESTED)
    assert services.submit_batch(owner=None, sight=EVERYTHING) is None
    assert services.submit_all(owner=None, sight=EVERYTHING) is None
    assert not SyncProgressTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_takes_pending_files_up_to_its_limit(bell: Bell) -> None:
    for _ in range(4):
        make_file()
    make_file(state=FileState.INGESTED)
    task = services.submit_batch(owner=None, platform="*", limit=3, only_with_template=False, sight=EVERYTHING)
    assert task is not None
    assert task.total_files == SyncTaskFile.objects.filter(task=task).count() == 3
    with pytest.raises(InvalidRequest, match="limit"):
        services.submit_batch(owner=None, limit=1001, sight=EVERYTHING)


@pytest.mark.django_db(transaction=True)
def test_a_batch_keeps_at_most_a_window_of_messages(bell: Bell) -> None:
    files = [make_file().pk for _ in range(14)]
    services.submit_by_ids(file_ids=files, owner=None, priority=7, sight=EVERYTHING)
    assert bell.rung == [7] * 10


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_task_stays_queued_and_says_so(bell: Bell) -> None:
    bell.heard = False
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    assert task.fallback
    task.refresh_from_db()
    assert (task.state, task.fallback) == (TaskState.QUEUED, True)


@pytest.mark.django_db(transaction=True)
def test_files_without_a_template_never_keep_others_from_a_batch(bell: Bell) -> None:
    for _ in range(12):
        make_file(collected_at=datetime(2026, 1, 1, tzinfo=UTC))
    good = make_file(template=make_template(), collected_at=datetime(2026, 2, 1, tzinfo=UTC))
    task = services.submit_batch(owner=None, limit=10, sight=EVERYTHING)
    assert task is not None
    assert list(task.items.values_list("file_id", flat=True)) == [good.pk]
    rest = services.submit_batch(owner=None, limit=10, only_with_template=False, sight=EVERYTHING)
    assert rest is not None
    assert rest.total_files == 10


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_worked_off_from_the_oldest_collection(bell: Bell) -> None:
    days = (3, 1, 2)
    files = {day: make_file(collected_at=datetime(2026, 1, day, tzinfo=UTC), rows={"read": day}) for day in days}
    task = services.submit_batch(owner=None, only_with_template=False, limit=2, sight=EVERYTHING)
    assert task is not None
    assert list(task.items.order_by("position").values_list("file_id", "position", "rows_expected")) == [
        (files[1].pk, 0, 1), (files[2].pk, 1, 2)
    ]  # fmt: skip
    item = task.items.earliest("position")
    assert (item.error, item.warnings, item.measured, item.state) == ({}, [], {}, ItemState.QUEUED)
    assert item.file_sha256 == files[1].content_sha256
    assert set(CatalogFile.objects.filter(state=FileState.QUEUED)) == {files[1], files[2]}


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_gets_the_file(bell: Bell) -> None:
    file = make_file()
    answers: list[str] = []
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        try:
            services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
            answers.append("queued")
        except FileBusy:
            answers.append("busy")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["busy"] * 5 + ["queued"]
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_any_number_of_files_costs_the_same_statements_and_no_memory(bell: Bell) -> None:
    files = [make_file(template=make_template()).pk for _ in range(60)]

    def cost(ask: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask() is not None
        return len(captured)

    ana = make_user()
    few = cost(lambda: services.submit_by_ids(file_ids=files[:2], owner=ana, sight=EVERYTHING))
    assert cost(lambda: services.submit_by_ids(file_ids=files[2:40], owner=ana, sight=EVERYTHING)) == few <= 9
    assert cost(lambda: services.submit_single(file_id=files[40], owner=ana, sight=EVERYTHING)) <= 9
    assert cost(lambda: services.submit_all(owner=ana, sight=EVERYTHING)) <= 9
    assert SyncTaskFile.objects.count() == 60
