"""A file that cannot be read is refused alike, and with its code, at every call that reads one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.models import CatalogFile
from tests import hostile
from tests.api import client_of, data_of, error_of, owner
from tests.catalog_support import NAME, products, put

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
UNREADABLE = {
    "text": (lambda path: path.write_bytes(b"\x00\x01\x02" * 100), "UNSUPPORTED_FORMAT"),
    "damaged": (hostile.truncated, "CORRUPT_FILE"),
    "encrypted": (hostile.encrypted, "ENCRYPTED"),
    "bomb": (hostile.bomb, "UNSAFE_FILE"),
}
WIDE = (hostile.wide_header, "TOO_LARGE")


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture(params=[*UNREADABLE.values(), WIDE], ids=[*UNREADABLE, "wide"])
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, str]:
    """A hostile file's bytes and the code it gets."""
    build, code = request.param
    path = tmp_path / "hostile.xlsx"
    build(path)
    return path.read_bytes(), code


@pytest.fixture
def file(settings: Any, tmp_path: Path, bad: tuple[bytes, str]) -> CatalogFile:
    """A catalogued file whose bytes are hostile since."""
    root = tmp_path / "inbox"
    root.mkdir()
    settings.DATA_ROOTS = [root]
    put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    (root / NAME).write_bytes(bad[0])
    CatalogFile.objects.update(profile=[])
    return CatalogFile.objects.get()


def status_of(code: str) -> int:
    return 413 if code == "TOO_LARGE" else 422


def test_preview(client: APIClient, file: CatalogFile, bad: tuple[bytes, str]) -> None:
    answer = client.post("/api/data-sync/preview", {"file_id": file.pk}, format="json")
    assert error_of(answer, status_of(bad[1]))["code"] == bad[1]


def test_profile(client: APIClient, file: CatalogFile, bad: tuple[bytes, str]) -> None:
    answer = client.get(f"/api/data-sync/files/{file.pk}/profile")
    assert error_of(answer, status_of(bad[1]))["code"] == bad[1]


def test_corrections(client: APIClient, bad: tuple[bytes, str]) -> None:
    upload = SimpleUploadedFile("corrected.xlsx", bad[0])
    answer = client.post("/api/data-sync/quarantine/import", {"file": upload}, format="multipart")
    assert error_of(answer, status_of(bad[1]))["code"] == bad[1]


@pytest.mark.parametrize("build, code", UNREADABLE.values(), ids=UNREADABLE)  # noqa: PT006
def test_upload(client: APIClient, tmp_path: Path, build: Any, code: str) -> None:
    build(tmp_path / "hostile.xlsx")
    upload = SimpleUploadedFile("orders.xlsx", (tmp_path / "hostile.xlsx").read_bytes())
    answer = client.post("/api/data-sync/files", {"file": upload}, format="multipart")
    if answer.status_code == 201:  # stored, because only reading it shows what it is: the file says why it waits
        told = data_of(answer, 201)[0]["file"]
        assert (told["status"], told["last_error"]["code"]) == ("failed", code)
    else:
        assert error_of(answer, 422)["code"] == code
