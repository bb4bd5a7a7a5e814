"""A bucket that is away: nobody takes it for one that has lost a file, waits for it long, or forgets what it may have.

A bucket that vanished, or a wrong name of one, is "not found" as a file is.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from datasync.access import EVERYTHING
from datasync.at_hand import at_hand, is_there
from datasync.catalog import services, uploads
from datasync.choices import ItemState, TaskState
from datasync.exceptions import StorageAway
from datasync.models import CatalogFile, SyncTaskFile
from datasync.runs import services as runs
from datasync.runs.cancel import cancel_task
from datasync.runs.turns import take_turn
from erp.health import probes
from erp.storages.bucket import Bucket
from tests.bucket_server import BucketServer
from tests.bucket_support import bucket, names_in, server
from tests.runs_support import Bell, bell
from tests.services import wait_until
from tests.test_runs_whole_way import write_export

__all__ = ["bell", "bucket", "server"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
STALLS = {"before it answers": b"", "in its answer": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc"}


@pytest.fixture
def file(bucket: Any, tmp_path: Path) -> CatalogFile:
    """An upload in the bucket."""
    content = write_export(tmp_path, 1, rows=3).read_bytes()
    told = services.Description(platform="shopee", shop_id="sg-1")
    name = "shopee_orders_daily_20260302_100000.csv"
    return services.store_upload(uploaded=SimpleUploadedFile(name, content), description=told, sight=EVERYTHING)


@contextmanager
def stalled(says: bytes, *, bit_by_bit: bool = False) -> Iterator[int]:
    """The port of a server that takes requests, says this, and then nothing more, or a byte now and then."""
    over = threading.Event()
    lines: list[socket.socket] = []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                lines.append(listening.accept()[0])
            except OSError:
                return
            with suppress(OSError):
                lines[-1].sendall(says)
                while bit_by_bit and not over.wait(0.001):
                    lines[-1].sendall(b"x" * 100)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for line in lines:
                line.close()


def elsewhere(server: BucketServer, settings: Any, **options: Any) -> Any:
    """Uploads are in that bucket from now on."""
    told = server.storage("none-of-that-name")
    settings.STORAGES = settings.STORAGES | {"uploads": told | {"OPTIONS": told["OPTIONS"] | options}}


def test_a_file_of_a_bucket_that_vanished_is_tried_again(
    file: CatalogFile, server: BucketServer, settings: Any, bell: Bell
) -> None:
    elsewhere(server, settings)
    task = runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    item = task.items.get()
    assert (item.state, item.attempt, item.error["code"]) == (ItemState.QUEUED, 1, StorageAway.code)


@pytest.mark.parametrize(
    "asked",
    [
        is_there,
        lambda file: uploads.discard(file.storage_name),
        lambda _file: services.store_upload(uploaded=SimpleUploadedFile("other.csv", b"a,b\n1,2\n"), sight=EVERYTHING),
    ],
    ids=["there", "discard", "upload"],
)
def test_a_bucket_that_vanished_says_nothing_of_its_files(
    asked: Callable[[CatalogFile], Any], file: CatalogFile, server: BucketServer, settings: Any
) -> None:
    elsewhere(server, settings)
    with pytest.raises(StorageAway):
        asked(file)


def test_a_bucket_says_what_it_has_not(file: CatalogFile, bucket: Any) -> None:
    assert (is_there(file), bucket.exists(file.storage_name)) == (True, True)
    uploads.discard(file.storage_name)
    uploads.discard(file.storage_name)
    assert (is_there(file), bucket.exists(file.storage_name)) == (False, False)


@pytest.mark.parametrize("says", STALLS.values(), ids=STALLS)
def test_a_bucket_that_stalls_is_away_within_seconds(
    says: bytes, file: CatalogFile, server: BucketServer, settings: Any
) -> None:
    with stalled(says) as port:
        elsewhere(server, settings, endpoint_url=f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(StorageAway), at_hand(file):
            pass
        assert time.monotonic() - began < 5


def test_who_waits_for_a_slow_bucket_is_asked_whether_to_go_on(
    file: CatalogFile, server: BucketServer, settings: Any
) -> None:
    """It sends some kilobytes a second: too slow for any file, too fast for a time-out."""

    class EnoughError(Exception):
        pass

    def enough() -> None:
        raise EnoughError

    CatalogFile.objects.update(size=10_000_000)
    file.refresh_from_db()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
    with stalled(head, bit_by_bit=True) as port:
        elsewhere(server, settings, endpoint_url=f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(EnoughError), at_hand(file, between=enough):
            pass
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("says", STALLS.values(), ids=STALLS)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file in hand and a cancel write at the same time")
def test_a_cancelled_task_lets_go_of_a_bucket_that_stalls(
    says: bytes, file: CatalogFile, server: BucketServer, settings: Any, bell: Bell
) -> None:
    with stalled(says) as port:
        elsewhere(server, settings, endpoint_url=f"http://127.0.0.1:{port}")
        task = runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
        worker = threading.Thread(target=_work)
        worker.start()
        in_hand = SyncTaskFile.objects.filter(task=task, state=ItemState.PROCESSING)
        wait_until(in_hand.exists, seconds=30, what="the worker to take the file")
        began = time.monotonic()
        cancel_task(task)
        wait_until(lambda: not in_hand.exists(), seconds=60, what="the worker to let go")
        assert time.monotonic() - began < 5
        worker.join(60)
    task.refresh_from_db()
    assert (task.state, task.items.get().state) == (TaskState.CANCELLED, ItemState.CANCELLED)


def _work() -> None:
    try:
        take_turn()
    finally:
        connection.close()


def test_an_upload_whose_answer_is_lost_is_not_left_behind(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    save = Bucket._save

    def lost(storage: Bucket, name: str, content: Any) -> str:
        save(storage, name, content)
        assert names_in(bucket)
        raise OSError(errno.EIO, "The bucket cannot be reached")

    monkeypatch.setattr(Bucket, "_save", lost)
    with pytest.raises(StorageAway):
        services.store_upload(uploaded=SimpleUploadedFile("other.csv", b"a,b\n1,2\n"), sight=EVERYTHING)
    assert not names_in(bucket)


def test_the_web_stays_in_service_without_its_bucket(
    bucket: Any, server: BucketServer, settings: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "REUSED_SECONDS", 0.0)
    settings.STORAGES = settings.STORAGES | {"uploads": server.nowhere()}
    response = client.get("/health/ready")
    body = response.json()
    assert body["checks"]["storage"]["status"] != "ok"
    assert (response.status_code, body["status"]) == (200, "degraded")


def test_a_probe_leaves_at_most_one_object_behind(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bucket, "delete", lambda _storage, _name: None)
    probes.ask_storage()
    probes.ask_storage()
    assert len(names_in(bucket)) == 1
