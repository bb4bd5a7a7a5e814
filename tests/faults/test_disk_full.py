"""G12: a full disk is told, leaves nothing half-written, is tried again, and ends right once there is room."""

from __future__ import annotations

import math
import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState
from datasync.models import CatalogFile, OrderLine, SyncProgressTask, SyncTaskFile
from datasync.runs import services
from datasync.runs.again import retry_task
from tests.api import client_of, data_of, error_of, person
from tests.faults.conftest import Start
from tests.faults.disks import Disk, small_disk
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 60_000  # rows: more batches than a load on SQLite keeps in memory
only_postgres = pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="SQLite has no tablespaces")
only_sqlite = pytest.mark.skipif(
    os.environ.get("TEST_DATABASE") == "postgres", reason="loads of PostgreSQL put nothing aside in temporary files"
)


def test_g12_an_upload_for_which_there_is_no_room(start: Start, inbox: Path, settings: Any) -> None:
    trials = Trials("G12", "the disk of uploads is full", quick=2, cost=100)
    files = write_exports(inbox, 1, rows=200)
    (file_id,) = files
    file = CatalogFile.objects.get(pk=file_id)
    export = (inbox / file.storage_name).read_bytes()
    CatalogFile.objects.all().delete()
    client = client_of(person("operator"))
    with small_disk(size="512k") as disk:
        settings.UPLOAD_DIR = disk.folder / "uploads"
        settings.FILE_UPLOAD_TEMP_DIR = str(disk.folder)

        def send(content: bytes) -> Any:
            body = {"file": SimpleUploadedFile(file.original_name, content), "shop_id": "shopee_ana_sg"}
            return client.post("/api/data-sync/files", body, format="multipart")

        for content in (export, export * 100):  # one that is kept in memory on its way, one that is not
            disk.fill()
            error = error_of(send(content), 507)
            assert (error["code"], error["type"]) == ("DISK_FULL", "insufficient_storage")
            assert "Make room" in error["recovery_suggestion"]
            assert [path.name for path in disk.folder.rglob("*") if path.is_file()] == ["ballast"]
            assert not CatalogFile.objects.exists()
        disk.make_room()
        (kept,) = data_of(send(export), 201)
        running = start(UPLOAD_DIR=str(settings.UPLOAD_DIR))
        services.submit_single(file_id=kept["file"]["id"], owner=None, sight=EVERYTHING)
        wait_until(at_rest, seconds=120, what=f"the file; the worker's log is {running.log}")
        assert CatalogFile.objects.get().state == FileState.INGESTED
        running.kill()
    check({kept["file"]["id"]: files[file_id]}, trials)
    trials.tried += 2


@only_sqlite
def test_g12_a_worker_without_room_for_what_it_puts_aside(start: Start, inbox: Path) -> None:
    trials = Trials("G12", "the disk of temporary files is full", cost=math.inf)
    with small_disk(size="64k") as disk:
        running = start(TMPDIR=str(disk.folder))
        _goes_on_once_there_is_room(disk, inbox, rows=MANY, log=running.log, trials=trials)
        assert not list(disk.folder.glob("ingest-*"))
        running.kill()


@contextmanager
def kept_on(disk: Disk, tables: Iterable[str]) -> Iterator[None]:
    """Keep these tables and their indexes, which are empty, on the disk while the context lasts."""
    place = disk.folder / "tables"
    place.mkdir()
    user = pwd.getpwnam(disk.folder.owner())
    os.chown(place, user.pw_uid, user.pw_gid)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLESPACE fault_disk LOCATION '{place}'")
        try:
            _move(tables, to="fault_disk")
            yield
        finally:
            _move(tables, to="pg_default")
            cursor.execute("DROP TABLESPACE fault_disk")


def _move(tables: Iterable[str], *, to: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM FULL {table}")
            cursor.execute(f"ALTER TABLE {table} SET TABLESPACE {to}")
            cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = %s", [table])
            for (index,) in cursor.fetchall():
                cursor.execute(f"ALTER INDEX {index} SET TABLESPACE {to}")


@pytest.fixture
def disk_of_postgres(transactional_db: None) -> Iterator[Disk]:
    """A disk of the user whom PostgreSQL runs as."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    with small_disk(size="4m", owner="postgres" if "postgres" in names else "nobody") as disk:
        yield disk


@only_postgres
def test_g12_a_load_for_which_the_database_has_no_room(start: Start, inbox: Path, disk_of_postgres: Disk) -> None:
    trials = Trials("G12", "the disk of the database is full in a load", cost=math.inf)
    disk = disk_of_postgres
    with kept_on(disk, [OrderLine._meta.db_table]):
        running = start()
        disk.fill()
        _goes_on_once_there_is_room(disk, inbox, rows=5_000, log=running.log, trials=trials)
        running.kill()


@only_postgres
def test_g12_a_submit_for_which_the_database_has_no_room(start: Start, inbox: Path, disk_of_postgres: Disk) -> None:
    trials = Trials("G12", "the disk of the database is full in a submit", cost=math.inf)
    disk = disk_of_postgres
    expected = write_exports(inbox, 3, rows=20)
    client = client_of(person("operator"))
    with kept_on(disk, [SyncTaskFile._meta.db_table]):
        disk.fill()
        body = {"file_ids": list(expected)}
        error = error_of(client.post("/api/data-sync/batch-by-ids", body, format="json"), 507)
        assert error["code"] == "DISK_FULL"
        assert not SyncProgressTask.objects.exists()
        assert not CatalogFile.objects.exclude(state=FileState.PENDING).exists()
        disk.make_room()
        given = data_of(client.post("/api/data-sync/batch-by-ids", body, format="json"), 202)
        assert given["total_files"] == len(expected)
        running = start(processes=2)
        wait_until(at_rest, seconds=120, what=f"the files; the worker's log is {running.log}")
        running.kill()
        check(expected, trials)
        trials.tried += 1


def _goes_on_once_there_is_room(disk: Disk, inbox: Path, *, rows: int, log: Path, trials: Trials) -> None:
    """A file in work is put back, has written nothing, and is done once there is room; one given up by a retry."""
    expected = write_exports(inbox, 1, rows=rows)
    (file_id,) = expected
    task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
    tried = SyncTaskFile.objects.filter(task=task, error__code="DISK_FULL")
    wait_until(tried.exists, seconds=120, what=f"the file to find the disk full; see {log}")
    assert not OrderLine.objects.exists()
    disk.make_room()
    wait_until(at_rest, seconds=120, what=f"the file; the worker's log is {log}")
    item = task.items.get()
    assert (item.attempt > 1, item.crashes) == (True, 0)
    if item.state == ItemState.FAILED:  # the machine was too busy to make room within seven seconds
        assert (item.error["code"], item.attempt) == ("DISK_FULL", 4)
        retry_task(task, sight=EVERYTHING)
        wait_until(at_rest, seconds=120, what=f"the retry; the worker's log is {log}")
    assert OrderLine.objects.count() == rows
    check(expected, trials)
    trials.tried += 1
