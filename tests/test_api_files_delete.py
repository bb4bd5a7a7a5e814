"""Deleting over HTTP: what would go, who may do it, and each way it can be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from datasync.catalog import removal
from datasync.choices import FileState
from datasync.disk import fingerprint
from datasync.models import CatalogFile, OrderLine
from tests.api import client_of, data_of, error_of, owner, staff
from tests.quarantine_rows import make_row
from tests.stored_files import file_with_rows

__all__ = ["owner", "staff"]
pytestmark = pytest.mark.django_db
FILES = "/api/data-sync/files"
BATCH, IMPACTS = f"{FILES}/batch", f"{FILES}/batch-delete-impact"


@pytest.fixture
def file() -> CatalogFile:
    return file_with_rows("a.csv", 3)


@pytest.fixture
def reader(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def client(staff: User) -> APIClient:
    staff.user_permissions.add(Permission.objects.get(codename="delete_catalogfile"))
    return client_of(staff)


def test_the_impact_is_told_to_everybody(reader: APIClient, file: CatalogFile) -> None:
    make_row(file, 9, "A", "x", "")
    told = data_of(reader.get(f"{FILES}/{file.pk}/delete-impact"))
    assert (told["file_id"], told["rows"], told["rows_of_older_exports"]) == (file.pk, 3, 0)
    assert told["quarantined"] == {"undecided": 1, "decided": 0}
    assert [(part["domain"], part["shop_id"], part["rows"]) for part in told["by_scope"]] == [("orders", "sg1", 3)]


def test_the_impact_of_several(reader: APIClient, file: CatalogFile) -> None:
    other = file_with_rows("b.csv", 2)
    told = data_of(reader.post(IMPACTS, {"file_ids": [other.pk, 404, file.pk]}))
    assert [one["file_id"] for one in told["files"]] == [other.pk, file.pk]
    assert (told["rows"], told["missing_file_ids"]) == (5, [404])


@pytest.mark.parametrize(("query", "left"), [("", 3), ("?rows=keep", 3), ("?rows=delete", 0)])
def test_delete(client: APIClient, file: CatalogFile, query: str, left: int) -> None:
    told = data_of(client.delete(f"{FILES}/{file.pk}{query}"))
    assert (told["files"], told["finished"], told["removed_rows"]) == ([file.pk], True, 3 - left)
    assert OrderLine.objects.count() == left
    assert error_of(client.get(f"{FILES}/{file.pk}"), 404)["code"] == "FILE_NOT_FOUND"


def test_delete_several(client: APIClient, file: CatalogFile) -> None:
    busy = file_with_rows("b.csv", 1, state=FileState.QUEUED)
    body = {"file_ids": [file.pk, busy.pk, 404], "rows": "delete"}
    rehearsed = data_of(client.delete(BATCH, body | {"dry_run": True}))
    assert (rehearsed["dry_run"], rehearsed["removed_rows"], OrderLine.objects.count()) == (True, 3, 4)
    told = data_of(client.delete(BATCH, body))
    assert (told["files"], told["busy_file_ids"], told["missing_file_ids"]) == ([file.pk], [busy.pk], [404])
    assert {name: told[name] for name in rehearsed if name != "dry_run"} == {
        name: value for name, value in rehearsed.items() if name != "dry_run"
    }
    assert OrderLine.objects.count() == 1


def test_many_rows_go_in_the_background(
    client: APIClient, file: CatalogFile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DELETE_AT_ONCE_ROWS = 2
    monkeypatch.setattr(removal, "ring_for", lambda _name: True)
    response = client.delete(f"{FILES}/{file.pk}?rows=delete")
    told = data_of(response, 202)
    assert (told["finished"], told["removed_rows"]) == (False, 0)
    assert "background" in response.json()["message"]
    assert removal.finish_deletions()
    assert not OrderLine.objects.exists()


def test_the_rows_of_several_files_go_in_the_background(
    client: APIClient, file: CatalogFile, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DELETE_AT_ONCE_ROWS = 2
    monkeypatch.setattr(removal, "ring_for", lambda _name: True)
    told = data_of(client.delete(BATCH, {"file_ids": [file.pk], "rows": "delete"}), 202)
    assert (told["finished"], told["removed_rows"]) == (False, 0)
    assert removal.finish_deletions()
    assert not OrderLine.objects.exists()


def test_a_busy_file(client: APIClient) -> None:
    busy = file_with_rows("b.csv", 1, state=FileState.PROCESSING)
    assert error_of(client.delete(f"{FILES}/{busy.pk}"), 409)["code"] == "FILE_BUSY"
    assert error_of(client.delete(BATCH, {"file_ids": [busy.pk]}), 409)["code"] == "FILE_BUSY"


@pytest.mark.parametrize(("is_staff", "right"), [(False, False), (False, True), (True, False)])
def test_only_staff_with_the_right_may_delete(owner: User, file: CatalogFile, is_staff: bool, right: bool) -> None:
    User.objects.update(is_staff=is_staff)
    if right:
        owner.user_permissions.add(Permission.objects.get(codename="delete_catalogfile"))
    reader = client_of(owner)
    one, batch = reader.delete(f"{FILES}/{file.pk}"), reader.delete(BATCH, {"file_ids": [file.pk]})
    for response in (one, batch, reader.post(f"{FILES}/{file.pk}/restore")):
        assert error_of(response, 403)["code"] == "PERMISSION_DENIED"
    assert CatalogFile.objects.get().state == FileState.INGESTED


def test_superusers_may(admin_user: User, file: CatalogFile) -> None:
    assert data_of(client_of(admin_user).delete(f"{FILES}/{file.pk}"))["files"] == [file.pk]


def test_one_can_be_rehearsed_too(client: APIClient, file: CatalogFile) -> None:
    told = data_of(client.delete(f"{FILES}/{file.pk}?rows=delete&dry_run=true"))
    assert (told["dry_run"], told["removed_rows"], OrderLine.objects.count()) == (True, 3, 3)
    assert list(error_of(client.delete(f"{FILES}/{file.pk}?dry_run=1"), 400)["fields"]) == ["dry_run"]


def test_rows_that_were_kept_go_later(client: APIClient, file: CatalogFile) -> None:
    data_of(client.delete(f"{FILES}/{file.pk}"))
    assert error_of(client.delete(f"{FILES}/{file.pk}"), 404)["code"] == "FILE_NOT_FOUND"
    assert data_of(client.delete(f"{FILES}/{file.pk}?rows=delete"))["removed_rows"] == 3
    assert error_of(client.delete(f"{FILES}/{file.pk}?rows=delete"), 404)["code"] == "FILE_NOT_FOUND"


def test_deleted_files_are_listed_for_staff_alone(reader: APIClient, client: APIClient, file: CatalogFile) -> None:
    data_of(client.delete(f"{FILES}/{file.pk}"))
    assert [one["id"] for one in data_of(client.get(f"{FILES}?status=deleted"))] == [file.pk]
    assert data_of(client.get(FILES)) == []
    assert list(error_of(reader.get(f"{FILES}?status=deleted"), 400)["fields"]) == ["status"]


def test_restore(client: APIClient, settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path]
    (tmp_path / "a.csv").write_text("x")
    digest = fingerprint(tmp_path / "a.csv").content_sha256
    file = file_with_rows("a.csv", 1, root=str(tmp_path), content_sha256=digest)
    address = f"{FILES}/{file.pk}/restore"
    assert error_of(client.post(address), 400)["code"] == "VALIDATION_ERROR"
    data_of(client.delete(f"{FILES}/{file.pk}"))
    assert data_of(client.post(address))["status"] == "pending"
    data_of(client.delete(f"{FILES}/{file.pk}"))
    CatalogFile.objects.update(removing="delete")
    assert error_of(client.post(address), 409)["code"] == "FILE_BEING_DELETED"
    CatalogFile.objects.update(removing="")
    (tmp_path / "a.csv").write_text("xy")
    assert error_of(client.post(address), 409)["code"] == "FILE_CHANGED"
    (tmp_path / "a.csv").unlink()
    assert error_of(client.post(address), 409)["code"] == "SOURCE_MISSING"
    assert error_of(client.post(f"{FILES}/404/restore"), 404)["code"] == "FILE_NOT_FOUND"
    assert error_of(APIClient().post(address), 401)["code"] == "NOT_AUTHENTICATED"


@pytest.mark.parametrize("number", ["404", "0", str(2**63), "9" * 500])
def test_what_does_not_exist(client: APIClient, number: str) -> None:
    for response in (client.delete(f"{FILES}/{number}"), client.get(f"{FILES}/{number}/delete-impact")):
        assert error_of(response, 404)["code"] in {"FILE_NOT_FOUND", "NOT_FOUND"}


@pytest.mark.parametrize("method", ["delete", "post"])
def test_none_of_several_exists(client: APIClient, method: str) -> None:
    response = getattr(client, method)(BATCH if method == "delete" else IMPACTS, {"file_ids": [404]})
    assert error_of(response, 404)["code"] == "DATA_NOT_FOUND"


@pytest.mark.parametrize("ids", [[], [1, 1], list(range(1, 1002)), ["1"], [True], [-1], [2**63], 1, None, [[1]]])
def test_ids_are_strict(client: APIClient, ids: object) -> None:
    for response in (client.delete(BATCH, {"file_ids": ids}), client.post(IMPACTS, {"file_ids": ids})):
        assert next(iter(error_of(response, 400)["fields"])).startswith("file_ids")


@pytest.mark.parametrize(
    ("query", "field"),
    [("rows=all", "rows"), ("rows=", "rows"), ("rows=keep&rows=delete", "rows"), ("force=1", "force")],
)
def test_the_query_is_strict(client: APIClient, file: CatalogFile, query: str, field: str) -> None:
    assert list(error_of(client.delete(f"{FILES}/{file.pk}?{query}"), 400)["fields"]) == [field]


@pytest.mark.parametrize("body", [{"rows": "all"}, {"rows": None}, {"dry_run": "yes"}, {"owner": 1}])
def test_the_body_is_strict(client: APIClient, file: CatalogFile, body: dict[str, Any]) -> None:
    assert list(error_of(client.delete(BATCH, {"file_ids": [file.pk], **body}), 400)["fields"]) == list(body)
    assert OrderLine.objects.count() == 3


def test_a_body_that_is_no_json(client: APIClient) -> None:
    broken = client.generic("DELETE", BATCH, "{", content_type="application/json")
    assert error_of(broken, 400)["code"] == "MALFORMED_REQUEST"
    other = client.generic("DELETE", BATCH, "x", content_type="text/plain")
    assert error_of(other, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    large = client.generic("DELETE", BATCH, " " * 3_000_000, content_type="application/json")
    assert error_of(large, 413)["code"] == "PAYLOAD_TOO_LARGE"


def test_signed_out(file: CatalogFile) -> None:
    stranger = APIClient()
    for method, address in (("delete", f"{FILES}/{file.pk}"), ("delete", BATCH), ("post", IMPACTS)):
        assert error_of(getattr(stranger, method)(address), 401)["code"] == "NOT_AUTHENTICATED"
