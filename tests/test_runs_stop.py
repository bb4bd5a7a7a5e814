"""A process that is told to stop says so to all that works in it, after a while in which files may still end."""

from __future__ import annotations

import mmap

import pytest
from celery.signals import worker_shutting_down

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.runs import services, turns, worker
from datasync.runs.turns import take_local_turn
from datasync.runs.worker import must_stop
from erp.stopping import stopping
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]


def test_files_in_hand_have_a_while_once_the_worker_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_told", mmap.mmap(-1, 8))
    with monkeypatch.context() as at_once:
        at_once.setattr(worker, "STOP_SECONDS", 0.0)
        assert not must_stop()
        worker_shutting_down.send(sender="worker@host", sig="SIGTERM", how="Warm", exitcode=0)
        assert must_stop()
    assert not must_stop()


def test_a_web_process_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "is_set", lambda: True)
    assert must_stop()


@pytest.mark.django_db(transaction=True)
def test_a_web_process_that_is_about_to_end_takes_no_file(
    bell: Bell, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = services.submit_by_ids(file_ids=[make_file().pk], owner=None, sight=EVERYTHING).task
    with monkeypatch.context() as ending:
        ending.setattr(turns, "must_stop", lambda: True)
        assert not take_local_turn()
    assert task.items.get().state == ItemState.QUEUED
    take_local_turn()
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED
