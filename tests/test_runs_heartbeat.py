"""The heartbeat: live counters, a longer lease, and the news that the lease is lost; nothing for quick files."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import InterfaceError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.exceptions import FencedOut
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncTaskFile
from datasync.runs import heartbeat as room
from datasync.runs import services
from datasync.runs.claim import Claim, claim_next
from datasync.runs.heartbeat import Heartbeat, Stopped, Watch, beat, heartbeat
from tests.runs_support import Bell, bell, make_file
from tests.services import wait_until

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


def _claimed() -> Claim:
    claim = claim_next(services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING).pk)
    assert claim is not None
    return claim


def _item(claim: Claim) -> SyncTaskFile:
    return SyncTaskFile.objects.select_related("file").get(pk=claim.item_id)


def test_a_beat_shows_how_far_the_file_is(bell: Bell) -> None:
    claim = _claimed()
    watch = Watch(claim)
    watch.report(Counts(read=700))
    watch.report(Counts(read=500, inserted=450))
    beat(watch)
    item = _item(claim)
    assert (item.rows_read, item.rows_inserted, item.file.state) == (700, 450, FileState.PROCESSING)


def test_every_ten_seconds_the_lease_is_extended(bell: Bell) -> None:
    claim = _claimed()
    SyncTaskFile.objects.filter(pk=claim.item_id).update(lease_until=Now())
    watch = Watch(claim)
    beat(watch)
    almost_over = SyncTaskFile.objects.filter(pk=claim.item_id, lease_until__lt=Now() + timedelta(seconds=5))
    assert almost_over.exists()
    watch.extended -= room.EXTEND_SECONDS
    beat(watch)
    assert not almost_over.exists()


def test_a_lost_lease_stops_the_work_at_its_next_report(bell: Bell) -> None:
    claim = _claimed()
    SyncTaskFile.objects.filter(pk=claim.item_id).update(lease_token=uuid.uuid4())
    watch = Watch(claim)
    watch.report(Counts(read=1))
    beat(watch)
    with pytest.raises(FencedOut):
        watch.report(Counts(read=2))
    assert _item(claim).rows_read == 0


def test_the_thread_beats_on_its_own_connection(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.05)
    claim = _claimed()
    with CaptureQueriesContext(connection) as captured, heartbeat().watch(claim) as watch:
        watch.report(Counts(read=42))
        end = time.monotonic() + 5
        while not watch.shown and time.monotonic() < end:
            time.sleep(0.02)
    assert not captured.captured_queries
    assert _item(claim).rows_read == 42
    assert CatalogFile.objects.get(pk=claim.file_id).state == FileState.PROCESSING


def test_a_quick_file_costs_nothing(bell: Bell) -> None:
    claim = _claimed()
    with heartbeat().watch(claim) as watch:
        watch.report(Counts(read=42))
        assert claim.item_id in heartbeat()._by_item
    assert claim.item_id not in heartbeat()._by_item
    assert _item(claim).rows_read == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer")
def test_a_busy_database_costs_the_beat_and_never_the_file(
    bell: Bell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import transaction  # noqa: PLC0415

    caplog.set_level("INFO", logger=room.__name__)
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.05)
    claim = _claimed()
    with heartbeat().watch(claim) as watch:
        with transaction.atomic():
            SyncTaskFile.objects.filter(pk=claim.item_id).update(worker="long load")
            watch.report(Counts(read=7))
            wait_until(lambda: "No heartbeat for item" in caplog.text, seconds=10, what="a beat that finds no way in")
        assert not watch.lost
        wait_until(lambda: _item(claim).rows_read == 7, seconds=5, what="the next beat")


@pytest.mark.parametrize(
    "error", [InterfaceError("cursor already closed"), RuntimeError("a defect"), OSError("a child")]
)
def test_whatever_a_beat_raises_the_next_one_comes(
    bell: Bell, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.05)
    raised: list[Watch] = []
    real, claims = room.beat, (_claimed(), _claimed())

    def fails_at_first(watch: Watch) -> None:
        if watch.claim is claims[0] and len(raised) < 2:
            raised.append(watch)
            raise error
        real(watch)

    monkeypatch.setattr(room, "beat", fails_at_first)
    beating = Heartbeat()
    with beating.watch(claims[0]) as first, beating.watch(claims[1]) as second:
        wait_until(lambda: second.shown, seconds=10, what="a beat for the other file")
        wait_until(lambda: first.shown, seconds=10, what="the beat after those that failed")
    assert len(raised) == 2


def test_a_late_beat_leaves_the_next_file_alone(bell: Bell) -> None:
    """Whoever is through with a file goes on with another, perhaps while a beat still looks at the first."""
    calls: list[str] = []
    with heartbeat().watch(_claimed()) as watch:
        watch.on_stop(lambda: calls.append("interrupted"))
    watch.interrupt()
    assert calls == []


def test_nobody_goes_on_to_the_next_file_while_this_one_is_interrupted(bell: Bell) -> None:
    inside, go_on, left = threading.Event(), threading.Event(), threading.Event()
    watch = Watch(_claimed())

    def interrupt() -> None:
        inside.set()
        assert go_on.wait(20)

    def leave() -> None:
        watch.leave()
        left.set()

    watch.on_stop(interrupt)
    threads = [threading.Thread(target=watch.interrupt), threading.Thread(target=leave)]
    threads[0].start()
    assert inside.wait(20)
    threads[1].start()
    assert not left.wait(0.2)
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert left.is_set()


def test_a_process_that_must_stop_lets_go_of_its_file(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.05)
    claim, interrupted = _claimed(), threading.Event()

    def work() -> None:
        with heartbeat().watch(claim) as watch:
            watch.on_stop(interrupted.set)
            watch.check()
            monkeypatch.setattr(room, "must_stop", lambda: True)
            assert interrupted.wait(20)
            raise RuntimeError("the reader was ended")

    with pytest.raises(Stopped):
        work()
