"""The books that a task is closed with: read from its files or summed up, and what closing it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskKind, TaskState
from datasync.ingest.plan import Counts
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.remarks import Remark, RemarkCode
from datasync.runs import books, close, execute, services
from datasync.runs.books import Books, books_of
from datasync.runs.turns import take_turn
from datasync.signals import sync_finished
from tests.runs_support import bell, ingest, make_file, make_user

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)
Item = dict[str, Any]
ENDED: list[Item] = [
    {"state": ItemState.COMPLETED, "warnings": [{"code": "GONE"}, {"code": "ADDED"}], "rows_read": 3},
    {"state": ItemState.FAILED, "error": {"code": "ENCRYPTED"}},
    {"state": ItemState.COMPLETED, "rows_read": 4, "rows_inserted": 4},
    {"state": ItemState.SKIPPED, "error": {"code": "NO_TEMPLATE"}},
    {"state": ItemState.PARTIAL, "warnings": [{"code": "MOVED"}], "rows_read": 5, "rows_quarantined": 1},
    {"state": ItemState.FAILED, "error": {"code": "CORRUPT_FILE"}},
    {"state": ItemState.CANCELLED},
]


def task_of(*items: Item) -> SyncProgressTask:
    """A task that ran for two seconds, with files that ended so."""
    now = timezone.now()
    task = SyncProgressTask.objects.create(
        task_id="batch_1", celery_task_id="1", kind=TaskKind.BATCH, state=TaskState.PROCESSING, total_files=len(items),
        started_at=now - timedelta(seconds=2), closing_at=now,
    )  # fmt: skip
    for position, item in enumerate(items):
        SyncTaskFile.objects.create(task=task, file=make_file(), position=position, file_sha256="", **item)
    return task


def as_stored(task: SyncProgressTask) -> dict[str, Any]:
    return {field.attname: getattr(task, field.attname) for field in SyncProgressTask._meta.concrete_fields}


def codes(told: list[dict[str, Any]]) -> list[str]:
    return [one["code"] for one in told]


def read_each_way(task: SyncProgressTask, monkeypatch: pytest.MonkeyPatch) -> tuple[Books, Books]:
    """The books from the files, and those that the database sums up."""
    each = books_of(task)
    with monkeypatch.context() as patched:
        patched.setattr(books, "_each", None)
        task.total_files = books.MOST_LISTED + 1
        return each, books_of(task)


def test_the_books_of_few_files_and_of_many_are_kept_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    each, summed = read_each_way(task_of(*ENDED), monkeypatch)
    assert each == summed
    assert each.files == {"completed": 2, "failed": 2, "skipped": 1, "partial": 1, "cancelled": 1}
    assert (each.rows, each.seconds) == (Counts(read=12, inserted=4, quarantined=1), 2.0)
    assert codes(each.errors) == ["ENCRYPTED", "CORRUPT_FILE"]
    assert codes(each.warnings) == ["NO_TEMPLATE", "GONE", "ADDED", "MOVED"]
    first = SyncTaskFile.objects.get(position=1)
    assert each.errors[0] == {"file_id": first.file_id, "file": first.file.original_name, "code": "ENCRYPTED"}


def test_a_task_without_files_has_empty_books(monkeypatch: pytest.MonkeyPatch) -> None:
    each, summed = read_each_way(task_of(), monkeypatch)
    assert each == summed == Books()


def test_no_more_is_listed_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_LISTED", 2)
    task = task_of(*ENDED, *ENDED)
    with CaptureQueriesContext(connection) as captured:
        found = books_of(task)
    assert (codes(found.errors), codes(found.warnings)) == (["ENCRYPTED", "CORRUPT_FILE"], ["NO_TEMPLATE"] * 2)
    assert (found.files.total(), found.rows.read, len(captured)) == (14, 24, 4)


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is read or loaded, and no quality judged: what is left is the queue's own work, of a row that is new."""

    def loaded(*, before_commit: Callable[[Any], None], **_: Any) -> None:
        with transaction.atomic():
            remarks = [Remark(RemarkCode.NO_ROWS)]
            counts = Counts(read=1, inserted=1)
            before_commit(SimpleNamespace(counts=counts, measures={}, discarded=0, warnings=remarks))

    monkeypatch.setattr(execute, "ingest", loaded)
    monkeypatch.setattr(close, "_assess", lambda _task: [])
    monkeypatch.setattr(close, "_store", lambda _reports: True)


@pytest.mark.usefixtures("bell", "ingest", "nothing_read")
def test_a_file_that_is_a_task_of_its_own_costs_twelve_statements() -> None:
    """From the question whose turn it is to the closed task, and to whether its owner has credits to charge.

    Of a file with a new row and something to tell. The words that open and close transactions are not counted.
    """
    counted, ana = {}, make_user()
    for files in (1, 3):
        tasks = [services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING) for _ in range(files)]
        with CaptureQueriesContext(connection) as captured:
            take_turn()
        for task in tasks:
            task.refresh_from_db()
            assert (task.state, codes(task.warnings)) == (TaskState.COMPLETED, ["NO_ROWS"])
        said = [query["sql"] for query in captured]
        counted[files] = [sql for sql in said if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    each = (len(counted[3]) - len(counted[1])) / 2
    assert each <= 12, "\n".join(sql[:150] for sql in counted[1])


@pytest.fixture
def heard() -> Iterator[list[SyncProgressTask]]:
    """The tasks that were closed, as others are told of them."""
    heard: list[SyncProgressTask] = []

    def hear(task: SyncProgressTask, **_: object) -> None:
        heard.append(task)

    sync_finished.connect(hear)
    yield heard
    sync_finished.disconnect(hear)


@pytest.mark.usefixtures("bell", "ingest")
def test_who_hears_of_a_closed_task_has_it_as_it_is_stored(heard: list[SyncProgressTask]) -> None:
    """All of it, and without a further statement."""
    task = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    take_turn()
    with CaptureQueriesContext(connection) as captured:
        told = [as_stored(one) for one in heard]
    assert len(captured) == 0
    task.refresh_from_db()
    assert told == [as_stored(task)]
    assert None not in (task.started_at, task.closing_at, task.finished_at, task.served_at)


@pytest.mark.parametrize("fields", [(), ("task_id",)])
def test_a_task_is_closed_however_it_was_read_and_tried_again(
    fields: tuple[str, ...], heard: list[SyncProgressTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by the same instance."""
    task_of(*ENDED)
    SyncProgressTask.objects.update(closing_at=None)
    task = SyncProgressTask.objects.only(*fields).get()
    with monkeypatch.context() as patched:
        patched.setattr(close, "store_closed", Mock(side_effect=OperationalError))
        with pytest.raises(OperationalError):
            close.close_if_done(task)
    assert (close.close_if_done(task), close.close_if_done(task)) == (True, False)
    assert [one.state for one in heard] == [TaskState.CANCELLED]
