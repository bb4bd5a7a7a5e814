"""Submitting: what becomes a task, what is refused, and that the broker never decides."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound, InvalidRequest
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import services
from tests.runs_support import Bell, bell, make_file, make_user

__all__ = ["bell"]


@pytest.mark.django_db(transaction=True)
def test_single_queues_the_file_and_rings_once(bell: Bell) -> None:
    file, ana = make_file(), make_user()

    task = services.submit_single(file_id=file.pk, owner=ana, priority=8, allow_quarantine=False)

    assert task.task_id.startswith(f"single_file_{file.pk}_")
    assert (task.state, task.priority, task.owner_id, task.total_files) == (TaskState.QUEUED, 8, ana.pk, 1)
    assert not task.allow_quarantine
    item = task.items.get()
    assert (item.state, item.file_sha256) == (ItemState.QUEUED, file.content_sha256)
    file.refresh_from_db()
    assert file.state == FileState.QUEUED
    assert bell.rung == [task.pk]


@pytest.mark.django_db(transaction=True)
def test_a_busy_file_is_refused_with_the_running_task(bell: Bell) -> None:
    file = make_file()
    running = services.submit_single(file_id=file.pk, owner=None)

    with pytest.raises(FileBusy) as refused:
        services.submit_single(file_id=file.pk, owner=make_user())

    assert refused.value.params == {"task_id": running.task_id}
    assert SyncProgressTask.objects.count() == 1
    assert bell.rung == [running.pk]


@pytest.mark.django_db(transaction=True)
def test_single_refuses_what_it_cannot_sync(bell: Bell) -> None:
    with pytest.raises(FileNotFound):
        services.submit_single(file_id=999_999, owner=None)
    undescribed = make_file(state=FileState.NEEDS_DESCRIPTION)
    with pytest.raises(InvalidRequest, match="not known what the file holds"):
        services.submit_single(file_id=undescribed.pk, owner=None)
    assert not bell.rung


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("priority", [0, 11, "5", 5.5, True])
def test_priority_is_a_whole_number_from_1_to_10(bell: Bell, priority: object) -> None:
    with pytest.raises(InvalidRequest, match="priority"):
        services.submit_single(file_id=make_file().pk, owner=None, priority=priority)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_chosen_files_name_the_missing_and_the_busy(bell: Bell) -> None:
    busy, first, second = make_file(), make_file(), make_file()
    undescribed = make_file(state=FileState.NEEDS_DESCRIPTION)
    services.submit_single(file_id=busy.pk, owner=None)

    wanted = [second.pk, 999_999, busy.pk, first.pk, second.pk, undescribed.pk]
    submission = services.submit_by_ids(file_ids=wanted, owner=None)

    assert submission.missing_file_ids == (999_999,)
    assert submission.busy_file_ids == (busy.pk,)
    items = list(submission.task.items.order_by("position").values_list("file_id", "state"))
    assert items == [
        (second.pk, ItemState.QUEUED), (first.pk, ItemState.QUEUED), (undescribed.pk, ItemState.SKIPPED)
    ]  # fmt: skip
    assert submission.task.items.get(file=undescribed).error["code"] == "NEEDS_DESCRIPTION"
    assert bell.rung.count(submission.task.pk) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file_ids", [[], list(range(1, 1002)), [-1], [2**63], [True]])
def test_file_ids_are_checked(bell: Bell, file_ids: list[int]) -> None:
    with pytest.raises(InvalidRequest):
        services.submit_by_ids(file_ids=file_ids, owner=None)


@pytest.mark.django_db(transaction=True)
def test_chosen_files_that_are_all_missing_or_all_busy_are_refused(bell: Bell) -> None:
    with pytest.raises(DataNotFound):
        services.submit_by_ids(file_ids=[999_998, 999_999], owner=None)
    file = make_file()
    services.submit_single(file_id=file.pk, owner=None)
    with pytest.raises(FileBusy):
        services.submit_by_ids(file_ids=[file.pk], owner=None)
    assert SyncProgressTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_pending_makes_no_task(bell: Bell) -> None:
    make_file(state=FileState.INGESTED)
    assert services.submit_batch(owner=None) is None
    assert services.submit_all(owner=None) is None
    assert not SyncProgressTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_takes_pending_files_up_to_its_limit(bell: Bell) -> None:
    for _ in range(4):
        make_file()
    make_file(state=FileState.INGESTED)
    task = services.submit_batch(owner=None, platform="*", limit=3)
    assert task is not None
    assert task.total_files == SyncTaskFile.objects.filter(task=task).count() == 3
    with pytest.raises(InvalidRequest, match="limit"):
        services.submit_batch(owner=None, limit=1001)


@pytest.mark.django_db(transaction=True)
def test_a_batch_keeps_at_most_a_window_of_messages(bell: Bell) -> None:
    files = [make_file().pk for _ in range(14)]
    submission = services.submit_by_ids(file_ids=files, owner=None)
    assert bell.rung == [submission.task.pk] * 10


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_task_stays_queued_and_says_so(bell: Bell) -> None:
    bell.heard = False
    task = services.submit_single(file_id=make_file().pk, owner=None)
    assert task.message == services.NOT_RUNG
    task.refresh_from_db()
    assert (task.state, task.message) == (TaskState.QUEUED, services.NOT_RUNG)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_gets_the_file(bell: Bell) -> None:
    file = make_file()
    answers: list[str] = []
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        try:
            services.submit_single(file_id=file.pk, owner=None)
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
def test_a_thousand_files_are_few_statements(bell: Bell) -> None:
    files = [make_file().pk for _ in range(1000)]
    with CaptureQueriesContext(connection) as captured:
        services.submit_by_ids(file_ids=files, owner=make_user())
    inserts = [query for query in captured if "datasync_synctaskfile" in query["sql"] and "INSERT" in query["sql"]]
    assert len(captured) - len(inserts) <= 12
    assert len(inserts) <= (1 if connection.vendor == "postgresql" else 40)
