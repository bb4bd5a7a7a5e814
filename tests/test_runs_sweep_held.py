"""The sweeper waits long for nobody, and nothing that fails in it holds up anything else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskKind, TaskState
from datasync.ingest.load.locks import hold_domain
from datasync.management.base import Exit
from datasync.management.commands.recover_tasks import Command
from datasync.models import CatalogFile, SyncProgressTask
from datasync.runs import cancel, close, finish, services
from datasync.runs.cancel import cancel_task
from datasync.runs.claim import Claim, claim_next
from datasync.runs.pick import pick_task
from datasync.runs.remap import finish as remap_finish
from datasync.runs.sweep import Swept, sweep
from datasync.runs.sweep import items as sweep_items
from datasync.runs.sweep import sessions as sweep_sessions
from tests.runs_support import Bell, bell, make_file
from tests.services import wait_until

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer and no sessions")
SOON = 20.0
"""Seconds within which a thread that waits for nobody has ended, on a machine however busy."""


@pytest.fixture(autouse=True)
def no_broker(bell: Bell) -> None:
    """Turns are only counted."""


class Thread(threading.Thread):
    """Does something with a database connection of its own, and keeps what came of it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self.result: Any = None
        self.start()

    def run(self) -> None:
        """Do it; an error is what came of it too."""
        try:
            self.result = self._act()
        except Exception as error:
            self.result = error
        finally:
            connection.close()

    def came(self) -> Any:
        """What came of it, soon."""
        self.join(SOON)
        assert not self.is_alive(), "it still waits"
        return self.result


@contextmanager
def standing_still(enter: Callable[[], AbstractContextManager[None]], act: Callable[[], Any]) -> Iterator[Thread]:
    """Somebody does something in a transaction and then stands still in it, until the block is left."""
    reached, go_on = threading.Event(), threading.Event()

    def stand() -> None:
        with enter():
            act()
            reached.set()
            go_on.wait(120)

    thread = Thread(stand)
    try:
        assert reached.wait(SOON), thread.result
        yield thread
    finally:
        go_on.set()
        thread.join(SOON)


def _task(files: int = 1, **terms: Any) -> SyncProgressTask:
    return services.submit_by_ids(
        file_ids=[make_file().pk for _ in range(files)], owner=None, **terms, sight=EVERYTHING
    ).task


def _expired(task: SyncProgressTask, *, seconds: float = 1) -> Claim:
    """A worker takes a file of the task, and is silent for longer than its lease."""
    claim = claim_next(task.pk)
    assert claim is not None
    task.items.filter(pk=claim.item_id).update(lease_until=Now() - timedelta(seconds=seconds))
    return claim


def _state(claim: Claim) -> str:
    return str(CatalogFile.objects.values_list("items__state", flat=True).get(items=claim.item_id))


def test_a_file_that_cannot_be_dealt_with_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = _expired(_task(), seconds=5), _expired(_task())
    put_back = finish.put_back

    def broken(claim: Claim, **options: Any) -> bool:
        if claim.item_id == bad.item_id:
            raise ZeroDivisionError
        return put_back(claim, **options)

    monkeypatch.setattr(finish, "put_back", broken)
    assert sweep() == Swept(freed=1, turns=1, failed=1)
    assert (_state(bad), _state(good)) == (ItemState.PROCESSING, ItemState.QUEUED)


def test_a_step_that_is_not_allowed_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*, dry_run: bool) -> int:
        raise ProgrammingError("permission denied to terminate process")

    monkeypatch.setattr(sweep_sessions, "end_stale", forbidden)
    _expired(_task())
    assert sweep() == Swept(freed=1, turns=1, failed=1)


def test_the_command_says_what_is_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def away(*, dry_run: bool) -> int:
        raise OperationalError("the database is away")

    monkeypatch.setattr(sweep_sessions, "end_stale", away)
    command = Command()
    call_command(command)
    assert command.exit_code == Exit.UNAVAILABLE
    assert "left to the next sweep" in capsys.readouterr().out


@on_postgresql
@pytest.mark.parametrize("cancelled", [True, False])
def test_a_load_of_the_domain_holds_up_no_sweep(cancelled: bool) -> None:
    """The file of a remap is ended under the lock that keeps loads out, and a load may last for minutes."""
    remapped = _task()
    task = SyncProgressTask.objects.filter(pk=remapped.pk)
    task.update(kind=TaskKind.REMAP, options={"template_id": 1})
    if cancelled:
        task.update(cancel_requested_at=Now(), state=TaskState.CANCELLING)
    held = _expired(remapped, seconds=5)
    remapped.items.update(crashes=1)
    other = _expired(_task())
    file = CatalogFile.objects.get(pk=held.file_id)
    load = partial(hold_domain, str(file.platform_id), file.domain, wait=True)
    with standing_still(transaction.atomic, load):
        assert Thread(sweep).came() == Swept(freed=1, turns=1, failed=1)
        assert (_state(held), _state(other)) == (ItemState.PROCESSING, ItemState.QUEUED)
    assert _state(held) == ItemState.PROCESSING
    ended = sweep()
    assert (ended.stopped, ended.given_up) == ((1, 0) if cancelled else (0, 1))


@on_postgresql
@pytest.mark.parametrize("room", [finish, remap_finish], ids=["sync", "remap"])
def test_who_stands_still_while_the_end_of_a_file_is_recorded_is_ended(room: Any) -> None:
    """Whatever it holds by then: its session bears the name of the attempt."""
    task = _task()
    claim = _expired(task)
    with standing_still(partial(room.transaction_of, claim), partial(finish.is_cancelled, claim)) as frozen:
        swept = Thread(sweep).came()
        assert swept.sessions == 1
        wait_until(lambda: sweep().anything or _state(claim) == ItemState.QUEUED, seconds=SOON, what="the file")
    assert isinstance(frozen.result, Exception)
    assert _state(claim) == ItemState.QUEUED


def _names_at_the_file(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What sessions are called when they come to hold a file, one after the other."""
    names: list[str] = []
    hold = finish.hold_file

    def seen(claim: Claim) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW application_name")
            names.append(cursor.fetchone()[0])
        hold(claim)

    monkeypatch.setattr(finish, "hold_file", seen)
    return names


@on_postgresql
@pytest.mark.parametrize(
    ("end", "options"),
    [
        ("fail", {"error": {}, "seconds": 0}),
        ("cancel", {"seconds": 0}),
        ("put_back", {"error": {}, "seconds_until_next": 0}),
    ],
)
def test_every_end_of_a_file_bears_the_name(end: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    task = _task()
    claim = claim_next(task.pk)
    assert claim is not None
    names = _names_at_the_file(monkeypatch)
    assert getattr(finish, end)(claim, **options)
    assert names == [claim.mark]


@on_postgresql
def test_the_sweeper_does_not_pass_for_the_worker_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another sweeper would end it."""
    names = _names_at_the_file(monkeypatch)
    claim = _expired(_task())
    assert sweep().freed == 1
    assert len(names) == 1
    assert claim.mark not in names


@on_postgresql
def test_a_file_that_somebody_holds_is_left_to_the_next_sweep() -> None:
    claim, other = _expired(_task(), seconds=5), _expired(_task())
    with standing_still(transaction.atomic, partial(finish.hold_file, claim)):
        assert Thread(sweep).came() == Swept(freed=1, turns=1)
        assert (_state(claim), _state(other)) == (ItemState.PROCESSING, ItemState.QUEUED)
    assert sweep().freed == 1


@on_postgresql
def test_a_late_worker_and_the_sweeper_take_the_file_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither becomes the victim of a deadlock: the worker has the file, and the sweeper does not touch its item."""
    claim = _expired(_task())
    swept: list[Thread] = []
    hold = finish.hold_file

    def meanwhile(claim: Claim) -> None:
        hold(claim)
        if not swept:
            swept.append(Thread(sweep_items_only))
            swept[0].came()

    def sweep_items_only() -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(sweep_sessions, "end_stale", lambda *, dry_run: 0)
            return sweep()

    monkeypatch.setattr(finish, "hold_file", meanwhile)
    assert finish.fail(claim, error={"code": "X"}, seconds=1)
    assert (swept[0].result.freed, swept[0].result.failed, _state(claim)) == (0, 0, ItemState.FAILED)


@on_postgresql
def test_a_submit_and_the_sweep_of_the_deadline_take_the_files_first(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [make_file().pk for _ in range(2)]
    task = services.submit_by_ids(file_ids=files, owner=None, sight=EVERYTHING).task
    SyncProgressTask.objects.filter(pk=task.pk).update(deadline_at=Now() - timedelta(seconds=1))
    hand_back, submits = finish.hand_back, []

    def meanwhile(items: Any) -> None:
        submits.append(Thread(partial(services.submit_by_ids, file_ids=files, owner=None, sight=EVERYTHING)))
        wait_until(_somebody_waits, seconds=SOON, what="the submit to wait")
        hand_back(items)

    monkeypatch.setattr(finish, "hand_back", meanwhile)
    assert Thread(sweep_items.end_not_started).came() == 2
    submitted = submits[0].came()
    assert isinstance(submitted, services.Submission), submitted
    assert submitted.task.total_files == 2
    assert set(CatalogFile.objects.values_list("state", flat=True)) == {FileState.QUEUED}


@on_postgresql
def test_a_task_whose_row_is_held_is_passed_over() -> None:
    urgent, other = _task(priority=10), _task(priority=1)
    hold = partial(_hold_task, urgent)
    with standing_still(transaction.atomic, hold):
        picked = Thread(pick_task).came()
        assert picked.pk == other.pk
        SyncProgressTask.objects.filter(pk=other.pk).update(cancel_requested_at=Now())
        alone = Thread(pick_task).came()
        assert (alone.pk, alone.served_at) == (urgent.pk, None)


@on_postgresql
@pytest.mark.parametrize("room", [finish, remap_finish], ids=["sync", "remap"])
def test_nobody_waits_for_a_file_who_holds_its_task(room: Any) -> None:
    task = _task()
    claim = claim_next(task.pk)
    assert claim is not None
    with standing_still(transaction.atomic, partial(finish.hold_file, claim)):
        waits = Thread(partial(room.put_back, claim, error={}, seconds_until_next=0))
        wait_until(_somebody_waits, seconds=SOON, what="the file to be waited for")
        assert Thread(partial(_change_task, task)).came() is None
    assert waits.came() is True


@on_postgresql
@pytest.mark.parametrize("where", ["cancel", "close"])
def test_who_stands_still_without_a_lease_is_ended_by_the_server(
    where: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else could: what ends such a transaction is a time-out of its own."""
    settings.LEASE_SECONDS = 1.0
    task = _task()
    if where == "close":
        task.items.update(state=ItemState.FAILED, error={"code": "X", "message": "", "recovery": ""})
    go_on, reached = threading.Event(), threading.Event()

    def still(*_: Any) -> Any:
        reached.set()
        go_on.wait(120)

    room, name = (cancel, "_stop") if where == "cancel" else (close, "store_closed")
    with monkeypatch.context() as patched:
        patched.setattr(room, name, still)
        frozen = Thread(partial(cancel_task if where == "cancel" else close.close_if_done, task))
        assert reached.wait(SOON)
    try:
        assert Thread(partial(_change_task, task)).came() is None
    finally:
        go_on.set()
    assert isinstance(frozen.came(), Exception)


def _change_task(task: SyncProgressTask) -> None:
    with transaction.atomic():
        _hold_task(task)


def _hold_task(task: SyncProgressTask) -> None:
    SyncProgressTask.objects.select_for_update(no_key=True).get(pk=task.pk)


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_turns_are_not_given_where_none_can_be_taken(bell: Bell, settings: Any) -> None:
    settings.BATCH_WINDOW = 2
    full, late = _task(3), _task()
    for _ in range(2):
        assert claim_next(full.pk)
    SyncProgressTask.objects.filter(pk=late.pk).update(cancel_requested_at=Now())
    bell.rung.clear()
    assert (sweep().turns, bell.rung) == (0, [])


def test_a_defect_at_the_close_takes_no_turns_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, other = _task(priority=10), _task()
    broken.items.update(state=ItemState.COMPLETED)

    def defect(**_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(close, "final_state", defect)
        with pytest.raises(ZeroDivisionError):
            close.close_if_done(broken)
        assert sweep().failed == 0  # for a minute nobody tries
    picked = pick_task()
    assert picked is not None
    assert picked.pk == other.pk
    SyncProgressTask.objects.filter(pk=broken.pk).update(closing_at=Now() - timedelta(seconds=61))
    assert sweep().closed == 1
