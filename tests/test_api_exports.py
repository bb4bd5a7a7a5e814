"""Archives over HTTP: asked for, watched, downloaded by an expiring link; each refusal by its code."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.choices import ExportState
from datasync.exports import services, storage
from datasync.models import CatalogFile, ExportArchive
from datasync.tasks import export_file
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.quarantine_rows import make_file

__all__ = ["owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
EXPORTS = "/api/data-sync/exports"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def file(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogFile:
    settings.DATA_ROOTS, settings.EXPORT_DIR = [tmp_path / "inbox"], tmp_path / "exports"
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_bytes(b"Order ID\nA1\n")
    monkeypatch.setattr(services, "ring_for", lambda *_: True)
    return make_file("a.csv", root=str(tmp_path / "inbox"), size=12)


def ready(client: APIClient, file: CatalogFile) -> dict[str, Any]:
    asked = data_of(client.post(EXPORTS, {"file_ids": [file.pk], "what": "originals"}), 202)
    export_file(asked["id"])
    told: dict[str, Any] = data_of(client.get(f"{EXPORTS}/{asked['id']}"))
    return told


def test_the_whole_way(client: APIClient, file: CatalogFile) -> None:
    asked = data_of(client.post(EXPORTS, {"file_ids": [file.pk, 404], "what": "originals"}), 202)
    assert (asked["status"], asked["files"], asked["progress"], asked["missing_file_ids"]) == ("queued", 1, 0.0, [404])
    assert asked["download_url"] is None
    export_file(asked["id"])
    told = data_of(client.get(f"{EXPORTS}/{asked['id']}"))
    assert (told["status"], told["progress"], told["error"]) == ("ready", 100.0, None)
    response: Any = client.get(told["download_url"])
    body = b"".join(response.streaming_content)
    assert len(body) == told["size"]
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == [f"{file.pk}-a.csv"]
    assert response["Content-Disposition"].startswith('attachment; filename="originals-')
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/zip", "nosniff")


def test_one_that_failed_says_why(client: APIClient, file: CatalogFile) -> None:
    asked = data_of(client.post(EXPORTS, {"file_ids": [file.pk], "what": "quarantine"}), 202)
    export_file(asked["id"])
    told = data_of(client.get(f"{EXPORTS}/{asked['id']}"))
    assert (told["status"], told["error"]["code"], told["download_url"]) == ("failed", "NOTHING_TO_EXPORT", None)


def test_they_are_their_owners(client: APIClient, stranger: User, staff: User, file: CatalogFile) -> None:
    told = ready(client, file)
    for address in (f"{EXPORTS}/{told['id']}", f"{EXPORTS}/404", f"{EXPORTS}/{2**63}"):
        assert error_of(client_of(stranger).get(address), 404)["code"] in {"EXPORT_NOT_FOUND", "NOT_FOUND"}
    assert data_of(client_of(staff).get(f"{EXPORTS}/{told['id']}"))["id"] == told["id"]
    assert error_of(APIClient().get(f"{EXPORTS}/{told['id']}"), 401)["code"] == "NOT_AUTHENTICATED"
    assert error_of(APIClient().post(EXPORTS), 401)["code"] == "NOT_AUTHENTICATED"


def test_a_link_is_enough(client: APIClient, stranger: User, file: CatalogFile) -> None:
    told = ready(client, file)
    wrong = APIClient()
    wrong.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    for holder in (APIClient(), client_of(stranger), wrong):
        response: Any = holder.get(told["download_url"])
        assert (response.status_code, len(b"".join(response.streaming_content))) == (200, told["size"])


def test_links_expire_and_cannot_be_made_up(client: APIClient, file: CatalogFile, settings: Any) -> None:
    told = ready(client, file)
    other = ready(client, file)
    stolen = other["download_url"].partition("?")[2]
    address = f"{EXPORTS}/{told['id']}/download"
    signed = signing.dumps("something else", salt="datasync.exports")
    for token in ("token=x", stolen, "token=%00", f"token={signed}"):
        response = APIClient().get(f"{address}?{token}")
        assert response.status_code in {400, 410}, response.content
    assert error_of(APIClient().get(f"{EXPORTS}/{2**70}/download?token=x"), 410)["code"] == "LINK_EXPIRED"
    assert error_of(client.get(f"{address}?token=x"), 410)["code"] == "LINK_EXPIRED"
    assert error_of(client.get(f"{address}?{stolen}"), 410)["code"] == "LINK_EXPIRED"
    settings.EXPORT_URL_HOURS = -1
    assert error_of(client.get(told["download_url"]), 410)["code"] == "LINK_EXPIRED"


def test_what_is_not_there_any_more(client: APIClient, file: CatalogFile) -> None:
    told = ready(client, file)
    archive = ExportArchive.objects.get()
    past = timezone.now() - timedelta(seconds=1)
    for values in ({"state": ExportState.EXPIRED}, {"expires_at": past}, {"storage_name": "other.zip"}):
        ExportArchive.objects.update(**values)
        assert error_of(client.get(told["download_url"]), 410)["code"] == "LINK_EXPIRED"
        archive.save()
    storage.remove(archive.storage_name)
    assert error_of(client.get(told["download_url"]), 410)["code"] == "LINK_EXPIRED"
    archive.delete()
    assert error_of(client.get(told["download_url"]), 410)["code"] == "LINK_EXPIRED"


@pytest.mark.parametrize("query", ["", "token=", "token=a&token=b", "token=a&user=1", "token=" + "x" * 501])
def test_the_query_of_a_link_is_strict(client: APIClient, file: CatalogFile, query: str) -> None:
    told = ready(client, file)
    error_of(client.get(f"{EXPORTS}/{told['id']}/download?{query}"), 400)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"file_ids": [1], "what": "everything"}, "what"),
        ({"file_ids": [1]}, "what"),
        ({"what": "cleaned"}, "file_ids"),
        ({"file_ids": [], "what": "cleaned"}, "file_ids"),
        ({"file_ids": list(range(1, 1002)), "what": "cleaned"}, "file_ids"),
        ({"file_ids": [1, 1], "what": "cleaned"}, "file_ids"),
        ({"file_ids": ["1"], "what": "cleaned"}, "file_ids"),
        ({"file_ids": [1], "what": "cleaned", "owner": 1}, "owner"),
    ],
)
def test_what_is_asked_for_is_strict(client: APIClient, body: dict[str, Any], field: str) -> None:
    assert next(iter(error_of(client.post(EXPORTS, body), 400)["fields"])).startswith(field)


def test_none_of_the_files_exists(client: APIClient) -> None:
    assert error_of(client.post(EXPORTS, {"file_ids": [404], "what": "cleaned"}), 404)["code"] == "DATA_NOT_FOUND"


def test_too_much_at_once(client: APIClient, file: CatalogFile, settings: Any) -> None:
    settings.EXPORT_MOST_BYTES = 11
    body = {"file_ids": [file.pk], "what": "originals"}
    assert error_of(client.post(EXPORTS, body), 413)["code"] == "TOO_LARGE"


def test_asking_costs_the_same_for_many_files(
    client: APIClient, file: CatalogFile, django_assert_max_num_queries: Any
) -> None:
    ids = [make_file(f"{number}.csv").pk for number in range(20)]
    with django_assert_max_num_queries(8):
        client.post(EXPORTS, {"file_ids": ids, "what": "cleaned"})
