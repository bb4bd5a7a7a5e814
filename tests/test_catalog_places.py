"""Odd names and odd things in a root: catalogued or refused with a reason, without hanging and without leaving it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.catalog.exceptions import FileGrowing
from datasync.exceptions import FileMissing, InvalidRequest, UnsupportedFormat
from datasync.models import CatalogFile
from tests.catalog_support import FILE, products, put

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(60)]
SECRET = b"platform,secret\r\n1,2\r\n"


@pytest.fixture
def root(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]  # type: ignore[attr-defined]
    settings.UPLOAD_DIR = tmp_path / "uploads"  # type: ignore[attr-defined]
    services.ensure_platforms()
    return folder


@pytest.mark.parametrize(
    "name",
    ["a\nb.csv", ";rm -rf $(HOME) `x` && 'y'.csv", "\N{GRINNING FACE}\N{PARTY POPPER}.csv", "a" * 251 + ".csv",
     "a..csv.csv", " spaces .csv", "-rf.csv", "%s%n.csv", "\u202egpj.csv"],
)  # fmt: skip
def test_odd_names_are_ordinary_names(root: Path, name: str) -> None:
    path = put(root, name, SECRET)
    assert services.scan(sight=EVERYTHING).new == 1
    file = CatalogFile.objects.get()
    assert (file.storage_name, file.original_name) == (name, name)
    assert services.path_of(file) == path.resolve()
    assert services.scan(sight=EVERYTHING).unchanged == 1


def test_a_name_that_is_no_text_is_refused(root: Path) -> None:
    descriptor = os.open(os.fsencode(root) + b"/\xff\xfe.csv", os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.refused) == (0, 1)
    assert result.errors[0]["reason"] == "its name is not valid text"


def test_what_is_no_file_is_refused_without_waiting(root: Path, tmp_path: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    (root / "folder.csv").mkdir()
    outside = put(tmp_path, "outside.csv", SECRET)
    (root / "link.csv").symlink_to(outside)
    (root / "linked folder").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.refused) == (0, 4)
    reasons = {error["name"]: error["reason"] for error in result.errors}
    assert "neither a file nor a folder" in reasons["pipe.csv"]
    assert "symbolic link" in reasons["link.csv"]


def test_a_device_is_refused_when_it_is_asked_for(root: Path) -> None:
    (root / "null.csv").symlink_to("/dev/zero")
    with pytest.raises(UnsupportedFormat):
        services.catalogue_path(root / "null.csv")


def test_other_files_are_counted_with_a_reason_and_side_and_hidden_files_are_not(root: Path) -> None:
    for name in ("report.pdf", "noext", "x.csv.meta.json", ".hidden.csv", "notes.json"):
        put(root, name, b"x")
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.refused) == (0, 3)
    assert {error["name"] for error in result.errors} == {"report.pdf", "noext", "notes.json"}


def test_a_catalogued_name_never_leads_out_of_its_root(root: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside.csv", SECRET)
    path = put(root, "a/inside.csv", SECRET)
    services.scan(sight=EVERYTHING)
    file = CatalogFile.objects.get()
    for name in ("../outside.csv", str(tmp_path / "outside.csv"), "a/../../outside.csv", "a", "", "a/\0"):
        file.storage_name = name
        with pytest.raises(FileMissing):
            services.path_of(file)
    path.unlink()
    path.symlink_to(tmp_path / "outside.csv")
    file.storage_name = "a/inside.csv"
    with pytest.raises(FileMissing):
        services.path_of(file)


def test_a_single_file(root: Path, tmp_path: Path) -> None:
    path = put(root, f"shopee/{FILE}", products("1"))
    file = services.catalogue_path(path)
    assert file.storage_name == f"shopee/{FILE}"
    assert services.catalogue_path(path) == file
    described = services.catalogue_path(
        put(root, "x.csv", SECRET), description=services.Description(platform="tiktok", domain="orders")
    )
    assert (described.platform_id, described.description_sources["platform"]) == ("tiktok", "uploader")


def test_a_single_file_outside_the_roots_or_of_another_kind_is_refused(root: Path, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside.csv", SECRET)
    (root / "linked").symlink_to(tmp_path)
    for path in (outside, root / "../outside.csv", root / "linked/outside.csv", root):
        with pytest.raises(InvalidRequest):
            services.catalogue_path(path)
    with pytest.raises(UnsupportedFormat):
        services.catalogue_path(put(root, "a.pdf", b"x"))
    with pytest.raises(FileMissing):
        services.catalogue_path(root / "not there.csv")
    with pytest.raises(FileGrowing):
        services.catalogue_path(put(root, "a.csv.part", b"x"))
