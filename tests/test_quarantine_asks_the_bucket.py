"""A release asks a file that lies in a bucket as it asks one in a folder, and nobody waits behind it meanwhile."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from datasync.access import EVERYTHING
from datasync.catalog.services import Description, store_upload
from datasync.choices import QuarantineState
from datasync.exceptions import StorageAway
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import batches, services
from erp.storages.bucket import Bucket
from tests.bucket_server import BucketServer
from tests.bucket_support import bucket, server
from tests.quarantine_files import AMOUNT, HEADER, Filters, bad, facts, of, row_of
from tests.remap_support import Bell, bell, line, sync_again

__all__ = ["bell", "bucket", "server"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services, pytest.mark.usefixtures("bell")]
MANY = [line(f"G{number}") for number in range(40)]
LINE = ("line_ordinal", "sheet_row", "unit_price")


def uploaded(day: int, *lines: Sequence[str]) -> CatalogFile:
    """A file of these lines, uploaded and synced."""
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *lines])
    upload = SimpleUploadedFile(f"shopee_orders_daily_202603{day:02d}_100000.csv", text.getvalue().encode())
    file = store_upload(uploaded=upload, description=Description(platform="shopee", shop_id="sg-1"), sight=EVERYTHING)
    sync_again(file)
    return file


@pytest.fixture
def row(bucket: Any, bell: Bell) -> QuarantinedRow:
    """A corrected row that is equal to one that a newer export has overwritten: the file alone knows of that."""
    uploaded(5, line("A1", price="1"))
    file = uploaded(6, line("A1", price="2"), bad("A1x"), *MANY)
    uploaded(7, line("A1", price="3"))
    waiting = row_of(file, 3)
    services.correct(row_id=waiting.pk, given={"Order ID": "A1", AMOUNT: "7"}, actor=None, sight=EVERYTHING)
    return waiting


@pytest.fixture
def fetched(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each file that is fetched, whether a transaction waits for it."""
    opened, told = Bucket._open, list[bool]()

    def looked_at(storage: Bucket, name: str, mode: str = "rb") -> Any:
        told.append(connection.in_atomic_block)
        return opened(storage, name, mode)

    monkeypatch.setattr(Bucket, "_open", looked_at)
    return told


def test_a_bucket_that_is_away_does_not_change_which_line_a_row_is(
    row: QuarantinedRow, server: BucketServer, settings: Any
) -> None:
    there = settings.STORAGES
    settings.STORAGES = there | {"uploads": server.nowhere()}
    with pytest.raises(StorageAway):
        services.release(filters=of(row), actor=None, sight=EVERYTHING)
    row.refresh_from_db()
    assert row.state == QuarantineState.CORRECTED
    assert facts(*LINE, order_id="A1") == [(1, 2, 3)]
    settings.STORAGES = there
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert facts(*LINE, order_id="A1") == [(1, 2, 3), (2, 3, 7)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_is_fetched_once_and_outside_of_transactions(
    row: QuarantinedRow, fetched: list[bool], dry_run: bool
) -> None:
    assert services.release(filters=of(row), actor=None, dry_run=dry_run, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert fetched == [False]


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_done_again_is_counted_once(
    bucket: Any, fetched: list[bool], monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    """The first page has a row that stays, the second one a row that needs the file."""
    monkeypatch.setattr(batches, "MOST_AT_ONCE", 1)
    uploaded(5, line("A1", price="1"))
    file = uploaded(6, bad("B1"), bad("B2"), line("A1", price="2"), bad("A1x"), *MANY)
    uploaded(7, line("A1", price="3"))
    services.correct(row_id=row_of(file, 3).pk, given={AMOUNT: "5"}, actor=None, sight=EVERYTHING)
    services.correct(row_id=row_of(file, 5).pk, given={"Order ID": "A1", AMOUNT: "7"}, actor=None, sight=EVERYTHING)
    fetched.clear()
    told = services.release(filters=Filters(file_ids=[file.pk]), actor=None, dry_run=dry_run, sight=EVERYTHING)
    assert (told.outcomes, told.rejected, len(told.kept), told.reached.decided) == ({"inserted": 2}, 1, 1, 0)
    assert fetched == [False]
    assert len(facts(*LINE, order_id="A1")) == (1 if dry_run else 2)


def test_a_row_that_the_file_is_not_needed_for_does_not_fetch_it(bucket: Any, fetched: list[bool]) -> None:
    file = uploaded(6, bad("B1"), *MANY)
    services.correct(row_id=row_of(file, 2).pk, given={AMOUNT: "5"}, actor=None, sight=EVERYTHING)
    fetched.clear()
    assert services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING).outcomes == {
        "inserted": 1
    }
    assert not fetched


def test_a_file_that_is_gone_for_good_cannot_tell(row: QuarantinedRow, bucket: Any) -> None:
    bucket.delete(row.file.storage_name)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).released == 1
