"""Scans leave what a person deleted alone, wherever it turns up; a person brings it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.catalog.deletion import delete_file, restore_file
from datasync.choices import FileState, RowsFate
from datasync.exceptions import (
    FileBeingDeleted,
    FileChanged,
    FileDeleted,
    FileMissing,
    FileNotFound,
    NotDeleted,
)
from datasync.mapping.services import load_builtin_templates
from datasync.models import AuditEntry, CatalogFile
from tests.catalog_support import FILE, NAME, products, put

pytestmark = pytest.mark.django_db
COPY = f"shopee/shopee_1店_sg/copy_{FILE}"


@pytest.fixture(autouse=True)
def inbox(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOTS, settings.UPLOAD_DIR = [tmp_path / "inbox"], tmp_path / "uploads"
    load_builtin_templates()
    put(tmp_path / "inbox", NAME, products("1"))
    services.scan(sight=EVERYTHING)
    return tmp_path / "inbox"


def deleted() -> CatalogFile:
    file = CatalogFile.objects.get()
    delete_file(file_id=file.pk, rows=RowsFate.KEEP, actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    return file


def states() -> list[str]:
    return sorted(CatalogFile.objects.values_list("state", flat=True))


def upload(content: bytes) -> CatalogFile:
    told = services.Description(platform="shopee", shop_label="shopee_1店_sg")
    return services.store_upload(uploaded=SimpleUploadedFile(FILE, content), description=told, sight=EVERYTHING)


def test_a_scan_leaves_it_alone(inbox: Path) -> None:
    deleted()
    assert services.scan(sight=EVERYTHING).deleted == 1
    put(inbox, NAME, products("1"), at=1_770_000_000.0)
    result = services.scan(sight=EVERYTHING)
    assert (result.deleted, result.changed, result.seen) == (1, 0, 1)
    assert states() == ["deleted"]


def test_new_content_in_its_place_is_a_new_version(inbox: Path) -> None:
    file = deleted()
    put(inbox, NAME, products("1", "2"), at=1_770_000_000.0)
    assert services.scan(sight=EVERYTHING).changed == 1
    file.refresh_from_db()
    assert file.state == FileState.PENDING


def test_it_is_not_missed_when_it_goes(inbox: Path) -> None:
    deleted()
    (inbox / NAME).unlink()
    assert services.scan(sight=EVERYTHING).missing == 0
    assert states() == ["deleted"]


def test_a_copy_and_a_renamed_file_are_left_alone(inbox: Path) -> None:
    file = deleted()
    put(inbox, COPY, products("1"))
    assert services.scan(sight=EVERYTHING).deleted == 2
    (inbox / NAME).unlink()
    assert services.scan(sight=EVERYTHING).deleted == 1
    file.refresh_from_db()
    assert (states(), file.storage_name) == (["deleted"], COPY)


def test_the_same_bytes_of_another_shop_are_another_file(inbox: Path) -> None:
    deleted()
    put(inbox, f"shopee/shopee_2店_sg/{FILE}", products("1"))
    assert services.scan(sight=EVERYTHING).new == 1
    assert states() == ["deleted", "pending"]


def test_naming_it_says_that_it_is_deleted(inbox: Path) -> None:
    file = deleted()
    with pytest.raises(FileDeleted, match=str(file.pk)):
        services.catalogue_path(inbox / NAME)


def test_an_upload_of_the_same_content_brings_it_back() -> None:
    file = deleted()
    again = upload(products("1"))
    assert (again.pk, again.state, again.root) == (file.pk, FileState.PENDING, "uploads")
    assert services.path_of(again).read_bytes() == products("1")
    assert AuditEntry.objects.latest("pk").action == "file_restored"
    assert services.scan(sight=EVERYTHING).duplicates == 1


def test_an_upload_while_its_rows_are_still_going_is_a_file_of_its_own() -> None:
    file = deleted()
    CatalogFile.objects.update(removing="delete")
    again = upload(products("1"))
    assert again.pk != file.pk
    assert states() == ["deleted", "pending"]
    assert upload(products("1")).pk == again.pk, "the living one is known from now on"


def test_restoring() -> None:
    file = deleted()
    restored = restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert restored.state == file.state == FileState.PENDING
    assert AuditEntry.objects.latest("pk").action == "file_restored"
    assert services.scan(sight=EVERYTHING).unchanged == 1


def test_what_cannot_be_restored(inbox: Path) -> None:
    file = CatalogFile.objects.get()
    with pytest.raises(NotDeleted):
        restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    with pytest.raises(FileNotFound):
        restore_file(file_id=404, actor=None, sight=EVERYTHING)
    deleted()
    put(inbox, NAME, products("1", "2"), at=1_770_000_000.0)
    with pytest.raises(FileChanged):
        restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    (inbox / NAME).unlink()
    with pytest.raises(FileMissing):
        restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    CatalogFile.objects.update(removing="delete")
    with pytest.raises(FileBeingDeleted):
        restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    assert states() == ["deleted"]
