"""A look into a file before it is synced: where its header is, how it fits, in what it differs, what it may mean."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile
from tests.api import client_of, data_of, error_of, owner
from tests.catalog_support import NAME, PRODUCTS, products, put

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
PREVIEW = "/api/data-sync/preview"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture(autouse=True)
def inbox(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return tmp_path


def catalogued(inbox: Path, content: bytes) -> CatalogFile:
    put(inbox, NAME, content)
    services.scan(sight=EVERYTHING)
    return CatalogFile.objects.get()


def test_a_file_that_fits(client: APIClient, inbox: Path) -> None:
    file = catalogued(inbox, products("1", "2"))
    told = data_of(client.post(PREVIEW, {"file_id": file.pk}))
    assert (told["header_row"], told["detected_header_row"], told["first_row_number"]) == (0, 0, 2)
    assert (told["headers"][0], [row[0] for row in told["rows"]]) == ("商品编号", ["1", "2"])
    assert (told["template_id"], told["template_match"]["outcome"]) == (file.template_id, "exact")
    assert told["differences"]["missing"] == told["differences"]["added"] == []
    assert told["suggested_mapping"] is None


def test_what_differs_is_named(client: APIClient, inbox: Path) -> None:
    header = PRODUCTS.replace("商品访客数量", "访客甲乙丙").replace("赞,", "") + ",备注"
    file = catalogued(inbox, products("1", header=header))
    told = data_of(client.post(PREVIEW, {"file_id": file.pk}))
    assert told["differences"]["added"]
    assert "赞" in told["differences"]["missing"]


def test_the_header_is_found_below_a_title(client: APIClient, inbox: Path) -> None:
    file = catalogued(inbox, "三月报表\r\n\r\n".encode() + products("1"))
    told = data_of(client.post(PREVIEW, {"file_id": file.pk}))
    assert (told["header_row"], told["detected_header_row"]) == (0, 2)
    assert told["suggested_mapping"]["header_row"] == 2
    found = data_of(client.post(PREVIEW, {"file_id": file.pk, "header_row": 2}))
    assert (found["headers"][0], found["first_row_number"]) == ("商品编号", 4)
    assert found["template_match"]["outcome"] == "exact"


def test_no_row_looks_like_a_header(client: APIClient, inbox: Path) -> None:
    file = catalogued(inbox, b"\r\n".join(b"%d,%d" % (number, number) for number in range(3)))
    CatalogFile.objects.update(header_row=None)
    told = data_of(client.post(PREVIEW, {"file_id": file.pk}))
    assert (told["header_row"], told["detected_header_row"]) == (0, None)


@pytest.mark.parametrize("header_row", [3, 100])
def test_a_header_row_beyond_the_end(client: APIClient, inbox: Path, header_row: int) -> None:
    file = catalogued(inbox, products("1"))
    told = data_of(client.post(PREVIEW, {"file_id": file.pk, "header_row": header_row}))
    assert (told["headers"], told["rows"], told["template_match"]) == ([], [], None)


def test_a_suggestion_for_a_header_that_no_template_knows(client: APIClient, inbox: Path) -> None:
    lines = "Bestellung,Artikel,Menge\r\n" + "".join(f"O{number},S{number},2\r\n" for number in range(9))
    file = catalogued(inbox, lines.encode())
    told = data_of(client.post(PREVIEW, {"file_id": file.pk}))
    assert [column["header"] for column in told["suggested_mapping"]["columns"]] == ["Bestellung", "Artikel", "Menge"]


def bomb() -> bytes:
    """A workbook whose cells stand at the two far corners of a sheet."""
    stream = io.BytesIO()
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        "</sheetData></worksheet>"
    )
    with zipfile.ZipFile(stream, "w") as bundle:
        bundle.writestr("[Content_Types].xml", "<Types/>")
        bundle.writestr("xl/workbook.xml", "<workbook/>")
        bundle.writestr("xl/worksheets/sheet1.xml", sheet)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"\x00\x01\x02" * 100, {"UNSUPPORTED_FORMAT"}),
        (b"PK\x03\x04" + b"x" * 200, {"CORRUPT_FILE"}),
        (bomb(), {"UNSAFE_FILE", "CORRUPT_FILE"}),
        (b"", {"EMPTY_FILE"}),
    ],
)
def test_what_cannot_be_read(client: APIClient, inbox: Path, content: bytes, codes: set[str]) -> None:
    file = catalogued(inbox, products("1"))
    (inbox / NAME).write_bytes(content)
    assert error_of(client.post(PREVIEW, {"file_id": file.pk}), 422)["code"] in codes


def test_a_file_that_is_gone(client: APIClient, inbox: Path) -> None:
    file = catalogued(inbox, products("1"))
    (inbox / NAME).unlink()
    assert error_of(client.post(PREVIEW, {"file_id": file.pk}), 409)["code"] == "SOURCE_MISSING"


@pytest.mark.parametrize("body", [{"file_id": "1"}, {"file_id": 0}, {"file_id": 1, "rows": 5}, {}])
def test_the_body_is_strict(client: APIClient, body: dict[str, Any]) -> None:
    error_of(client.post(PREVIEW, body), 400)
    assert error_of(client.post(PREVIEW, {"file_id": 404}), 404)["code"] == "FILE_NOT_FOUND"
    assert error_of(APIClient().post(PREVIEW, body), 401)["code"] == "NOT_AUTHENTICATED"
