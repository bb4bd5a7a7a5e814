"""A dry run and a sync of the same file at the same time: neither waits for the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.catalog.dry_run import DryRun, dry_run
from datasync.catalog.services import catalogue_path
from datasync.ingest.plan import Counts
from datasync.ingest.read import reader
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine
from datasync.runs import finish
from tests.order_exports import NAME, line, run, shop_folder, text
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
PATIENCE = 60


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> CatalogFile:
    """A catalogued export of three lines."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    path = shop_folder(tmp_path) / f"{NAME}.csv"
    path.write_text(text([line("A1"), line("A2"), line("A3")]))
    return catalogue_path(path)


@pytest.fixture
def elsewhere() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Does something in a thread, with a connection and a reader of its own that end with it."""
    with ThreadPoolExecutor(max_workers=1) as executor:

        def submit(work: Callable[[], Any]) -> Future[Any]:
            def whole() -> Any:
                try:
                    return work()
                finally:
                    reader().close()
                    connection.close()

            return executor.submit(whole)

        yield submit


def test_a_dry_run_does_not_wait_for_a_sync(
    file: CatalogFile, elsewhere: Callable[..., Future[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, go_on = threading.Event(), threading.Event()
    succeed = finish.succeed

    def wait_before_the_end(*arguments: Any, **named: Any) -> None:
        loaded.set()
        assert go_on.wait(PATIENCE)
        succeed(*arguments, **named)

    monkeypatch.setattr(finish, "succeed", wait_before_the_end)
    syncing = elsewhere(lambda: run(CatalogFile.objects.get(pk=file.pk)))
    try:
        assert loaded.wait(PATIENCE)
        found = dry_run(file_id=file.pk, sight=EVERYTHING)
        assert (found.counts.inserted, syncing.done()) == (3, False)
    finally:
        go_on.set()
    assert syncing.result(PATIENCE).task.rows_inserted == 3
    assert dry_run(file_id=file.pk, sight=EVERYTHING).counts.unchanged == 3


def test_a_sync_does_not_wait_for_a_dry_run(file: CatalogFile, elsewhere: Callable[..., Future[Any]]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(_counts: Counts) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    def rehearse() -> DryRun:
        return dry_run(file_id=file.pk, on_progress=wait, sight=EVERYTHING)

    rehearsing = elsewhere(rehearse)
    try:
        assert begun.wait(PATIENCE)
        assert run(file).task.rows_inserted == 3
        assert OrderLine.objects.count() == 3
        assert not rehearsing.done()
    finally:
        go_on.set()
    assert rehearsing.result(PATIENCE).counts.inserted == 3  # as it was when it began
