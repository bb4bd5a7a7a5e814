"""The quarantine over HTTP: correct, import, release and discard, and each error that these can give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.api.views import quarantine_decisions as views
from datasync.choices import QuarantineState, TemplateState
from datasync.models import CatalogFile, HeaderSet, HeaderTemplate, OrderLine, QuarantinedRow, Shop
from datasync.quarantine import export, selectors
from tests.api import client_of, data_of, error_of, owner
from tests.quarantine_files import AMOUNT, bad, inbox, line, row_of, synced
from tests.quarantine_rows import make_file, make_row, make_task
from tests.runs_support import bell

__all__ = ["bell", "inbox", "owner"]
ROWS = "/api/data-sync/quarantine"
ACTS: dict[str, dict[str, Any]] = {
    "correct": {"header": "Amount", "replacement": "1"},
    "release": {},
    "discard": {"note": "broken"},
}


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def row(db: None) -> QuarantinedRow:
    return make_row(make_file(), 2, "A1", "x", "")


@pytest.fixture
def synced_row(transactional_db: None, bell: Any, inbox: Path) -> QuarantinedRow:
    """A row in quarantine of a file that was really synced."""
    return row_of(synced(inbox, line("A1"), bad("A2")), 3)


def act(client: APIClient, name: str, **body: Any) -> Any:
    return client.post(f"{ROWS}/{name}", json.dumps(ACTS[name] | body), content_type="application/json")


def upload(client: APIClient, content: bytes, name: str = "rows.csv", **fields: Any) -> Any:
    return client.post(f"{ROWS}/import", {"file": SimpleUploadedFile(name, content), **fields}, format="multipart")


def test_correct_then_release(client: APIClient, synced_row: QuarantinedRow, owner: User) -> None:
    address = f"{ROWS}/{synced_row.pk}"
    given = data_of(client.patch(address, {"values": {AMOUNT: "12,x"}}))
    assert (given["changed"], [why["code"] for why in given["reasons"]]) == (1, ["INVALID_NUMBER"])
    given = data_of(client.patch(address, {"values": {"#9": "12.50"}}))
    assert (given["reasons"], given["hindrance"], given["row"]["state"]) == ([], None, "corrected")
    told = data_of(act(client, "release", ids=[synced_row.pk, 404], dry_run=True))
    assert (told["released"], OrderLine.objects.count()) == (1, 1)
    done = data_of(act(client, "release", ids=[synced_row.pk, 404]))
    assert (done["dry_run"], done | {"dry_run": True}) == (False, told)
    assert (done["outcomes"]["inserted"], done["missing_ids"]) == (1, [404])
    assert data_of(client.get(address))["decided_by"] == owner.username
    again = data_of(act(client, "release", ids=[synced_row.pk]))
    assert (again["released"], again["already_decided"]) == (0, 1)


def test_rows_that_stay_are_told(client: APIClient, synced_row: QuarantinedRow) -> None:
    given = data_of(act(client, "release", filter={"file_id": synced_row.file_id, "state": "open"}))
    assert (given["released"], given["rejected"]) == (0, 1)
    assert given["kept"][0]["reasons"][0]["code"] == "INVALID_NUMBER"


def test_discard(client: APIClient, row: QuarantinedRow) -> None:
    assert data_of(act(client, "discard", filter={"domain": "orders"}, dry_run=True))["discarded"] == 1
    assert data_of(act(client, "discard", filter={"domain": "orders"}))["discarded"] == 1
    row.refresh_from_db()
    assert (row.state, row.note) == (QuarantineState.DISCARDED, "broken")


def test_correct_many(client: APIClient, row: QuarantinedRow) -> None:
    body = {"code": "INVALID_NUMBER", "value": "x", "ids": [row.pk]}
    assert data_of(act(client, "correct", **body, dry_run=True))["corrected"] == 1
    assert data_of(act(client, "correct", **body))["corrected"] == 1
    assert data_of(act(client, "correct", **body))["skipped"] == 1
    row.refresh_from_db()
    assert row.corrected == {"1": "1"}


def test_a_sheet_comes_back(client: APIClient, row: QuarantinedRow, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    export.write(selectors.rows(sight=EVERYTHING), path, format="csv")
    content = path.read_bytes().replace(b"A1,x,", b"A1,7,")
    assert data_of(upload(client, content, dry_run="true"))["counts"]["corrected"] == 1
    row.refresh_from_db()
    assert row.corrected is None
    given = data_of(upload(client, content))
    assert given["rows"] == [
        {"sheet": "corrections", "row": 2, "id": row.pk, "outcome": "corrected", "columns": ["Amount"]}
    ]
    row.refresh_from_db()
    assert row.corrected == {"1": "7"}


def test_a_sheet_with_a_row_that_cannot_be_taken(client: APIClient, row: QuarantinedRow, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    export.write(selectors.rows(sight=EVERYTHING), path, format="csv")
    content = path.read_bytes().replace(b"A1,x,", b"A1,7,")
    content += content.splitlines()[1].replace(f",{row.pk},".encode(), b",404,")
    told = data_of(upload(client, content, dry_run="true"))
    assert (told["refused"], told["counts"]["corrected"], told["rows"][0]["outcome"]) == (1, 1, "unknown_id")
    error = error_of(upload(client, content), 422)
    assert (error["code"], error["params"]["count"]) == ("CORRECTIONS_REFUSED", 1)
    assert "corrections 3: " in error["detail"]
    row.refresh_from_db()
    assert row.corrected is None


def test_sheets_that_are_refused(client: APIClient, settings: Any) -> None:
    assert error_of(upload(client, b""), 422)["code"] == "EMPTY_FILE"
    assert error_of(upload(client, b"a,b\n1,2\n"), 422)["code"] == "NOT_AN_EXPORT"
    assert list(error_of(client.post(f"{ROWS}/import", {}, format="multipart"), 400)["fields"]) == ["file"]
    settings.UPLOAD_LIMIT_BYTES = 10
    assert error_of(upload(client, b"x" * 20), 413)["code"] == "TOO_LARGE"


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"), ({"ids": [1], "filter": {"file_id": 1}}, "ids"), ({"ids": []}, "ids"), ({"ids": ["1"]}, "ids.0"),
        ({"ids": [0]}, "ids.0"), ({"ids": list(range(1, 1002))}, "ids"), ({"filter": {}}, "filter"),
        ({"filter": {"state": "gone"}}, "filter.state"), ({"filter": {"owner": 1}}, "filter.owner"),
        ({"filter": {"search": "a\ud800"}}, "filter.search"), ({"ids": [1], "dry_run": "yes"}, "dry_run"),
        ({"ids": [1], "actor": 1}, "actor"),
    ],
)  # fmt: skip
def test_what_is_asked_is_checked(client: APIClient, name: str, body: dict[str, Any], field: str) -> None:
    assert field in error_of(act(client, name, **body), 400)["fields"]


@pytest.mark.parametrize("name", ACTS)
def test_what_does_not_exist(client: APIClient, name: str) -> None:
    assert error_of(act(client, name, ids=[404]), 404)["code"] == "ROW_NOT_FOUND"
    assert error_of(act(client, name, filter={"file_id": 404}), 404)["code"] == "FILE_NOT_FOUND"
    assert error_of(act(client, name, filter={"task_id": "nope"}), 404)["code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("name", ACTS)
def test_a_busy_file(client: APIClient, row: QuarantinedRow, name: str) -> None:
    task = make_task(row.file, task_id="single_1")
    task.items.update(state="processing")
    assert error_of(act(client, name, ids=[row.pk]), 409)["params"] == {"task_id": "single_1"}
    assert error_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"Amount": "1"}}), 409)["code"] == "FILE_BUSY"
    free = make_row(make_file("free.csv"), 2, "A1", "x", "")
    if name == "release":
        return  # the other file has no template here; its own tests say what becomes of the free one
    given = data_of(act(client, name, ids=[row.pk, free.pk]))
    assert given["busy_file_ids"] == [row.file_id]
    assert given["refused_files"][0]["error"]["code"] == "FILE_BUSY"


@pytest.mark.parametrize("name", ACTS)
def test_too_many_rows_for_one_request(
    client: APIClient, row: QuarantinedRow, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_ROWS", 0)
    assert "command" in error_of(act(client, name, filter={"domain": "orders"}), 400)["detail"]


def test_a_release_without_a_template(client: APIClient, synced_row: QuarantinedRow) -> None:
    HeaderTemplate.objects.update(state=TemplateState.ARCHIVED)
    assert error_of(act(client, "release", ids=[synced_row.pk]), 422)["code"] == "NO_TEMPLATE"
    given = data_of(client.patch(f"{ROWS}/{synced_row.pk}", {"values": {AMOUNT: "1"}}))
    assert given["hindrance"]["code"] == "NO_TEMPLATE"


def test_a_release_under_a_header_that_fits_no_longer(client: APIClient, synced_row: QuarantinedRow) -> None:
    other = HeaderSet.objects.create(digest="x", headers=["Deal Price", "Order Status"])
    QuarantinedRow.objects.update(header_set=other)
    assert error_of(act(client, "release", ids=[synced_row.pk]), 422)["code"] == "HEADER_CHANGED"
    synced_row.refresh_from_db()
    assert synced_row.state == QuarantineState.OPEN


def test_a_release_of_a_file_that_is_no_longer_described(client: APIClient, synced_row: QuarantinedRow) -> None:
    CatalogFile.objects.update(granularity="")
    assert error_of(act(client, "release", ids=[synced_row.pk]), 422)["code"] == "NEEDS_DESCRIPTION"


def test_a_release_for_a_shop_without_a_true_time_zone(client: APIClient, synced_row: QuarantinedRow) -> None:
    Shop.objects.update(timezone="Mars/Olympus")
    assert error_of(act(client, "release", ids=[synced_row.pk]), 422)["code"] == "SHOP_TIMEZONE_INVALID"


@pytest.mark.parametrize(
    "values", [{}, [], None, {"Nope": "1"}, {"Amount": 1}, {"Amount": "a\0"}, {"Amount": "\ud800"}, {"\ud800": "1"},
               {"Amount": "x" * 32_768}, {"#4": "1"}, {"Amount": "1", "#2": "2"}]
)  # fmt: skip
def test_corrections_are_checked(client: APIClient, row: QuarantinedRow, values: Any) -> None:
    body = json.dumps({"values": values})
    response = client.patch(f"{ROWS}/{row.pk}", body, content_type="application/json")
    assert error_of(response, 400)["code"] == "VALIDATION_ERROR"


def test_rows_that_cannot_be_corrected(client: APIClient, row: QuarantinedRow) -> None:
    assert error_of(client.patch(f"{ROWS}/404", {"values": {"Amount": "1"}}), 404)["code"] == "ROW_NOT_FOUND"
    QuarantinedRow.objects.update(state=QuarantineState.RELEASED)
    assert error_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"Amount": "1"}}), 409)["code"] == "ROW_DECIDED"


@pytest.mark.parametrize("note", ["", "   ", "x" * 501, None])
def test_a_discard_needs_a_reason(client: APIClient, row: QuarantinedRow, note: str | None) -> None:
    assert "note" in error_of(act(client, "discard", ids=[row.pk], note=note), 400)["fields"]


def test_formula_and_markup_are_data(client: APIClient, row: QuarantinedRow) -> None:
    text = '=HYPERLINK("x")<script>'
    given = data_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"Note": text}}))
    assert given["row"]["cells"][2]["corrected"] == text


@pytest.mark.parametrize("name", ["correct", "release", "discard", "import"])
def test_only_for_who_signed_in(db: None, name: str) -> None:
    assert error_of(APIClient().post(f"{ROWS}/{name}", {}), 401)["code"] == "NOT_AUTHENTICATED"
