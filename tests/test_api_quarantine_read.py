"""The quarantine over HTTP, looked at: lists, one row, figures, files and the download."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.models import CatalogFile
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters
from tests.api import client_of, data_of, error_of, owner, stranger
from tests.quarantine_rows import make_file, make_row, make_task

__all__ = ["owner", "stranger"]
ROWS = "/api/data-sync/quarantine"


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def files(owner: User) -> tuple[CatalogFile, CatalogFile]:
    """An order file with three rows in quarantine, quarantined by a task of the owner, and a stock file with one."""
    orders, stock = make_file(), make_file("stock.csv", domain="inventory", platform=None, shop=None)
    item = make_task(orders, task_id="batch_q", owner=owner).items.get()
    make_row(orders, 2, "A1", "=x", "", item=item)
    make_row(orders, 3, "A2", "31/02", "", item=item, code="INVALID_DATE")
    make_row(orders, 4, "A3", "名称", "", item=item, state=QuarantineState.DISCARDED, note="broken")
    make_row(stock, 2, "S", "?", "", domain="inventory")
    return orders, stock


def listed(client: APIClient, **query: Any) -> list[tuple[str, int]]:
    return [(row["file"], row["sheet_row"]) for row in data_of(client.get(ROWS, query))]


def test_filters(client: APIClient, files: Any) -> None:
    _orders, stock = files
    all_rows = [("orders.csv", 2), ("orders.csv", 3), ("orders.csv", 4), ("stock.csv", 2)]
    assert listed(client) == all_rows
    assert listed(client, file_id=stock.pk) == all_rows[3:]
    assert listed(client, task_id="batch_q") == listed(client, platform="shopee", shop="sg1") == all_rows[:3]
    assert listed(client, domain="inventory", state="open") == all_rows[3:]
    assert listed(client, reason="INVALID_DATE") == [all_rows[1]]
    assert listed(client, state="discarded") == listed(client, search="名称") == [all_rows[2]]
    assert listed(client, search="STOCK") == all_rows[3:]
    assert listed(client, search="%") == listed(client, shop="other") == []


def test_numbered_pages_and_cursor_pages(client: APIClient, files: Any) -> None:
    body = client.get(ROWS, {"page": 2, "page_size": 3}).json()
    assert ([row["sheet_row"] for row in body["data"]], body["pagination"]["total"]) == ([2], 4)
    cursor: Any = ""
    seen: list[tuple[str, int]] = []
    for _page in range(2):
        body = client.get(ROWS, {"cursor": cursor, "page_size": 3}).json()
        seen += [(row["file"], row["sheet_row"]) for row in body["data"]]
        cursor = body["pagination"]["next_cursor"]
    assert (seen, cursor) == (listed(client), None)


@pytest.mark.parametrize(
    "query",
    [
        {"state": "gone"}, {"reason": "NOPE"}, {"domain": "all"}, {"file_id": "x"}, {"search": "\0"}, {"page": 0},
        {"cursor": "nonsense"}, {"values": "1"}, {"reasons__contains": "x"},
    ],
)  # fmt: skip
def test_queries_are_strict(client: APIClient, query: dict[str, str]) -> None:
    assert list(error_of(client.get(ROWS, query), 400)["fields"]) == list(query)


def test_a_page_or_a_cursor(client: APIClient) -> None:
    assert "cursor" in error_of(client.get(ROWS, {"cursor": "", "page": "1"}), 400)["fields"]


@pytest.mark.parametrize("path", ["", "/export", "/stats", "/files"])
def test_files_and_tasks_that_do_not_exist(client: APIClient, stranger: User, files: Any, path: str) -> None:
    assert error_of(client.get(ROWS + path, {"file_id": "404"}), 404)["code"] == "FILE_NOT_FOUND"
    assert error_of(client.get(ROWS + path, {"task_id": "nope"}), 404)["code"] == "TASK_NOT_FOUND"
    other = client_of(stranger)
    assert error_of(other.get(ROWS + path, {"task_id": "batch_q"}), 404)["code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("path", ["", "/export", "/stats", "/files", "/1"])
def test_only_for_who_signed_in(db: None, path: str) -> None:
    assert error_of(APIClient().get(ROWS + path), 401)["code"] == "NOT_AUTHENTICATED"


def test_one_row_with_its_history(client: APIClient, files: Any, owner: User) -> None:
    row = files[0].quarantined.get(sheet_row=2)
    services.correct(row_id=row.pk, given={"Amount": "5"}, actor=owner, sight=EVERYTHING)
    services.discard(filters=Filters(ids=[row.pk]), note="gone", actor=owner, sight=EVERYTHING)
    given = data_of(client.get(f"{ROWS}/{row.pk}"))
    assert given["cells"][1] == {
        "column": "#2", "header": "Amount", "value": "=x", "is_corrected": True, "corrected": "5",
    }  # fmt: skip
    assert (given["task_id"], given["decided_by"], given["note"]) == ("batch_q", "owner", "gone")
    assert [(act["action"], act["actor"], act["note"]) for act in given["history"]] == [
        ("rows_discarded", "owner", "gone"), ("rows_corrected", "owner", ""),
    ]  # fmt: skip
    assert given["history"][1]["changes"] == [{"column": 2, "header": "Amount", "from": "=x", "to": "5"}]


@pytest.mark.parametrize("number", ["0", "404", str(2**63), "x"])
def test_rows_that_do_not_exist(client: APIClient, number: str) -> None:
    assert error_of(client.get(f"{ROWS}/{number}"), 404)["code"] in {"ROW_NOT_FOUND", "NOT_FOUND"}


def test_figures(client: APIClient, files: Any) -> None:
    given = data_of(client.get(f"{ROWS}/stats"))
    assert (given["total"], given["states"]["open"], given["states"]["discarded"]) == (4, 3, 1)
    assert given["reasons"] == {"INVALID_NUMBER": 3, "INVALID_DATE": 1}
    assert given["domains"] == {"orders": 3, "inventory": 1}
    assert [(shop["shop_id"], shop["rows"]) for shop in given["shops"]] == [("sg1", 3), (None, 1)]
    assert [file["rows"] for file in given["files"]] == [3, 1]
    assert given["oldest"] is not None
    assert data_of(client.get(f"{ROWS}/stats", {"state": "released"}))["total"] == 0


def test_files_with_rows(client: APIClient, files: Any) -> None:
    first, second = data_of(client.get(f"{ROWS}/files"))
    assert (first["file"], first["rows"], first["states"]["discarded"]) == ("orders.csv", 3, 1)
    assert first["reasons"] == {"INVALID_NUMBER": 2, "INVALID_DATE": 1}
    assert second["file"] == "stock.csv"
    assert data_of(client.get(f"{ROWS}/files", {"page": 2})) == []


def test_the_download(client: APIClient, files: Any) -> None:
    response: Any = client.get(f"{ROWS}/export", {"file_id": files[0].pk})
    assert response["Content-Disposition"].startswith('attachment; filename="quarantine-')
    assert response["X-Content-Type-Options"] == "nosniff"
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][:2] == ["A1", "'=x"]
    csv: Any = client.get(f"{ROWS}/export", {"format": "csv", "state": "discarded"})
    assert csv["Content-Type"].startswith("text/csv")
    assert "broken" not in b"".join(csv.streaming_content).decode("utf-8-sig").splitlines()[0]
    make_row(files[1], 5, "P", "x", headers=["ID", "GMV"])
    assert error_of(client.get(f"{ROWS}/export", {"format": "csv"}), 400)["code"] == "VALIDATION_ERROR"
    assert "format" in error_of(client.get(f"{ROWS}/export", {"format": "pdf"}), 400)["fields"]


@pytest.mark.parametrize("path", ["", "/stats", "/files"])
def test_the_cost_does_not_grow_with_the_rows(client: APIClient, files: Any, path: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            data_of(client.get(f"{ROWS}{path}?page_size=200" if path != "/stats" else ROWS + path))
        return len(queries)

    client.get(ROWS + path)
    few = cost()
    for number in range(10, 60):
        make_row(files[0], number, "A", "x", "")
        make_row(make_file(f"more{number}.csv"), 2, "A", "x", "")
    assert cost() == few <= 10


@pytest.mark.parametrize("call", ["", "/files", "/stats"])
@pytest.mark.parametrize(("name", "value"), [("state", "lost"), ("domain", "weather"), ("color", "red")])
def test_a_wrong_filter_is_named(client: APIClient, call: str, name: str, value: str) -> None:
    error = error_of(client.get(f"{ROWS}{call}", {name: value}), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [name])
