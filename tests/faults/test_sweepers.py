"""G14: any number of sweepers at once do each thing once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs import services
from datasync.runs.claim import claim_next
from datasync.runs.sweep import Swept, sweep
from tests.runs_support import Bell, bell, make_file

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
SWEEPERS, FILES = 6, 8


def test_g14_each_file_is_freed_once(bell: Bell) -> None:
    task = services.submit_by_ids(file_ids=[make_file().pk for _ in range(FILES)], owner=None).task
    for _ in range(FILES):
        assert claim_next(task.pk)
    task.items.update(lease_until=Now() - timedelta(seconds=1))
    swept: list[Swept] = []
    together = threading.Barrier(SWEEPERS)

    def run() -> None:
        try:
            together.wait()
            swept.append(sweep())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(SWEEPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(swept) == SWEEPERS
    assert sum(one.freed for one in swept) == FILES
    assert set(SyncTaskFile.objects.values_list("state", "crashes")) == {(ItemState.QUEUED, 1)}
