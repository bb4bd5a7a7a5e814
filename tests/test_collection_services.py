"""Accounts are paused and blocked; versions are drafted, released once and withdrawn for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from datasync.access import EVERYTHING, Sight
from datasync.catalog.services import Description, describe_file, scan, store_upload
from datasync.choices import AccountState, VersionState
from datasync.collection import services
from datasync.exceptions import ChecksumMissing, VersionNotDraft, VersionNotReleased
from datasync.models import CatalogFile, CollectionAccount
from tests.access_support import limit
from tests.api import person
from tests.catalog_support import put, put_side_file
from tests.collection_support import CHECKSUM, account, shop, version
from tests.quarantine_rows import make_file

pytestmark = pytest.mark.django_db


def test_only_accounts_that_stood_otherwise_are_changed() -> None:
    one, two = account("one"), account("two", state=AccountState.PAUSED)
    changed = services.set_account_state([one.pk, two.pk], state=AccountState.PAUSED)
    assert [(row.pk, row.state) for row in changed] == [(one.pk, AccountState.PAUSED)]
    assert set(CollectionAccount.objects.values_list("state", flat=True)) == {"paused"}


def test_a_version_is_released_once_and_withdrawn_for_good() -> None:
    draft = version("1.0", checksum=CHECKSUM)
    with pytest.raises(VersionNotReleased):
        services.withdraw_version(draft.pk)
    released = services.release_version(draft.pk)
    assert released.state == VersionState.RELEASED
    assert released.released_at is not None
    with pytest.raises(VersionNotDraft):
        services.release_version(draft.pk)
    assert services.withdraw_version(draft.pk).state == VersionState.WITHDRAWN
    for again in (services.release_version, services.withdraw_version):
        with pytest.raises((VersionNotDraft, VersionNotReleased)):
            again(draft.pk)


def test_nothing_is_released_without_a_checksum() -> None:
    with pytest.raises(ChecksumMissing, match=r"shopee-collector 1\.0"):
        services.release_version(version("1.0").pk)


def test_a_time_of_release_that_is_written_stays() -> None:
    written = timezone.now() - timedelta(days=3)
    draft = version("1.0", checksum=CHECKSUM, released_at=written)
    assert services.release_version(draft.pk).released_at == written


@pytest.mark.parametrize("checksum", ["9F" * 32, "9f" * 31, "zz" * 32, f"{CHECKSUM}\n"])
def test_a_checksum_is_a_sha256(checksum: str) -> None:
    draft = version("1.0")
    draft.checksum = checksum
    with pytest.raises(ValidationError) as refused:
        draft.full_clean()
    assert list(refused.value.message_dict) == ["checksum"]


@pytest.mark.parametrize(
    ("before", "told", "after"),
    [(None, 5, 5), (10, 5, 5), (1, 5, 1), (None, -5, None), (3, None, 3)],
    ids=["never used", "used earlier", "used later", "a file of the future", "a file that does not say"],
)
def test_what_is_collected_says_when_its_account_was_used(
    before: float | None, told: float | None, after: float | None
) -> None:
    now = timezone.now()

    def ago(hours: float | None) -> datetime | None:
        return None if hours is None else now - timedelta(hours=hours)

    one = account("main")
    CollectionAccount.objects.update(last_collected_at=ago(before))
    file = make_file(account="main", collected_at=ago(told))
    services.note_collected([file, make_file("other.csv", account="unknown", collected_at=now)], sight=EVERYTHING)
    one.refresh_from_db()
    assert one.last_collected_at == ago(after)
    assert CollectionAccount.objects.count() == 1


def last(account: CollectionAccount) -> datetime | None:
    account.refresh_from_db()
    return account.last_collected_at


def test_a_scan_notes_it(tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS = [tmp_path]
    one = account("main")
    folder = tmp_path / "shopee"
    folder.mkdir()
    (folder / "20260306_051650__main__one__orders__daily.csv").write_text("订单编号\n1\n", encoding="utf-8")
    scan(sight=EVERYTHING)
    assert last(one) is not None


def test_a_scan_notes_new_content_at_an_old_place(tmp_path: Path, settings: Any) -> None:
    """As a collector leaves it that always writes the same file."""
    settings.DATA_ROOTS = [tmp_path]
    one = account("main")
    for day in (1, 2):
        path = put(tmp_path, "shopee_orders_daily.csv", f"Order ID\n{day}\n".encode(), at=1_760_000_000.0 + day)
        told = {"account": "main", "collection_platform": "shopee", "collected_at": f"2026-03-0{day}T05:00:00Z"}
        put_side_file(path, business={}, collection=told)
        scan(sight=EVERYTHING)
        assert last(one) == datetime(2026, 3, day, 5, tzinfo=UTC)
    assert CatalogFile.objects.count() == 1


def test_describing_a_file_notes_it() -> None:
    """An upload that said nothing of where it comes from, and then a person did."""
    one, moment = account("main"), timezone.now() - timedelta(hours=1)
    file = make_file(shop=None, platform=None, source_platform=None)
    describe_file(file, sight=EVERYTHING, platform="shopee", account="main", collected_at=moment)
    assert last(one) == moment


def test_whoever_is_limited_says_nothing_of_accounts_out_of_sight(tmp_path: Path, settings: Any) -> None:
    """That one of them collects nothing any more could be hidden so."""
    settings.UPLOAD_DIR = tmp_path
    seen, hidden, now = account("seen", shop("mine")), account("hidden", shop("mine"), shop("other")), timezone.now()
    sight = Sight.of(limit(person("limited"), shop("mine")))
    for name in ("seen", "hidden"):
        uploaded = SimpleUploadedFile(f"{name}.csv", f"Order ID\n{name}\n".encode())
        told = Description(platform="shopee", shop_id="mine", account=name, collected_at=now)
        file = store_upload(uploaded=uploaded, description=told, sight=sight)
        describe_file(file, granularity="daily", sight=sight)
    assert (last(seen), last(hidden)) == (now, None)
