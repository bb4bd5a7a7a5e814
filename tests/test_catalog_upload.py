"""Uploads: streamed to a generated name, refused by size and bytes, known content recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.catalog.services import Description
from datasync.choices import FileState
from datasync.exceptions import EmptyFile, InvalidRequest, TooLarge, UnsupportedFormat
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile
from tests.catalog_support import FILE, products

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "uploads"
    settings.DATA_ROOTS = [tmp_path / "inbox"]  # type: ignore[attr-defined]
    settings.UPLOAD_DIR = folder  # type: ignore[attr-defined]
    settings.UPLOAD_LIMIT_BYTES = 100_000  # type: ignore[attr-defined]
    load_builtin_templates()
    return folder


def upload(name: str, content: bytes, **told: Any) -> CatalogFile:
    uploaded = SimpleUploadedFile(name, content)
    return services.store_upload(uploaded=uploaded, description=Description(**told), actor=None, sight=EVERYTHING)


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_upload_is_kept_under_a_generated_name_and_described_by_its_own(uploads: Path) -> None:
    file = upload(FILE, products("1"), shop_id="42")
    assert file.original_name == FILE
    assert FILE not in file.storage_name
    assert (file.root, file.state, file.platform_id) == ("uploads", FileState.PENDING, "shopee")
    assert services.path_of(file).read_bytes() == products("1")
    assert kept(uploads) == [services.path_of(file)]


def test_what_the_uploader_says_is_strongest() -> None:
    file = upload(FILE, products("1"), granularity="weekly", shop_id="42")
    assert file.granularity == "weekly"
    assert file.shop is not None
    assert file.shop.shop_id == "42"
    assert file.uploaded_by is None


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "C:\\temp\\passwd.csv", "/etc/passwd.csv"])
def test_the_name_of_an_upload_is_text_only(name: str, uploads: Path) -> None:
    uploaded = SimpleUploadedFile("x", products("1"))
    uploaded._name = name  # type: ignore[attr-defined]
    file = services.store_upload(uploaded=uploaded, description=None, actor=None, sight=EVERYTHING)
    assert file.original_name == "passwd.csv"
    assert services.path_of(file).is_relative_to(uploads)


def test_the_same_content_of_the_same_shop_is_the_known_file(uploads: Path) -> None:
    one = upload(FILE, products("1"), shop_id="42")
    again = upload("another name.csv", products("1"), platform="shopee", shop_id="42")
    assert again.pk == one.pk
    assert len(kept(uploads)) == 1
    other = upload(FILE, products("1"), shop_id="43")
    assert other.pk != one.pk
    assert other.sha256 != one.sha256


def test_content_whose_file_is_gone_is_restored_by_an_upload() -> None:
    one = upload(FILE, products("1"))
    services.path_of(one).unlink()
    again = upload(FILE, products("1"))
    assert again.pk == one.pk
    assert services.path_of(again).read_bytes() == products("1")


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", EmptyFile), (b"%PDF-1.7 ...", UnsupportedFormat), (b"a,b\r\n" * 20_001, TooLarge)],
)
def test_what_cannot_be_taken_leaves_nothing_behind(content: bytes, error: type[Exception], uploads: Path) -> None:
    with pytest.raises(error):
        upload(FILE, content)
    assert kept(uploads) == []
    assert not CatalogFile.objects.exists()


def test_an_unknown_platform_is_refused(uploads: Path) -> None:
    with pytest.raises(InvalidRequest):
        upload(FILE, products("1"), platform="nowhere")
    assert kept(uploads) == []


def test_a_header_with_what_no_database_stores_is_catalogued_without_it() -> None:
    file = upload("any.csv", "Order\0 ID,Paid\0 amount,Date\nA1,2.00,2026-03-06\n".encode("utf-16"))
    file.refresh_from_db()
    assert file.header == ["Order ID", "Paid amount", "Date"]
    assert [column["header"] for column in file.suggestion["columns"]] == file.header
