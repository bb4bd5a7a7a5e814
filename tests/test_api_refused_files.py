"""A file that cannot be read is refused alike, and with its code, at every call that reads one."""

from __future__ import annotations

import ast
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync import exceptions
from datasync.access import EVERYTHING
from datasync.api.unreadable import AT_FIRST_SIGHT, UNREADABLE
from datasync.at_hand import upload_storage
from datasync.catalog import services
from datasync.disk import UPLOADS
from datasync.exceptions import FileError, FileMissing, ReaderCrashed, ReaderTimeout, SyncError
from datasync.ingest import read
from datasync.ingest.read import Reader
from datasync.models import CatalogFile
from tests.api import client_of, data_of, error_of, owner
from tests.catalog_support import NAME, products, put
from tests.hostile import REFUSED

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
API = "/api/data-sync"
HOSTILE = (
    "zero bytes.xlsx", "binary.csv", "truncated.xlsx", "encrypted.xlsx", "nested.xlsx", "wide.xlsx",
    "no encoding.csv", "unclosed quote.csv", "chart only.xlsx",
)  # fmt: skip
OF_THE_CHILD = (ReaderCrashed(found="signal 9"), ReaderTimeout(limit="600"))
CALLS: dict[str, Callable[[APIClient, CatalogFile], Any]] = {
    "preview": lambda client, file: client.post(f"{API}/preview", {"file_id": file.pk}, format="json"),
    "profile": lambda client, file: client.get(f"{API}/files/{file.pk}/profile"),
    "suggest": lambda client, file: client.post(f"{API}/templates/suggest", {"file_id": file.pk}, format="json"),
}
"""Those that read a file of the catalogue."""


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> CatalogFile:
    """A catalogued file of which no profile is kept."""
    root = tmp_path / "inbox"
    root.mkdir()
    settings.DATA_ROOTS = [root]
    put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    CatalogFile.objects.update(profile=[])
    return CatalogFile.objects.get()


def built(name: str, folder: Path) -> tuple[bytes, str]:
    """A hostile file's bytes and the code it gets."""
    build, code = REFUSED[name]
    build(folder / name)
    return (folder / name).read_bytes(), code


def send(client: APIClient, to: str, content: bytes) -> Any:
    return client.post(f"{API}/{to}", {"file": SimpleUploadedFile("orders.xlsx", content)}, format="multipart")


def refused(answer: Any, code: str) -> None:
    status = {"TOO_LARGE": 413, "FILE_CHANGED": 409, "TEMPORARILY_UNAVAILABLE": 503}.get(code, 422)
    assert error_of(answer, status)["code"] == code


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_args: Any, **_options: Any) -> Any:
        raise error

    return fail


def kept_elsewhere(settings: Any) -> None:
    """Uploads have no path from now on."""
    backend = f"{InMemoryStorage.__module__}.{InMemoryStorage.__qualname__}"
    settings.STORAGES = settings.STORAGES | {UPLOADS: {"BACKEND": backend}}


def test_the_calls_document_whatever_reading_raises() -> None:
    named: set[str] = set()
    for path in Path(read.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == exceptions.__name__:
                named |= {alias.name for alias in node.names if isinstance(getattr(exceptions, alias.name), type)}
    raised = {getattr(exceptions, name) for name in named} - {FileError, FileMissing}  # of a file that cannot be opened
    assert raised == set(UNREADABLE)
    assert {REFUSED[name][1] for name in HOSTILE} | {error.code for error in OF_THE_CHILD} == {
        error.code for error in UNREADABLE
    }


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("call", CALLS)
def test_a_file_of_the_catalogue(client: APIClient, file: CatalogFile, call: str, name: str, tmp_path: Path) -> None:
    content, code = built(name, tmp_path)
    (tmp_path / "inbox" / NAME).write_bytes(content)
    refused(CALLS[call](client, file), code)


@pytest.mark.parametrize("error", [*OF_THE_CHILD, FileError()], ids=lambda error: error.code)
@pytest.mark.parametrize("call", CALLS)
def test_a_file_that_the_child_is_through_with(
    client: APIClient, file: CatalogFile, call: str, error: SyncError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "head", raising(error))
    refused(CALLS[call](client, file), error.code)


@pytest.mark.parametrize("call", CALLS)
def test_a_file_kept_elsewhere(
    client: APIClient, file: CatalogFile, call: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_elsewhere(settings)
    upload_storage().save(file.storage_name, ContentFile(b"another content"))
    CatalogFile.objects.update(root=UPLOADS)
    refused(CALLS[call](client, file), "FILE_CHANGED")
    monkeypatch.setattr(InMemoryStorage, "_open", raising(OSError(errno.EIO, "away")))
    refused(CALLS[call](client, file), "TEMPORARILY_UNAVAILABLE")


@pytest.mark.parametrize("name", HOSTILE)
def test_corrections(client: APIClient, name: str, tmp_path: Path) -> None:
    content, code = built(name, tmp_path)
    refused(send(client, "quarantine/import", content), code)


@pytest.mark.parametrize("error", OF_THE_CHILD, ids=lambda error: error.code)
def test_corrections_that_the_child_is_through_with(
    client: APIClient, error: SyncError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "head", raising(error))
    refused(send(client, "quarantine/import", b"a,b\n1,2\n"), error.code)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_upload(client: APIClient, name: str, tmp_path: Path) -> None:
    content, code = built(name, tmp_path)
    answer = send(client, "files", content)
    if code in {error.code for error in AT_FIRST_SIGHT} - {"TOO_LARGE"}:
        refused(answer, code)
    else:  # stored, because only reading it shows what it is: the file says why it waits
        told = data_of(answer, 201)[0]["file"]
        assert (told["status"], told["last_error"]["code"]) == ("failed", code)


def test_an_upload_that_its_storage_does_not_take(
    client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_elsewhere(settings)
    monkeypatch.setattr(InMemoryStorage, "_save", raising(OSError(errno.EIO, "away")))
    refused(send(client, "files", b"a,b\n1,2\n"), "TEMPORARILY_UNAVAILABLE")
