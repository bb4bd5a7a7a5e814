"""Uploads in a bucket: kept there, read as copies that are checked and gone afterwards, on whatever host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasync.access import EVERYTHING
from datasync.at_hand import at_hand, path_of
from datasync.catalog import deletion, services
from datasync.catalog.dry_run import dry_run
from datasync.catalog.preview import preview
from datasync.choices import FileState, ItemState, RowsFate
from datasync.exceptions import EmptyFile, FileChanged, FileMissing, StorageAway
from datasync.models import CatalogFile, OrderLine, SyncTaskFile
from datasync.runs import services as runs
from datasync.runs.turns import take_turn
from tests.bucket_server import BucketServer
from tests.bucket_support import bucket, names_in, server
from tests.runs_support import Bell, bell
from tests.test_runs_whole_way import write_export

__all__ = ["bell", "bucket", "server"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
NAME = "shopee_orders_daily_20260302_100000.csv"
Upload = Callable[..., CatalogFile]


@pytest.fixture
def upload(bucket: Any, tmp_path: Path) -> Upload:
    def uploaded(*, number: int = 1, rows: int = 3) -> CatalogFile:
        content = write_export(tmp_path, number, rows=rows).read_bytes()
        told = services.Description(platform="shopee", shop_id="sg-1")
        return services.store_upload(uploaded=SimpleUploadedFile(NAME, content), description=told, sight=EVERYTHING)

    return uploaded


def copies(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "var").rglob("*") if path.is_file()]


def sync(file: CatalogFile) -> SyncTaskFile:
    task = runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    return SyncTaskFile.objects.get(task=task)


def test_an_upload_is_kept_in_the_bucket_and_nowhere_else(upload: Upload, bucket: Any, tmp_path: Path) -> None:
    file = upload()
    assert (file.state, file.root, names_in(bucket)) == (FileState.PENDING, "uploads", [file.storage_name])
    assert NAME not in file.storage_name
    assert not copies(tmp_path)
    assert not (tmp_path / "none").exists()


def test_it_is_synced_from_a_copy_that_is_gone_afterwards(upload: Upload, bell: Bell, tmp_path: Path) -> None:
    file = upload(rows=5)
    assert sync(file).state == ItemState.COMPLETED
    assert OrderLine.objects.filter(file_last=file).count() == 5
    assert not copies(tmp_path)


def test_the_copy_carries_the_stamp_of_the_catalogue(upload: Upload, tmp_path: Path) -> None:
    file = upload()
    with at_hand(file):
        path = path_of(file)
        with at_hand(file):
            assert path_of(file) == path
        services.verify_unchanged(file, file.content_sha256)
        assert copies(tmp_path) == [path]
    assert not path.exists()


def test_it_is_looked_into_and_rehearsed(upload: Upload) -> None:
    file = upload(rows=2)
    assert len(preview(file)["rows"]) == 2
    assert dry_run(file_id=file.pk, sight=EVERYTHING).counts.inserted == 2


def test_the_same_content_again_is_the_same_row(upload: Upload, bucket: Any) -> None:
    assert upload() == upload()
    assert len(names_in(bucket)) == 1


def test_what_is_refused_is_not_kept(bucket: Any, tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        services.store_upload(uploaded=SimpleUploadedFile(NAME, b""), sight=EVERYTHING)
    assert not names_in(bucket)
    assert not copies(tmp_path)


@pytest.mark.parametrize("added", [b"", b"more", b"x" * 3_000_000], ids=["other", "longer", "much longer"])
def test_other_bytes_under_its_name_are_noticed(
    added: bytes, upload: Upload, bucket: Any, bell: Bell, tmp_path: Path
) -> None:
    file = upload()
    with at_hand(file):
        content = path_of(file).read_bytes()
    bucket.save(file.storage_name, ContentFile(content.replace(b"Ana", b"Eve") + added))
    item = sync(file)
    assert (item.state, item.error["code"]) == (ItemState.FAILED, FileChanged.code)
    assert not OrderLine.objects.exists()
    assert not copies(tmp_path)


def test_what_is_gone_from_the_bucket_is_missing(upload: Upload, bucket: Any, bell: Bell) -> None:
    file = upload()
    bucket.delete(file.storage_name)
    assert sync(file).error["code"] == FileMissing.code
    file.refresh_from_db()
    assert file.state == FileState.SOURCE_MISSING


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "2026/../../../etc/passwd", "..", ""])
def test_a_name_leads_nowhere_else(name: str, upload: Upload) -> None:
    file = upload()
    file.storage_name = name
    with pytest.raises(FileMissing), at_hand(file):
        pass


def test_a_deleted_upload_is_gone_from_the_bucket(upload: Upload, bucket: Any) -> None:
    file = upload()
    deletion.delete_file(file_id=file.pk, rows=RowsFate.KEEP, actor=None, sight=EVERYTHING)
    assert not names_in(bucket)


def test_a_bucket_that_is_away_has_the_file_tried_again(
    upload: Upload, server: BucketServer, settings: Any, bell: Bell, client: Client
) -> None:
    file = upload()
    settings.STORAGES = settings.STORAGES | {"uploads": server.nowhere()}
    item = sync(file)
    assert (item.state, item.attempt) == (ItemState.QUEUED, 1)
    assert item.not_before is not None
    with pytest.raises(StorageAway):
        services.store_upload(uploaded=SimpleUploadedFile("other.csv", b"a,b\n1,2\n"), sight=EVERYTHING)


def test_the_readiness_probe_asks_the_bucket(bucket: Any, server: BucketServer, settings: Any, client: Client) -> None:
    from erp.health.probes import ask_storage  # noqa: PLC0415

    ask_storage()
    assert not names_in(bucket)
    settings.STORAGES = settings.STORAGES | {"uploads": server.nowhere()}
    with pytest.raises(OSError, match="bucket"):
        ask_storage()
