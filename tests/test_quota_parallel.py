"""However many submits of one person arrive at the same moment, exactly as many are accepted as they may have."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections

from datasync.access import EVERYTHING
from datasync.choices import FileState, TaskState
from datasync.exceptions import QuotaExceeded
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from tests.quotas import limit
from tests.runs_support import Bell, bell, make_file, make_user

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 100
THREADS = 40
"""As many as the database of the tests has connections for, with some to spare."""


def submit_all_at_once(owners: list[User]) -> Counter[tuple[int, str]]:
    """A file for each, submitted by threads that start together; how often each owner was accepted or refused."""
    files = [make_file().pk for _ in owners]
    start = threading.Barrier(THREADS)

    def ask(number: int) -> list[tuple[int, str]]:
        start.wait()
        ends = []
        try:
            for owner, file in list(zip(owners, files, strict=True))[number::THREADS]:
                try:
                    services.submit_single(file_id=file, owner=owner, sight=EVERYTHING)
                    ends.append((owner.pk, "accepted"))
                except QuotaExceeded:
                    ends.append((owner.pk, "refused"))
        finally:
            connections.close_all()
        return ends

    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(end for ends in threads.map(ask, range(THREADS)) for end in ends)


def test_a_hundred_at_once_and_ten_places(bell: Bell) -> None:
    ana = make_user()
    ends = submit_all_at_once([ana] * AT_ONCE)
    assert ends == {(ana.pk, "accepted"): 10, (ana.pk, "refused"): 90}
    assert SyncProgressTask.objects.filter(owner=ana).count() == SyncTaskFile.objects.count() == 10
    assert CatalogFile.objects.filter(state=FileState.QUEUED).count() == 10

    SyncProgressTask.objects.update(state=TaskState.FAILED)
    assert submit_all_at_once([ana] * AT_ONCE) == ends


def test_persons_do_not_take_each_others_places(bell: Bell) -> None:
    ana, bo = make_user(), make_user("bo")
    limit(bo, max_active_tasks=3)
    ends = submit_all_at_once([ana, bo] * (AT_ONCE // 2))
    assert (ends[ana.pk, "accepted"], ends[bo.pk, "accepted"]) == (10, 3)
