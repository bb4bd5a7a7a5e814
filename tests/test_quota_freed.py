"""A task gives its place back by ending: worked off, failed or cancelled by the same code as everywhere."""

from __future__ import annotations

import pytest

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.exceptions import EncryptedFile, TooManyActiveTasks
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.cancel import cancel_task
from datasync.runs.claim import claim_next
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from ratelimits.quotas.selectors import standing_of
from tests.quotas import limit
from tests.runs_support import Bell, Ingest, bell, ingest, make_file, make_user

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_work_that_succeeds_or_fails(bell: Bell, ingest: Ingest) -> None:
    ana = make_user()
    limit(ana, max_active_tasks=2)
    good, bad = make_file(), make_file()
    ingest.ends[bad.pk] = EncryptedFile()
    tasks = [services.submit_single(file_id=file.pk, owner=ana, sight=EVERYTHING) for file in (good, bad)]
    with pytest.raises(TooManyActiveTasks):
        services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)

    take_turn()

    states = [SyncProgressTask.objects.get(pk=task.pk).state for task in tasks]
    assert states == [TaskState.COMPLETED, TaskState.FAILED]
    assert (standing_of(ana, sight=EVERYTHING).active, standing_of(ana, sight=EVERYTHING).rows_today) == (0, 10)
    assert all(services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING).pk for _ in range(2))


def test_work_that_is_cancelled_while_it_waits(bell: Bell) -> None:
    ana = make_user()
    limit(ana, max_active_tasks=1)
    for _ in range(3):
        cancel_task(services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING))
    assert standing_of(ana, sight=EVERYTHING).active == 0


def test_a_place_is_kept_until_the_last_file_has_stopped(bell: Bell, ingest: Ingest) -> None:
    ana = make_user()
    limit(ana, max_active_tasks=1)
    task = services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)
    assert claim_next(task.pk)
    cancel_task(task)
    with pytest.raises(TooManyActiveTasks):
        services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING)

    task.items.update(lease_until=task.created_at)  # its worker is lost
    sweep()

    assert task.items.get().state == ItemState.CANCELLED
    assert services.submit_single(file_id=make_file().pk, owner=ana, sight=EVERYTHING).pk
