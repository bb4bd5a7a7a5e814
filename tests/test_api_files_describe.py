"""Correcting a description over HTTP, and the profile of a file's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState
from datasync.mapping.services import load_builtin_templates
from datasync.models import AuditEntry, CatalogFile, OrderLine, Shop
from tests.admin_rows import make_fact
from tests.api import client_of, data_of, error_of, owner
from tests.catalog_support import NAME, products, put
from tests.quarantine_rows import make_file

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
FILES = "/api/data-sync/files"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> CatalogFile:
    """A product export of a known shop, catalogued by a scan."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    put(tmp_path, NAME, products("1", "2"))
    services.scan(sight=EVERYTHING)
    return CatalogFile.objects.get()


def test_a_correction_is_matched_anew(client: APIClient, file: CatalogFile) -> None:
    Shop.objects.create(platform_id="shopee", shop_id="sg-9")
    body = {"shop_id": "sg-9", "granularity": "daily", "period_start": "2026-03-05", "period_end": "2026-03-05"}
    told = data_of(client.patch(f"{FILES}/{file.pk}", body | {"collected_at": "2026-03-06T05:16:50Z"}))
    assert (told["shop"]["shop_id"], told["granularity"], told["status"]) == ("sg-9", "daily", "pending")
    assert (told["period_start"], told["collected_at"]) == ("2026-03-05", "2026-03-06T05:16:50Z")
    assert told["description_sources"]["shop_id"] == told["description_sources"]["collected_at"] == "uploader"
    assert "daily" in told["template"]
    assert told["stored_rows"] is None


def test_fields_are_cleared(client: APIClient, file: CatalogFile) -> None:
    told = data_of(client.patch(f"{FILES}/{file.pk}", {"shop_id": None, "domain": "", "period_start": None}))
    assert (told["shop"], told["domain"], told["period_start"]) == (None, "", None)
    assert (told["status"], told["last_error"]["code"]) == ("needs_description", "NEEDS_DESCRIPTION")


def test_rows_that_are_stored_already_are_spoken_of(client: APIClient, file: CatalogFile) -> None:
    make_fact(OrderLine, file)
    CatalogFile.objects.update(state=FileState.INGESTED)
    response = client.patch(f"{FILES}/{file.pk}", {"account": "other"})
    told = data_of(response)["stored_rows"]
    assert told["rows"] == 1
    assert "synced again" in response.json()["message"]
    assert data_of(client.get(told["delete_impact"]))["rows"] == 1


def test_a_busy_file_is_not_described(client: APIClient) -> None:
    busy = make_file(state=FileState.QUEUED)
    assert error_of(client.patch(f"{FILES}/{busy.pk}", {"account": "x"}), 409)["code"] == "FILE_BUSY"
    assert error_of(client.patch(f"{FILES}/404", {"account": "x"}), 404)["code"] == "FILE_NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"shop_id": "nowhere"}, "shop_id"),
        ({"platform": "shopy"}, "shopy"),
        ({"sub_domain": "agent"}, "sub-domains"),
        ({"granularity": "snapshot"}, "snapshot"),
        ({"period_start": "2026-03-06", "period_end": "2026-03-05"}, "period"),
        ({"platform": "tiktok"}, "another platform"),
    ],
)
def test_what_cannot_go_together(client: APIClient, file: CatalogFile, body: dict[str, Any], said: str) -> None:
    error = error_of(client.patch(f"{FILES}/{file.pk}", body), 400)
    assert error["code"] == "VALIDATION_ERROR"
    assert said in error["detail"]
    named = {"sub-domains": "sub_domain", "another platform": "shop_id", "period": "period_end"}
    assert list(error["fields"]) == [named.get(said, next(iter(body)))]
    assert CatalogFile.objects.get().granularity == "monthly"


@pytest.mark.parametrize(
    "body",
    [
        {"shop": 1},
        {"state": "ingested"},
        {"domain": "everything"},
        {"granularity": 1},
        {"platform": 1},
        {"period_start": "yesterday"},
        {"collected_at": "now"},
        {"account": "x" * 201},
        {"shop_id": "a\u0000b"},
    ],
)
def test_fields_are_strict(client: APIClient, file: CatalogFile, body: dict[str, Any]) -> None:
    assert list(error_of(client.patch(f"{FILES}/{file.pk}", body), 400)["fields"]) == list(body)


def test_nothing_to_correct(client: APIClient, file: CatalogFile) -> None:
    assert "at least one" in error_of(client.patch(f"{FILES}/{file.pk}", {}), 400)["detail"]


def test_the_profile_of_its_columns(client: APIClient, file: CatalogFile) -> None:
    told = data_of(client.get(f"{FILES}/{file.pk}/profile"))
    columns = {column["header"]: column for column in told["columns"]}
    assert (told["profiled_rows"], told["header_row"]) == (2, 0)
    assert columns["商品编号"] == {
        "header": "商品编号", "type": "integer", "empty": 0.0, "distinct": 2, "min": 1, "max": 2,
        "examples": ["1", "2"],
    }  # fmt: skip
    assert columns["Current Item Status"]["type"] == "text"


def test_a_file_without_a_profile_is_looked_into(client: APIClient, file: CatalogFile) -> None:
    CatalogFile.objects.update(profile=[], profiled_rows=0, format="")
    assert data_of(client.get(f"{FILES}/{file.pk}/profile"))["profiled_rows"] == 2
    assert CatalogFile.objects.get().profile != []


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [(b"\x00\x01\x02" * 100, "UNSUPPORTED_FORMAT", 422), (b"PK\x03\x04" + b"x" * 200, "CORRUPT_FILE", 422)],
)
def test_a_profile_of_what_cannot_be_read(
    client: APIClient, file: CatalogFile, tmp_path: Path, content: bytes, code: str, status: int
) -> None:
    (tmp_path / NAME).write_bytes(content)
    CatalogFile.objects.update(profile=[])
    assert error_of(client.get(f"{FILES}/{file.pk}/profile"), status)["code"] == code


def test_a_profile_of_what_is_gone(client: APIClient, file: CatalogFile, tmp_path: Path) -> None:
    CatalogFile.objects.update(profile=[])
    (tmp_path / NAME).unlink()
    assert error_of(client.get(f"{FILES}/{file.pk}/profile"), 409)["code"] == "SOURCE_MISSING"
    assert error_of(client.get(f"{FILES}/404/profile"), 404)["code"] == "FILE_NOT_FOUND"


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    "field",
    ["platform", "source_platform", "shop_id", "domain", "sub_domain", "granularity", "account", "period_start",
     "period_end", "collected_at"],
)  # fmt: skip
def test_null_or_an_empty_text_clears_any_field(
    client: APIClient, file: CatalogFile, field: str, empty: str | None
) -> None:
    also = {"platform": {"shop_id": None}, "domain": {"sub_domain": None}}.get(field, {})
    told = data_of(client.patch(f"{FILES}/{file.pk}", {field: empty, **also}))
    if field == "source_platform":
        assert told[field] == told["platform"], "a platform exports its own files unless told otherwise"
    else:
        assert told["shop" if field == "shop_id" else field] in {None, ""}


def test_what_changed_and_who_said_so_is_written_down(client: APIClient, file: CatalogFile) -> None:
    data_of(client.patch(f"{FILES}/{file.pk}", {"account": "shop-7"}))
    data_of(client.patch(f"{FILES}/{file.pk}", {"account": "shop-7"}))
    entry = AuditEntry.objects.get(action="file_described")
    assert (entry.actor_name, entry.file_id) == ("owner", file.pk)
    assert entry.detail == {"changed": {"account": {"from": "", "to": "shop-7"}}}
