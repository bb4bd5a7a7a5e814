"""Deleting beside submits and loads: a file is queued or deleted, never both; rows never go under a load's feet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from datasync.access import EVERYTHING
from datasync.catalog import removal
from datasync.catalog.deletion import delete_file
from datasync.catalog.services import scan
from datasync.choices import FileState, ItemState, RowsFate
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound
from datasync.ingest.load.locks import lock_number
from datasync.models import CatalogFile, OrderLine, SyncTaskFile
from datasync.runs.services import submit_by_ids
from tests.quarantine_rows import make_file
from tests.runs_support import Bell, bell
from tests.stored_files import file_with_rows

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
postgresql_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="locks of rows and advisory locks")


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run each in a thread of its own, all at once; what each gave or raised."""
    barrier = threading.Barrier(len(works))
    ends: list[Any] = [None] * len(works)

    def run(at: int, work: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            ends[at] = work()
        except (FileBusy, FileNotFound, DataNotFound) as error:
            ends[at] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_a_file_is_queued_or_deleted_never_both(bell: Bell) -> None:
    for number in range(15):
        file = make_file(f"{number}.csv")
        together(
            lambda pk=file.pk: delete_file(file_id=pk, rows=RowsFate.KEEP, actor=None, sight=EVERYTHING),  # type: ignore[misc]
            lambda pk=file.pk: submit_by_ids(file_ids=[pk], owner=None, sight=EVERYTHING),  # type: ignore[misc]
        )
        file.refresh_from_db()
        queued = SyncTaskFile.objects.filter(file=file, state=ItemState.QUEUED).exists()
        assert (file.state, queued) in {(FileState.DELETED, False), (FileState.QUEUED, True)}


def test_two_who_delete_at_once(bell: Bell) -> None:
    file = file_with_rows("a.csv", 20)
    ends = together(*[lambda: delete_file(file_id=file.pk, rows=RowsFate.DELETE, actor=None, sight=EVERYTHING)] * 3)
    assert sum(getattr(end, "removed_rows", 0) for end in ends) == 20
    assert not OrderLine.objects.exists()
    assert file.audit.count() == 1


@postgresql_only
def test_a_request_does_not_wait_for_a_load_and_leaves_the_rows_to_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(removal, "ring_for", rung.append)
    file = file_with_rows("a.csv", 3)
    loading, done = threading.Event(), threading.Event()

    def load() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock_number("shopee", "orders")])
            loading.set()
            done.wait(20)
        connections.close_all()

    loader = threading.Thread(target=load)
    loader.start()
    loading.wait(20)
    try:
        deletion = delete_file(file_id=file.pk, rows=RowsFate.DELETE, actor=None, sight=EVERYTHING)
        assert (deletion.finished, OrderLine.objects.count(), len(rung)) == (False, 3, 1)
        scan(roots=[], sight=EVERYTHING)
        assert (OrderLine.objects.count(), len(rung)) == (3, 2), "nor does a scan"
    finally:
        done.set()
        loader.join()
    assert removal.finish_deletions()
    assert not OrderLine.objects.exists()
    assert CatalogFile.objects.get().removing == ""
