"""Two people, or a person and a sync, at the same row at once: one of them gets it, never both and never neither."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState, TaskState
from datasync.exceptions import FileBusy, RowNotFound
from datasync.models import CatalogFile, OrderLine
from datasync.quarantine import services
from datasync.runs import services as runs
from datasync.runs.turns import take_turn
from tests.quarantine_files import AMOUNT, bad, facts, inbox, line, of, row_of, synced
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
ROUNDS = 5


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act gives, or the expected error it raises; each has a thread and a connection of its own."""
    ready = threading.Barrier(len(acts))
    given: list[Any] = [None] * len(acts)

    def run(at: int, act: Callable[[], Any]) -> None:
        try:
            ready.wait(timeout=20)
            given[at] = act()
        except Exception as error:
            given[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return given


@pytest.fixture
def file(inbox: Path) -> CatalogFile:
    """A file with one corrected row in quarantine."""
    made = synced(inbox, line("A1"), bad("A2"))
    services.correct(row_id=row_of(made, 3).pk, given={AMOUNT: "12.50"}, actor=None, sight=EVERYTHING)
    return made


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_releases_load_a_row_once(file: CatalogFile, _round: int) -> None:
    filters = of(row_of(file, 3))
    given = at_once(*[lambda: services.release(filters=filters, actor=None, sight=EVERYTHING)] * 2)
    assert sorted(one.released for one in given) == [0, 1]
    assert sorted(one.reached.decided for one in given) == [0, 1]
    assert OrderLine.objects.filter(order_id="A2").count() == 1
    file.refresh_from_db()
    assert (file.rows["inserted"], file.rows["quarantined"]) == (2, 0)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_row_is_released_or_discarded_never_both(file: CatalogFile, _round: int) -> None:
    row = row_of(file, 3)
    released, discarded = at_once(
        lambda: services.release(filters=of(row), actor=None, sight=EVERYTHING),
        lambda: services.discard(filters=of(row), note="broken", actor=None, sight=EVERYTHING),
    )
    assert released.released + discarded.discarded == 1
    row.refresh_from_db()
    loaded = OrderLine.objects.filter(order_id="A2").count()
    assert (row.state, loaded) == (
        (QuarantineState.RELEASED, 1) if released.released else (QuarantineState.DISCARDED, 0)
    )


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_release_and_a_sync_of_the_same_file(file: CatalogFile, _round: int) -> None:
    """The sync either comes first, and the release is refused, or finds the released row and leaves it alone."""
    row = row_of(file, 3)

    def sync() -> Any:
        task = runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
        take_turn()
        task.refresh_from_db()
        return task

    released, task = at_once(lambda: services.release(filters=of(row), actor=None, sight=EVERYTHING), sync)
    assert task.state in {TaskState.COMPLETED, TaskState.PARTIAL}, task.errors
    file.refresh_from_db()
    loaded = facts("order_id", "unit_price", order_id="A2")
    if isinstance(released, FileBusy | RowNotFound):
        assert loaded == []
        assert (file.rows["quarantined"], row_of(file, 3).corrected) == (1, {"8": "12.50"})
    else:
        assert len(loaded) == 1
        assert (file.rows["quarantined"], row_of(file, 3).state) == (0, QuarantineState.RELEASED)
    assert file.quarantined.filter(sheet_row=3).count() == 1


def test_nothing_is_decided_while_a_sync_is_at_work(file: CatalogFile) -> None:
    row = row_of(file, 3)
    task = runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    for act in (
        lambda: services.release(filters=of(row), actor=None, sight=EVERYTHING),
        lambda: services.discard(filters=of(row), note="broken", actor=None, sight=EVERYTHING),
        lambda: services.correct(row_id=row.pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING),
        lambda: services.correct_many(filters=of(row), header=AMOUNT, replacement="1", actor=None, sight=EVERYTHING),
    ):
        with pytest.raises(FileBusy, match=task.task_id):
            act()
    assert row_of(file, 3).corrected == {"8": "12.50"}


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer, which waits instead of meeting another"
)
def test_a_release_waits_for_who_holds_the_file(file: CatalogFile) -> None:
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(CatalogFile.objects.select_for_update().filter(pk=file.pk))
                holding.set()
                let_go.wait(timeout=20)
                CatalogFile.objects.filter(pk=file.pk).update(state="queued")
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(timeout=20)
    threading.Timer(0.3, let_go.set).start()
    with pytest.raises(FileBusy):
        services.release(filters=of(row_of(file, 3)), actor=None, sight=EVERYTHING)
    holder.join(timeout=20)
    assert not OrderLine.objects.filter(order_id="A2").exists()
