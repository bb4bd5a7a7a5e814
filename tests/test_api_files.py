"""The catalogue over HTTP: lists that filter strictly and stay cheap, uploads, refresh, and a look inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.choices import FileState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, HeaderTemplate, Platform, Shop
from tests.api import client_of, data_of, error_of, owner
from tests.test_api_submit import files, pending_file

__all__ = ["files", "owner"]
FILES = "/api/data-sync/files"
REFRESH = f"{FILES}/refresh"
PREVIEW = "/api/data-sync/preview"
NAME = "shopee_orders_daily_20260306_131650.csv"
CONTENT = "Order ID,Order Status,Quantity\n260306DRVKC6W4,Completed,2\n260306DRVKC6W5,Shipped,1\n"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> Path:
    """An inbox and an upload folder of the test's own; returns the inbox."""
    settings.DATA_ROOTS = [tmp_path / "inbox"]
    settings.UPLOAD_DIR = tmp_path / "uploads"
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def upload(client: APIClient, *contents: bytes, name: str = NAME, **fields: Any) -> Any:
    given = [SimpleUploadedFile(name, content) for content in contents]
    return client.post(FILES, {"file": given, **fields}, format="multipart")


def test_an_upload_is_catalogued_and_described(client: APIClient, owner: User) -> None:
    load_builtin_templates()
    given = data_of(upload(client, CONTENT.encode(), shop_id="sg-2", granularity="weekly"), 201)
    assert [(one["name"], one["error"]) for one in given] == [(NAME, None)]
    file = given[0]["file"]
    assert (file["platform"], file["domain"], file["granularity"]) == ("shopee", "orders", "weekly")
    assert file["shop"]["shop_id"] == "sg-2"
    assert file["original_name"] == NAME
    assert file["description_sources"]["granularity"] == "uploader"
    assert data_of(client.get(f"{FILES}/{file['id']}")) == file
    assert CatalogFile.objects.get().uploaded_by == owner


def test_several_files_of_which_one_is_bad(client: APIClient) -> None:
    given = data_of(upload(client, CONTENT.encode(), b""), 201)
    assert [bool(one["file"]) for one in given] == [True, False]
    assert given[1]["error"]["code"] == "EMPTY_FILE"


def test_only_bad_files(client: APIClient) -> None:
    assert error_of(upload(client, b""), 422)["code"] == "EMPTY_FILE"
    assert not CatalogFile.objects.exists()


def test_a_file_over_the_limit(client: APIClient, settings: Any) -> None:
    settings.UPLOAD_LIMIT_BYTES = 10
    assert error_of(upload(client, CONTENT.encode()), 413)["code"] == "TOO_LARGE"
    assert error_of(upload(client, b"x" * 1_100_000), 413)["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    "fields",
    [
        {"owner": "1"},
        {"state": "ingested"},
        {"domain": "everything"},
        {"sub_domain": "agent"},
        {"granularity": "yearly"},
        {"collected_at": "yesterday"},
        {"platform": ["shopee", "tiktok"]},
        {"shop_id": "x" * 101},
    ],
)
def test_descriptions_are_strict(client: APIClient, fields: dict[str, Any]) -> None:
    assert list(error_of(upload(client, CONTENT.encode(), **fields), 400)["fields"]) == list(fields)
    assert not CatalogFile.objects.exists()


def test_an_unknown_platform(client: APIClient) -> None:
    assert "shopy" in error_of(upload(client, CONTENT.encode(), platform="shopy"), 400)["detail"]


def test_periods_do_not_end_before_they_begin(client: APIClient) -> None:
    response = upload(client, CONTENT.encode(), period_start="2026-03-06", period_end="2026-03-05")
    assert list(error_of(response, 400)["fields"]) == ["period_end"]


@pytest.mark.parametrize("body", [{}, {"file": "no file"}])
def test_an_upload_without_a_file(client: APIClient, body: dict[str, str]) -> None:
    assert "file" in str(error_of(client.post(FILES, body, format="multipart"), 400)["fields"])


def test_hostile_names_lead_nowhere(client: APIClient, tmp_path: Path) -> None:
    for name in ("../../etc/passwd.csv", "a\nb.csv", ";rm -rf.csv", "🙂.csv", "%00.csv"):
        data_of(upload(client, name.encode() + CONTENT.encode(), name=name), 201)
    assert {path.parent.parent.parent for path in (tmp_path / "uploads").rglob("*.csv")} == {tmp_path / "uploads"}


def test_refresh_scans_the_folders(client: APIClient, folders: Path) -> None:
    (folders / NAME).write_text(CONTENT)
    assert data_of(client.post(REFRESH))["new"] == 1
    again = client.post(REFRESH)
    assert (data_of(again)["new"], data_of(again)["unchanged"]) == (0, 1)
    assert data_of(client.get(FILES))[0]["storage_name"] == NAME


def test_no_path_of_the_disk_is_told(client: APIClient, folders: Path) -> None:
    (folders / NAME).write_text(CONTENT)
    client.post(REFRESH)
    upload(client, CONTENT.encode() + b"x,y,1\n")
    number = CatalogFile.objects.latest("id").pk
    for address in (FILES, f"{FILES}/{number}"):
        shown = client.get(address).content.decode()
        assert str(folders.parent) not in shown
        assert str(configured.BASE_DIR) not in shown


def test_filters(client: APIClient, files: list[CatalogFile]) -> None:
    shop = Shop.objects.create(platform_id="shopee", shop_id="sg-2")
    CatalogFile.objects.filter(pk=files[0].pk).update(shop=shop, state=FileState.INGESTED)
    CatalogFile.objects.filter(pk=files[1].pk).update(match={"outcome": "blocked"})

    def found(**query: str) -> list[int]:
        return sorted(file["id"] for file in data_of(client.get(FILES, query)))

    first, second, third = (file.pk for file in files)
    assert found() == [first, second, third]
    assert found(platform="tiktok") == [third]
    assert found(shop="sg-2") == [first]
    assert found(status="pending", domain="orders", granularity="daily") == [second, third]
    assert found(template_status="update_required") == [second]
    assert found(template_status="missing") == [first, third]
    assert found(template_status="matched") == []
    assert found(search="3.XL") == [third]
    assert found(search="%") == []


def test_ordering(client: APIClient, files: list[CatalogFile]) -> None:
    for size, file in enumerate(files):
        CatalogFile.objects.filter(pk=file.pk).update(size=100 - size)
    assert [file["size"] for file in data_of(client.get(FILES, {"ordering": "size"}))] == [98, 99, 100]
    assert [file["size"] for file in data_of(client.get(FILES, {"ordering": "-size"}))] == [100, 99, 98]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "pending"},
        {"platform__name__contains": "S"},
        {"uploaded_by__password__startswith": "p"},
        {"shop__platform": "shopee"},
        {"ordering": "uploaded_by__password"},
        {"ordering": "--id"},
        {"search": "x" * 201},
        {"search": "\u0000"},
        {"template_status": "maybe"},
    ],
)
def test_queries_are_strict(client: APIClient, query: dict[str, str]) -> None:
    assert list(error_of(client.get(FILES, query), 400)["fields"]) == list(query)


def test_the_cost_of_a_list_does_not_grow(client: APIClient) -> None:
    load_builtin_templates()
    templates = list(HeaderTemplate.objects.all())
    Platform.objects.get_or_create(code="shopee")

    def add(numbers: range) -> None:
        for number in numbers:
            file = pending_file(number, platform="shopee")
            shop = Shop.objects.create(platform_id="shopee", shop_id=f"shop {number}")
            template = templates[number % len(templates)]
            CatalogFile.objects.filter(pk=file.pk).update(shop=shop, template=template)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            data_of(client.get(FILES, {"page_size": 200}))
        return len(queries)

    client.get(FILES)
    add(range(10))
    few = cost()
    add(range(10, 200))
    assert cost() == few <= 4


@pytest.mark.parametrize("number", ["0", "404", str(2**63), "9" * 5000, "-1", "x", "%00"])
def test_files_that_do_not_exist(client: APIClient, number: str) -> None:
    assert error_of(client.get(f"{FILES}/{number}"), 404)["code"] in {"FILE_NOT_FOUND", "NOT_FOUND"}


def test_preview(client: APIClient) -> None:
    load_builtin_templates()
    content = "report of March\n" + CONTENT + "x,y,1\n" * 150
    file = data_of(upload(client, content.encode()), 201)[0]["file"]
    given = data_of(client.post(PREVIEW, {"file_id": file["id"], "header_row": 1}))
    assert given["headers"] == ["Order ID", "Order Status", "Quantity"]
    assert given["rows"][0] == ["260306DRVKC6W4", "Completed", "2"]
    assert len(given["rows"]) == 100
    assert given["first_row_number"] == 3
    suggested = {column["header"]: column["field"] for column in given["suggested_mapping"]["columns"]}
    assert suggested["Order ID"] == "order_id"


def test_preview_of_a_file_that_is_gone(client: APIClient, tmp_path: Path) -> None:
    file = data_of(upload(client, CONTENT.encode()), 201)[0]["file"]
    (tmp_path / "uploads" / file["storage_name"]).unlink()
    assert error_of(client.post(PREVIEW, {"file_id": file["id"]}), 409)["code"] == "SOURCE_MISSING"
    assert error_of(client.post(PREVIEW, {"file_id": 404}), 404)["code"] == "FILE_NOT_FOUND"


@pytest.mark.parametrize("header_row", [-1, 101, "1", 1.5, True, None])
def test_the_header_row_of_a_preview(client: APIClient, header_row: object) -> None:
    assert list(error_of(client.post(PREVIEW, {"file_id": 1, "header_row": header_row}), 400)["fields"]) == [
        "header_row"
    ]


def test_script_in_a_name_is_data(client: APIClient) -> None:
    name = "<script>alert(1)</script>.csv"
    response = upload(client, CONTENT.encode(), name=name)
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.content)["success"] is True
