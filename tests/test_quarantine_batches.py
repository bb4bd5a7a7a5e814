"""What an act has done it tells, whatever goes wrong later; and a rehearsal keeps nobody waiting."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from datasync.access import EVERYTHING
from datasync.choices import FileState, QuarantineState
from datasync.exceptions import NoTemplate, TransientError
from datasync.models import CatalogFile, OrderLine
from datasync.quarantine import batches, check, release, services
from datasync.quarantine.selectors import Filters
from tests.order_exports import shop_folder
from tests.quarantine_files import AMOUNT, bad, inbox, line, of, row_of, synced
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
MANY = [line(f"G{number}") for number in range(40)]


@pytest.fixture
def file(inbox: Path) -> CatalogFile:
    """A file with two corrected rows, of which one goes in each transaction."""
    made = synced(inbox, bad("B1"), bad("B2"), *MANY)
    services.correct_many(filters=Filters(), header=AMOUNT, replacement="1", actor=None, sight=EVERYTHING)
    return made


def fails_from(call: int, act: Any, error: Exception) -> Any:
    """``act``, which raises from this call on."""
    calls = []

    def broken(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) >= call:
            raise error
        return act(*arguments, **named)

    return broken


@pytest.mark.parametrize("error", [NoTemplate(), OperationalError("connection lost")])
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_was_done_is_told(
    file: CatalogFile, monkeypatch: pytest.MonkeyPatch, error: Exception, dry_run: bool
) -> None:
    monkeypatch.setattr(batches, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(check, "plan_for", fails_from(2, check.plan_for, error))
    told = services.release(filters=Filters(file_ids=[file.pk]), actor=None, dry_run=dry_run, sight=EVERYTHING)
    assert told.outcomes == {"inserted": 1}
    expected = NoTemplate if isinstance(error, NoTemplate) else TransientError
    assert isinstance(told.reached.refused[file.pk], expected)
    states = list(file.quarantined.order_by("sheet_row").values_list("state", flat=True))
    assert states == [QuarantineState.CORRECTED if dry_run else QuarantineState.RELEASED, QuarantineState.CORRECTED]


def test_where_nothing_was_done_it_is_raised(file: CatalogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (NoTemplate(), OperationalError("connection lost")):
        with monkeypatch.context() as patched:
            patched.setattr(check, "plan_for", fails_from(1, check.plan_for, error))
            with pytest.raises(type(error)):
                services.release(filters=Filters(), actor=None, sight=EVERYTHING)


def test_what_was_undone_is_not_counted(file: CatalogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second page loads its row, and is undone when the act is to be written down."""
    monkeypatch.setattr(batches, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(release, "_note_decision", fails_from(2, release._note_decision, NoTemplate()))
    told = services.release(filters=Filters(), actor=None, sight=EVERYTHING)
    assert (told.outcomes, OrderLine.objects.filter(order_id__startswith="B").count()) == ({"inserted": 1}, 1)


def test_rows_of_a_remap_do_not_move_the_books_and_leave_the_file_partial(file: CatalogFile) -> None:
    """Only rows of the last sync stand in its counts; whatever waits keeps the file from being whole."""
    first, second = file.quarantined.order_by("sheet_row")
    file.quarantined.filter(pk=second.pk).update(item=None)
    CatalogFile.objects.filter(pk=file.pk).update(rows=file.rows | {"quarantined": 1, "unchanged": 1})
    services.release(filters=of(first), actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (file.rows["quarantined"], file.rows["inserted"], file.state) == (0, 41, FileState.PARTIAL)
    services.release(filters=of(second), actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (file.rows["quarantined"], file.rows["inserted"], file.state) == (0, 41, FileState.INGESTED)


def test_a_rehearsal_of_many_pages_sees_its_own_rows(file: CatalogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_AT_ONCE", 1)
    services.correct_many(filters=Filters(), header="Order ID", replacement="C1", actor=None, sight=EVERYTHING)
    told = services.release(filters=Filters(), actor=None, dry_run=True, sight=EVERYTHING)
    done = services.release(filters=Filters(), actor=None, sight=EVERYTHING)
    assert told.outcomes == done.outcomes == {"inserted": 2}
    assert sorted(OrderLine.objects.filter(order_id="C1").values_list("line_ordinal", flat=True)) == [1, 2]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer: two never wait for each other")
def test_two_rehearsals_over_the_same_shops_do_not_meet(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = shop_folder(inbox.parent.parent, "shopee_bob_my")
    files = [synced(folder, bad(f"A{day}"), *MANY, day=day) for day, folder in enumerate([inbox, other] * 2, start=1)]
    services.correct_many(filters=Filters(), header=AMOUNT, replacement="1", actor=None, sight=EVERYTHING)
    meeting, mine, prepare = threading.Barrier(2), threading.local(), check.prepare

    def prepare_together(*arguments: Any) -> Any:
        if not getattr(mine, "met", False):
            mine.met = True
            meeting.wait(timeout=20)  # each holds the lock of its first shop
        return prepare(*arguments)

    monkeypatch.setattr(check, "prepare", prepare_together)
    given: dict[int, Any] = {}

    def rehearse(at: int, file_ids: list[int]) -> None:
        try:
            given[at] = services.release(filters=Filters(file_ids=file_ids), actor=None, dry_run=True, sight=EVERYTHING)
        finally:
            connection.close()

    pairs = [(0, [files[0].pk, files[3].pk]), (1, [files[1].pk, files[2].pk])]
    threads = [threading.Thread(target=rehearse, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [(told.outcomes, told.reached.refused) for told in given.values()] == [({"inserted": 2}, {})] * 2


def test_a_column_that_some_files_lack_is_counted(file: CatalogFile) -> None:
    row = row_of(file, 2)
    assert (
        services.correct_many(filters=of(row), header="#3", replacement="TN2", actor=None, sight=EVERYTHING).corrected
        == 1
    )
