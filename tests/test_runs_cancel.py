"""Cancelling: prompt, final, and the truth about what was finished; a file is imported or cancelled, never both."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from celery import current_app, states
from django.db import connection, transaction
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, TaskState
from datasync.exceptions import FencedOut, ReaderCrashed, TaskFinished, TransientError
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import finish, services
from datasync.runs.cancel import Cancellation, cancel_task
from datasync.runs.claim import Claim, claim_next, name_session
from datasync.runs.heartbeat import Watch, beat
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn, work_on
from tests.runs_support import Bell, Ingest, bell, ingest, make_file
from tests.services import wait_until

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)
RACES = 200
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer and no sessions")


def _task(*states: str) -> SyncProgressTask:
    """A task over new files, which had these states before."""
    files = [make_file(state=state).pk for state in states or (FileState.PENDING,)]
    return services.submit_by_ids(file_ids=files, owner=None, sight=EVERYTHING).task


def _claimed(task: SyncProgressTask) -> Claim:
    claim = claim_next(task.pk)
    assert claim is not None
    return claim


def _numbers(cancelled: Cancellation) -> tuple[int, int, int]:
    return cancelled.stopped.files, cancelled.finished.files, cancelled.stopping.files


def _succeed(claim: Claim) -> None:
    """What a load does: its rows, here a mark, and the end of its books in one transaction."""
    with transaction.atomic():
        CatalogFile.objects.filter(pk=claim.file_id).update(account="loaded")
        counts = Counts(read=3, inserted=3)
        finish.succeed(claim, counts=counts, measures={}, template_id=None, warnings=(), seconds=0.1)


def test_what_waits_is_stopped_at_once_and_is_as_it_was(bell: Bell) -> None:
    task = _task(FileState.PENDING, FileState.INGESTED)
    cancelled = cancel_task(task)
    assert (cancelled.task.state, _numbers(cancelled)) == (TaskState.CANCELLED, (2, 0, 0))
    assert (cancelled.task.finished_at is None, cancelled.task.get_deferred_fields()) == (False, set())
    assert set(task.items.values_list("state", flat=True)) == {ItemState.CANCELLED}
    assert sorted(CatalogFile.objects.values_list("state", flat=True)) == [FileState.INGESTED, FileState.PENDING]
    assert cancelled.stopped.file_ids == tuple(task.items.order_by("position").values_list("file_id", flat=True))
    task.refresh_from_db()
    assert (task.skipped_files, task.total_files, task.rows_read) == (2, 2, 0)
    assert claim_next(task.pk) is None


def test_what_is_finished_stays_and_is_said(bell: Bell, ingest: Ingest) -> None:
    task = _task(*[FileState.PENDING] * 3)
    _succeed(_claimed(task))
    cancelled = cancel_task(task)
    assert _numbers(cancelled) == (2, 1, 0)
    task.refresh_from_db()
    assert (task.state, task.succeeded_files, task.skipped_files, task.rows_read) == (TaskState.CANCELLED, 1, 2, 3)
    assert CatalogFile.objects.get(pk=cancelled.finished.file_ids[0]).state == FileState.INGESTED


def test_programs_that_ask_celery_are_told_too(bell: Bell) -> None:
    task = _task()
    cancel_task(task)
    result = current_app.AsyncResult(task.celery_task_id)
    assert str(result.state) == states.REVOKED
    assert "0 of 1 files synced, 1 stopped or skipped" in str(result.result)


def test_a_file_in_hand_is_stopping_until_its_worker_has_let_go(bell: Bell, ingest: Ingest) -> None:
    task = _task(FileState.PENDING, FileState.PENDING)
    seen: list[Cancellation] = []
    ingest.meanwhile = lambda _: seen.append(cancel_task(task))
    take_turn()
    task.refresh_from_db()
    assert (seen[0].task.state, _numbers(seen[0])) == (TaskState.CANCELLING, (1, 0, 1))
    assert (task.state, task.skipped_files, task.rows_read) == (TaskState.CANCELLED, 2, 0)
    assert not CatalogFile.objects.filter(account="loaded").exists()
    assert set(CatalogFile.objects.values_list("state", flat=True)) == {FileState.PENDING}
    assert set(task.items.values_list("state", "lease_token")) == {(ItemState.CANCELLED, None)}


def test_cancelling_again_says_how_far_it_is(bell: Bell) -> None:
    task = _task(FileState.PENDING, FileState.PENDING)
    claim = _claimed(task)
    first = cancel_task(task)
    asked = first.task.cancel_requested_at
    assert _numbers(cancel_task(task)) == _numbers(first) == (1, 0, 1)
    task.refresh_from_db()
    assert task.cancel_requested_at == asked
    finish.cancel(claim, seconds=1)
    work_on(task, until=0)
    with pytest.raises(TaskFinished):
        cancel_task(task)


def test_a_file_that_another_task_has_taken_since_is_left_to_it(bell: Bell) -> None:
    task = _task(FileState.PENDING, FileState.PENDING)
    _claimed(task)
    stopped = cancel_task(task).stopped.file_ids[0]
    services.submit_single(file_id=stopped, owner=None, sight=EVERYTHING)
    cancel_task(task)
    assert CatalogFile.objects.get(pk=stopped).state == FileState.QUEUED


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_finished_task_cannot_be_cancelled(bell: Bell, ingest: Ingest, end: str) -> None:
    task = _task()
    if end == "failed":
        ingest.ends[task.items.get().file_id] = ReaderCrashed(found="a test")
    take_turn()
    with pytest.raises(TaskFinished, match=end):
        cancel_task(task)
    task.refresh_from_db()
    assert (task.state, task.cancel_requested_at) == (end, None)


def test_a_task_that_only_waits_to_be_closed_is_finished(bell: Bell) -> None:
    task = _task()
    _succeed(_claimed(task))
    with pytest.raises(TaskFinished, match="completed"):
        cancel_task(task)
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED


def test_a_cancel_that_came_too_late_for_every_file_has_cancelled_nothing(bell: Bell) -> None:
    task = _task()
    claim = _claimed(task)
    with transaction.atomic():
        _succeed(claim)
        if connection.vendor == "postgresql":
            thread = threading.Thread(target=_in_thread(lambda: cancel_task(task)))
            thread.start()
            thread.join()
    work_on(task, until=0)
    task.refresh_from_db()
    assert (task.state, task.rows_inserted) == (TaskState.COMPLETED, 3)


def test_a_file_that_is_to_be_tried_again_is_not_once_it_is_cancelled(bell: Bell, ingest: Ingest) -> None:
    task = _task()
    ingest.ends[task.items.get().file_id] = TransientError()
    ingest.meanwhile = lambda _: _cancel(task, 0, after=None)
    take_turn()
    task.refresh_from_db()
    assert (task.state, task.items.get().state) == (TaskState.CANCELLED, ItemState.CANCELLED)


def test_the_file_of_a_dead_worker_is_stopped_by_the_sweeper(bell: Bell) -> None:
    task = _task()
    _claimed(task)
    cancel_task(task)
    task.items.update(lease_until=Now() - timedelta(seconds=1))
    assert sweep().stopped == 1
    task.refresh_from_db()
    assert (task.state, CatalogFile.objects.get().state) == (TaskState.CANCELLED, FileState.PENDING)


def test_who_lost_the_lease_and_waited_for_the_row_writes_nothing(bell: Bell) -> None:
    """The guard is checked on the row as it is once it can be written, not as it was when the statement began."""
    task = _task()
    claim = _claimed(task)
    if connection.vendor != "postgresql":
        task.items.update(lease_token=None, state=ItemState.QUEUED)
        with pytest.raises(FencedOut):
            _succeed(claim)
        return
    failed: list[Exception] = []
    with transaction.atomic():
        task.items.update(lease_token=None, state=ItemState.QUEUED)
        thread = threading.Thread(target=_in_thread(lambda: _succeed(claim), failed))
        thread.start()
        wait_until(_somebody_waits, seconds=10, what="the load to wait for the row")
    thread.join(timeout=20)
    assert [type(error) for error in failed] == [FencedOut]
    assert (task.items.get().state, CatalogFile.objects.get().account) == (ItemState.QUEUED, "")


@pytest.mark.parametrize("waiting", ["reader", "lock"])
def test_who_waits_is_let_go_within_seconds(bell: Bell, ingest: Ingest, waiting: str) -> None:
    """Neither a reader at work on a large file nor the lock of another file's load puts a cancel off."""
    if waiting == "lock" and connection.vendor != "postgresql":
        pytest.skip("SQLite prepares before it takes its one lock")
    task, let_go, reached = _task(), threading.Event(), threading.Event()

    def wait(item: SyncTaskFile) -> None:
        reached.set()
        if waiting == "reader":
            assert let_go.wait(timeout=30)
            raise ReaderCrashed(found="ended on purpose")
        with transaction.atomic():
            name_session(Claim.of(item))
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(30)")

    ingest.meanwhile, ingest.interrupt = wait, let_go.set
    worker = threading.Thread(target=_in_thread(take_turn))
    worker.start()
    assert reached.wait(timeout=20)
    began = time.monotonic()
    cancel_task(task)
    worker.join(timeout=30)
    assert time.monotonic() - began < 5
    task.refresh_from_db()
    assert (task.state, task.items.get().state) == (TaskState.CANCELLED, ItemState.CANCELLED)


def test_a_beat_brings_the_news_and_ends_the_wait(bell: Bell) -> None:
    task = _task()
    watch, calls = Watch(_claimed(task)), []
    watch.on_stop(lambda: calls.append("interrupted"))
    beat(watch)
    assert (watch.cancelled, calls) == (False, [])
    cancel_task(task)
    beat(watch)
    assert (watch.cancelled, calls) == (True, ["interrupted"])


@on_postgresql
def test_races(bell: Bell, ingest: Ingest) -> None:
    """Whoever comes first, and by however little: imported and completed, or cancelled with nothing."""
    chance, ends, closing = random.Random(4), Counter[str](), threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        for turn in range(RACES):
            task = _task(FileState.PENDING, FileState.PENDING)
            together, in_hand = threading.Barrier(2), threading.Event()
            ingest.meanwhile = partial(_say, in_hand)
            cancelling = partial(_cancel, task, chance.uniform(0, 0.03), after=in_hand if turn % 2 else None)
            working = partial(_work, chance.uniform(0, 0.01))
            for act in [threads.submit(_at_once, together, one) for one in (cancelling, working)]:
                act.result(timeout=60)
            ends.update(_ended(task))
        for act in [threads.submit(_at_once, closing, _leave) for _ in range(2)]:
            act.result(timeout=20)
    assert set(ends) == {"imported", "cancelled"}
    assert min(ends.values()) > RACES / 10, ends


def _at_once(together: threading.Barrier, act: Callable[[], None]) -> None:
    together.wait(timeout=20)
    act()


def _leave() -> None:
    connection.close()  # the calling thread's own


def _say(in_hand: threading.Event, _: SyncTaskFile) -> None:
    in_hand.set()


def _cancel(task: SyncProgressTask, pause: float, *, after: threading.Event | None) -> None:
    """Cancel about when the first file is claimed, or about when one that is in hand ends."""
    if after is not None:
        assert after.wait(timeout=20)
    time.sleep(pause)
    with suppress(TaskFinished):
        cancel_task(task)


def _work(pause: float) -> None:
    time.sleep(pause)
    take_turn()


def _ended(task: SyncProgressTask) -> list[str]:
    """How the files of the task ended, after the books of the task were checked."""
    work_on(SyncProgressTask.objects.get(pk=task.pk), until=0)
    task.refresh_from_db()
    ended = [_end_of(item) for item in task.items.select_related("file")]
    stopped = ended.count("cancelled")
    assert task.state == (TaskState.CANCELLED if stopped else TaskState.COMPLETED)
    assert (task.succeeded_files, task.skipped_files) == (2 - stopped, stopped)
    assert task.rows_inserted == 10 * task.succeeded_files
    return ended


def _end_of(item: SyncTaskFile) -> str:
    loaded = item.file.account == "loaded"
    if (item.state, item.file.state, loaded) == (ItemState.COMPLETED, FileState.INGESTED, True):
        return "imported"
    if (item.state, item.file.state, loaded, item.rows_read) == (ItemState.CANCELLED, FileState.PENDING, False, 0):
        return "cancelled"
    return f"{item.state}, {item.file.state}, loaded: {loaded}"


def _in_thread(act: Callable[[], Any], failed: list[Exception] | None = None) -> Callable[[], None]:
    """The act with a connection of its own, its error kept."""

    def run() -> None:
        try:
            act()
        except Exception as error:
            if failed is None:
                raise
            failed.append(error)
        finally:
            connection.close()

    return run


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction the view stands still
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])
