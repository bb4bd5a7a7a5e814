"""The quarantine over HTTP: older content, deleted files, confirmed rows, other people's tasks, large downloads."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.choices import FileState, TemplateState
from datasync.models import CatalogFile, HeaderTemplate, QuarantinedRow
from datasync.quarantine import export
from tests.api import client_of, data_of, error_of, owner
from tests.quarantine_files import bad, inbox, line, row_of, synced
from tests.quarantine_rows import make_file, make_row, make_task
from tests.runs_support import bell

__all__ = ["bell", "inbox", "owner"]
pytestmark = pytest.mark.django_db
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
    """A row that somebody else's task has quarantined."""
    file = make_file()
    return make_row(file, 2, "A1", "x", "", item=make_task(file, task_id="batch_q").items.get())


def act(client: APIClient, name: str, **body: Any) -> Any:
    return client.post(f"{ROWS}/{name}", json.dumps(ACTS[name] | body), content_type="application/json")


@pytest.mark.parametrize("name", ACTS)
def test_older_content(client: APIClient, row: QuarantinedRow, name: str) -> None:
    CatalogFile.objects.update(content_sha256="c" * 64)
    error = error_of(act(client, name, ids=[row.pk]), 409)
    assert (error["code"], "Sync the file" in error["recovery_suggestion"]) == ("FILE_CHANGED", True)
    assert error_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"Amount": "1"}}), 409)["code"] == "FILE_CHANGED"
    if name == "release":
        return  # what becomes of the others is told by its own tests
    free = make_row(make_file("free.csv"), 2, "A1", "x", "")
    refused = data_of(act(client, name, ids=[row.pk, free.pk]))["refused_files"]
    assert [(one["file_id"], one["error"]["code"]) for one in refused] == [(row.file_id, "FILE_CHANGED")]
    assert "Sync the file" in refused[0]["error"]["recovery"]


@pytest.mark.parametrize("name", ACTS)
def test_a_deleted_file(client: APIClient, row: QuarantinedRow, name: str) -> None:
    CatalogFile.objects.update(state=FileState.DELETED)
    assert error_of(act(client, name, ids=[row.pk]), 404)["code"] == "ROW_NOT_FOUND"
    assert error_of(client.get(f"{ROWS}/{row.pk}"), 404)["code"] == "ROW_NOT_FOUND"
    assert error_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"Amount": "1"}}), 404)["code"] == "ROW_NOT_FOUND"
    assert data_of(client.get(ROWS)) == data_of(client.get(f"{ROWS}/files")) == []
    assert data_of(client.get(f"{ROWS}/stats"))["total"] == 0


def test_a_column_that_no_row_has(client: APIClient, row: QuarantinedRow) -> None:
    for header in ("Price", "#4"):
        assert header in error_of(act(client, "correct", ids=[row.pk], header=header), 400)["detail"]
    other = make_row(make_file("b.csv"), 2, "A1", "x", headers=["Order ID", "GMV"])
    given = data_of(act(client, "correct", ids=[row.pk, other.pk], header="GMV"))
    assert (given["corrected"], given["skipped"]) == (1, 1)


@pytest.mark.parametrize("note", ["x" * 501, "a\0b", "\ud800"])
def test_a_note_that_cannot_be_kept(client: APIClient, row: QuarantinedRow, note: str) -> None:
    for name in ("release", "discard"):
        assert "note" in error_of(act(client, name, ids=[row.pk], note=note), 400)["fields"]


def test_a_row_is_confirmed(client: APIClient, row: QuarantinedRow) -> None:
    row.reasons = [{"header": "", "code": "WRONG_COLUMN_COUNT", "value": "4"}]
    row.save()
    assert list(error_of(client.patch(f"{ROWS}/{row.pk}", {"confirmed": False}), 400)["fields"]) == ["values"]
    given = data_of(client.patch(f"{ROWS}/{row.pk}", {"confirmed": True}))
    assert (given["changed"], given["row"]["state"]) == (1, "corrected")
    cell = given["row"]["cells"][0]
    assert (cell["is_corrected"], cell["corrected"]) == (True, cell["value"])


@pytest.mark.django_db(transaction=True)
def test_a_release_by_a_guess_that_is_not_sure(client: APIClient, bell: Any, inbox: Path) -> None:
    row = row_of(synced(inbox, line("A1"), bad("A2")), 3)
    HeaderTemplate.objects.update(state=TemplateState.ARCHIVED)
    CatalogFile.objects.update(suggestion={"domain": "orders", "sure": False})
    row.template = None
    row.save()
    assert error_of(act(client, "release", ids=[row.pk]), 422)["code"] == "UNSURE_MAPPING"
    given = data_of(client.patch(f"{ROWS}/{row.pk}", {"values": {"#9": "1"}}))
    assert given["hindrance"]["code"] == "UNSURE_MAPPING"


def test_tasks_of_others_are_not_named(client: APIClient, owner: User, admin_user: User, row: QuarantinedRow) -> None:
    assert row.item is not None
    row.item.task.owner = admin_user
    row.item.task.save()

    def told(of: APIClient) -> list[Any]:
        book = openpyxl.load_workbook(io.BytesIO(b"".join(of.get(f"{ROWS}/export"))))
        exported = [cell.value for cell in book.worksheets[0][2]][-3]
        patched = data_of(of.patch(f"{ROWS}/{row.pk}", {"values": {"Note": "n"}, "dry_run": True}))["row"]
        return [data_of(of.get(ROWS))[0]["task_id"], data_of(of.get(f"{ROWS}/{row.pk}"))["task_id"],
                patched["task_id"], exported or None]  # fmt: skip

    assert told(client) == [None] * 4
    assert told(client_of(admin_user)) == ["batch_q"] * 4
    row.item.task.owner = owner
    row.item.task.save()
    assert told(client) == ["batch_q"] * 4


def test_a_download_is_limited(client: APIClient, row: QuarantinedRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_DOWNLOADED", 0)
    assert "manage.py quarantine export" in error_of(client.get(f"{ROWS}/export"), 400)["detail"]
    assert b"".join(client.get(f"{ROWS}/export?state=released")).startswith(b"PK")


def test_the_history_names_the_cells_of_one_correction_of_many(client: APIClient, row: QuarantinedRow) -> None:
    other = make_row(row.file, 3, "A2", "x", "")
    act(client, "correct", ids=[row.pk, other.pk])
    history = data_of(client.get(f"{ROWS}/{row.pk}"))["history"]
    assert history[0]["changes"] == [{"column": 2, "header": "Amount", "from": "x", "to": "1"}]
