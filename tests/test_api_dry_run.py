"""``POST files/{id}/dry-run``: what a sync would do, told to a client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.catalog.services import catalogue_path
from datasync.choices import FileState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, OrderLine
from tests.api import client_of, data_of, error_of, person
from tests.dry_runs import snapshot
from tests.order_exports import NAME, line, run, shop_folder, text
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


@pytest.fixture
def owner(transactional_db: None) -> User:
    """Somebody without any rights but to be signed in."""
    return person("owner")


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> CatalogFile:
    """A catalogued export of two good lines and a bad one."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    path = shop_folder(tmp_path) / f"{NAME}.csv"
    path.write_text(text([line("A1"), line("A2", price="<b>"), line("A3")]))
    return catalogue_path(path)


def address(file_id: int) -> str:
    return f"/api/data-sync/files/{file_id}/dry-run"


def test_what_a_sync_would_do(client: APIClient, file: CatalogFile) -> None:
    before = snapshot()
    given = data_of(client.post(address(file.pk)))
    after = snapshot()
    assert {table for table in before if before[table] != after[table]} <= {"erp_apitoken"}  # when it was last used
    assert (given["file_id"], given["file_name"], given["status"]) == (file.pk, f"{NAME}.csv", "partial")
    assert (given["rows"]["read"], given["rows"]["inserted"], given["rows"]["quarantined"]) == (3, 2, 1)
    assert (given["rejected_by_reason"], given["error"], given["warnings"]) == ({"INVALID_NUMBER": 1}, None, [])
    assert (given["period_start"], given["period_end"]) == ("2026-03-06", "2026-03-06")
    assert [row["identity"]["order_id"] for row in given["samples"]["inserted"]] == ["A1", "A3"]
    assert given["samples"]["inserted"][0]["values"]["unit_price"] == "20.0000"
    (bad,) = given["samples"]["quarantined"]
    assert (bad["sheet_row"], bad["reasons"][0]["code"]) == (3, "INVALID_NUMBER")
    assert len(bad["cells"]) == len(given["headers"])
    task = run(file).task
    assert (task.rows_inserted, task.rows_quarantined) == (2, 1)


def test_an_update_shows_what_changes(client: APIClient, file: CatalogFile) -> None:
    run(file)
    OrderLine.objects.filter(order_id="A1").update(content_hash="0" * 32, order_status="Unpaid")
    (row,) = data_of(client.post(address(file.pk)))["samples"]["updated"]
    assert row["differences"] == [
        {"field": "order_status", "header": "Order Status", "stored": "Unpaid", "new": "Completed"}
    ]


def test_an_error_that_would_end_the_sync_is_an_answer(client: APIClient, file: CatalogFile) -> None:
    given = data_of(client.post(address(file.pk), {"allow_quarantine": False}))
    assert (given["error"]["code"], given["status"], given["rows"]["read"]) == ("ROWS_REJECTED", "failed", 0)
    assert [row["sheet_row"] for row in given["samples"]["quarantined"]] == [3]
    chinese = client.post(address(file.pk), {"allow_quarantine": False}, headers={"accept-language": "zh-hans"})
    assert data_of(chinese)["error"]["message"] != given["error"]["message"]
    Path(file.root, file.storage_name).unlink()
    assert data_of(client.post(address(file.pk)))["status"] == FileState.SOURCE_MISSING


def test_a_remark_is_told_by_its_code(client: APIClient, tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    path = shop_folder(tmp_path) / f"{NAME}.csv"
    path.write_text(text([]))
    (remark,) = data_of(client.post(address(catalogue_path(path).pk)))["warnings"]
    assert (remark["code"], bool(remark["message"])) == ("NO_ROWS", True)


def test_a_file_that_is_not_there(client: APIClient, file: CatalogFile) -> None:
    assert error_of(client.post(address(424242)), 404)["code"] == "FILE_NOT_FOUND"
    assert error_of(client.post(address(10**25)), 404)["code"] == "FILE_NOT_FOUND"
    CatalogFile.objects.filter(pk=file.pk).update(state=FileState.DELETED)
    assert error_of(client.post(address(file.pk)), 404)["code"] == "FILE_NOT_FOUND"


def test_a_large_file_is_the_command_s(client: APIClient, file: CatalogFile, settings: Any) -> None:
    settings.DRY_RUN_MOST_BYTES = file.size - 1
    error = error_of(client.post(address(file.pk)), 413)
    assert error["code"] == "TOO_LARGE"
    assert "sync_files --dry-run" in error["recovery_suggestion"]


def test_a_file_that_takes_too_long_is_the_command_s(client: APIClient, file: CatalogFile, settings: Any) -> None:
    settings.DRY_RUN_SECONDS = 0
    error = error_of(client.post(address(file.pk)), 413)
    assert error["code"] == "TOO_LARGE"
    assert "sync_files --dry-run" in error["recovery_suggestion"]


@pytest.mark.parametrize(
    "body", [{"allow_quarantine": "no"}, {"only_with_template": 1}, {"use_template_header_row": None}, {"priority": 5}]
)
def test_wrong_flags_are_named(client: APIClient, file: CatalogFile, body: dict[str, Any]) -> None:
    assert set(error_of(client.post(address(file.pk), body), 400)["fields"]) == set(body)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [("{", "application/json", 400), ("x", "text/plain", 415), (json.dumps(["x" * 2**21]), "application/json", 413)],
)
def test_wrong_bodies(client: APIClient, file: CatalogFile, body: str, kind: str, status: int) -> None:
    error_of(client.generic("POST", address(file.pk), body, content_type=kind), status)


def test_nobody_without_a_token(file: CatalogFile) -> None:
    assert error_of(APIClient().post(address(file.pk)), 401)["code"] == "NOT_AUTHENTICATED"
