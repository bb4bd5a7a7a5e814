"""Accounts are paused and blocked; versions are drafted, released once and withdrawn for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.choices import AccountState, VersionState
from datasync.collection import services
from datasync.exceptions import ChecksumMissing, VersionNotDraft, VersionNotReleased
from datasync.models import CollectionAccount
from tests.collection_support import CHECKSUM, account, version
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
    services.note_collected([file, make_file("other.csv", account="unknown", collected_at=now)])
    one.refresh_from_db()
    assert one.last_collected_at == ago(after)
    assert CollectionAccount.objects.count() == 1


def test_a_scan_notes_it(tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS = [tmp_path]
    one = account("main")
    folder = tmp_path / "shopee"
    folder.mkdir()
    (folder / "20260306_051650__main__one__orders__daily.csv").write_text("订单编号\n1\n", encoding="utf-8")
    scan(sight=EVERYTHING)
    one.refresh_from_db()
    assert one.last_collected_at is not None
