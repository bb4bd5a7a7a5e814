"""Claiming: no file is ever held by two, files go out in order, and only when they are due."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from datasync.access import EVERYTHING
from datasync.choices import ItemState
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.claim import Claim, claim_next
from datasync.runs.worker import worker_name
from tests.runs_support import Bell, bell, make_file

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


def _task(files: int) -> SyncProgressTask:
    return services.submit_by_ids(file_ids=[make_file().pk for _ in range(files)], owner=None, sight=EVERYTHING).task


def test_a_claim_is_a_lease_with_a_token_by_the_clock_of_the_database(bell: Bell) -> None:
    task = _task(1)
    claim = claim_next(task.pk)
    assert claim is not None
    item = task.items.get()
    assert (claim.item_id, claim.file_id, claim.file_sha256) == (item.pk, item.file_id, item.file_sha256)
    assert (item.state, item.lease_token, item.attempt, claim.attempt) == (ItemState.PROCESSING, claim.token, 1, 1)
    assert item.worker == worker_name()
    held = task.items.filter(
        lease_until__gt=Now() + timedelta(seconds=55), lease_until__lt=Now() + timedelta(seconds=65)
    )
    assert held.exists()
    assert task.items.filter(started_at__lte=Now()).exists()


def test_attempts_that_ended_with_their_worker_are_no_tries(bell: Bell) -> None:
    task = _task(1)
    task.items.update(attempt=2, crashes=1)
    claim = claim_next(task.pk)
    assert claim is not None
    assert (claim.attempt, claim.crashes, claim.tries) == (3, 1, 2)
    assert Claim.of(task.items.get()) == claim


def test_files_go_out_in_order_and_end(bell: Bell) -> None:
    task = _task(3)
    claims = [claim_next(task.pk) for _ in range(4)]
    expected = list(task.items.order_by("position").values_list("file_id", flat=True))
    assert [claim and claim.file_id for claim in claims] == [*expected, None]


def test_a_file_that_is_put_off_waits_for_its_time(bell: Bell) -> None:
    task = _task(1)
    task.items.update(not_before=Now() + timedelta(seconds=30))
    assert claim_next(task.pk) is None
    task.items.update(not_before=Now() - timedelta(seconds=1))
    assert claim_next(task.pk) is not None


def test_workers_that_claim_at_once_share_the_files_without_a_double(bell: Bell) -> None:
    task = _task(60)
    taken: list[Claim] = []
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        try:
            while claim := claim_next(task.pk):
                taken.append(claim)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claim.file_id for claim in taken) == sorted(task.items.values_list("file_id", flat=True))
    assert set(task.items.values_list("attempt", flat=True)) == {1}
