"""The end of an attempt is recorded, also when the database was away just then: no outage is blamed on the file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import finish, heartbeat, retry, services
from datasync.runs.remap import execute as remap_execute
from datasync.runs.remap import finish as remap_finish
from datasync.runs.retry import insist
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection to lose")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """No pauses, and turns that end after the file in hand."""
    monkeypatch.setattr(retry, "_PAUSE_SECONDS", 0.01)
    settings.SLICE_SECONDS = 0.0


def _task() -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task


def _fails_first(errors: list[Exception]) -> Callable[[], str]:
    def record() -> str:
        if errors:
            raise errors.pop(0)
        return "recorded"

    return record


def test_a_database_that_is_away_is_asked_again() -> None:
    errors: list[Exception] = [OperationalError("starting up"), InterfaceError("connection already closed")] * 3
    assert insist(_fails_first(errors)) == "recorded"


def test_a_defect_is_not() -> None:
    with pytest.raises(ProgrammingError):
        insist(_fails_first([ProgrammingError("no such column")]))


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_PATIENCE_SECONDS", 0.05)
    with pytest.raises(OperationalError):
        insist(_fails_first([OperationalError("starting up")] * 1_000))


def _next_try(task: SyncProgressTask) -> None:
    """As when the lease is over and the pause too, whatever became of the file."""
    task.items.filter(state=ItemState.PROCESSING).update(lease_until=Now() - timedelta(seconds=1))
    sweep()
    task.items.update(not_before=None)


@on_postgresql
def test_connections_lost_between_two_statements_are_not_blamed_on_the_file(bell: Bell, ingest: Ingest) -> None:
    """In autocommit Django keeps the dead connection, and would not get through with what it records."""
    task = _task()
    lost: list[int] = []

    def meanwhile(_item: SyncTaskFile) -> None:
        if len(lost) < 3:
            lost.append(connection.connection.info.backend_pid)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    ingest.meanwhile = meanwhile
    for attempt in (1, 2, 3):
        take_turn()
        item = task.items.get()
        assert (item.state, item.attempt, item.crashes) == (ItemState.QUEUED, attempt, 0)
        assert item.error["code"] == "TEMPORARILY_UNAVAILABLE"
        _next_try(task)
    take_turn()
    task.refresh_from_db()
    assert (len(lost), task.state, task.items.get().attempt) == (3, TaskState.COMPLETED, 4)


@pytest.mark.parametrize("way", ["put_back", "fail", "skip", "cancel", "as_untaken"])
def test_each_end_is_recorded_when_the_database_is_back(
    bell: Bell, ingest: Ingest, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    from datasync.exceptions import Cancelled, EncryptedFile, NoTemplate  # noqa: PLC0415

    ends = {
        "put_back": (OperationalError("deadlock"), ItemState.QUEUED),
        "fail": (EncryptedFile(), ItemState.FAILED),
        "skip": (NoTemplate(), ItemState.SKIPPED),
        "cancel": (Cancelled(), ItemState.CANCELLED),
        "as_untaken": (heartbeat.Stopped(), ItemState.QUEUED),
    }
    task = _task()
    error, state = ends[way]
    ingest.ends = {task.items.get().file_id: error}
    away: list[Exception] = [OperationalError("starting up"), InterfaceError("connection already closed")]
    name = "put_back" if way == "as_untaken" else way
    real = getattr(finish, name)

    def as_soon_as_it_is_back(*values: Any, **named: Any) -> Any:
        if away:
            raise away.pop()
        return real(*values, **named)

    monkeypatch.setattr(finish, name, as_soon_as_it_is_back)
    take_turn()
    item = task.items.get()
    assert (away, item.state, item.lease_token) == ([], state, None)


def test_three_retries_are_left_after_a_crash(bell: Bell, ingest: Ingest) -> None:
    task = _task()
    ingest.ends = {task.items.get().file_id: OperationalError("deadlock")}
    task.items.update(attempt=1, crashes=1)
    for _ in range(3):
        take_turn()
        assert task.items.get().state == ItemState.QUEUED
        _next_try(task)
    take_turn()
    item = task.items.get()
    assert (item.state, item.error["code"], item.error["params"]) == (
        ItemState.FAILED, "STILL_UNAVAILABLE", {"attempts": 4}
    )  # fmt: skip


def test_a_file_put_down_because_its_process_ends_has_not_been_tried(bell: Bell, ingest: Ingest) -> None:
    task = _task()
    ingest.ends = {task.items.get().file_id: heartbeat.Stopped()}
    for _ in range(6):  # as often as something is deployed
        take_turn()
        item = task.items.get()
        assert (item.state, item.attempt, item.crashes, item.error) == (ItemState.QUEUED, 0, 0, {})
    ingest.ends = {}
    take_turn()
    task.refresh_from_db()
    assert (task.state, task.items.get().attempt) == (TaskState.COMPLETED, 1)


def test_a_remap_that_came_further_has_all_its_retries(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries are counted anew with each chunk, also within the attempt that did the chunk."""
    from datasync.ingest.plan import Counts  # noqa: PLC0415
    from datasync.runs.claim import claim_next  # noqa: PLC0415

    task = _task()
    task.items.update(attempt=3)
    claim = claim_next(task.pk)
    assert claim is not None

    def one_chunk_then(*_: Any, **__: Any) -> None:
        remap_finish.checkpoint(claim, last_row=10, counts=Counts(read=10, updated=10))
        raise OperationalError("deadlock")

    monkeypatch.setattr(remap_execute, "_retype", one_chunk_then)
    remap_execute.retype(claim, task)
    item = task.items.get()
    assert (item.state, item.error["code"]) == (ItemState.QUEUED, "TEMPORARILY_UNAVAILABLE")
