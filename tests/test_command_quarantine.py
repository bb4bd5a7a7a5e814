"""``quarantine``: rows are listed with their reasons and written to a spreadsheet."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from datasync.management.base import ConsoleError, Exit
from tests.quarantine_rows import make_file, make_row, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> None:
    file = make_file()
    item = make_task(file, task_id="batch_q").items.get()
    make_row(file, 2, "A1", "=x", "", item=item)
    make_row(file, 3, "A2", "31/02", "", code="INVALID_DATE", item=item)
    make_row(make_file("stock.csv"), 9, "S", "?", "", domain="inventory", state="discarded")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("quarantine", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], [2, 3, 9]),
        (["--task", "batch_q"], [2, 3]),
        (["--reason", "INVALID_DATE"], [3]),
        (["--domain", "inventory"], [9]),
        (["--state", "open", "--state", "discarded"], [2, 3, 9]),
        (["--limit", "1"], [2]),
    ],
)
def test_list_json(rows: None, capsys: pytest.CaptureFixture[str], filters: list[str], found: list[int]) -> None:
    document = answer(capsys, "list", *filters)
    assert [row["sheet_row"] for row in document["rows"]] == found
    assert document["total"] == (3 if "--limit" in filters else len(found))


def test_list_as_a_table(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("quarantine", "list", "--limit", "2")
    shown = capsys.readouterr().out
    assert "Amount: INVALID_DATE (31/02)" in shown
    assert "2 of 3 rows" in shown


def test_nothing_to_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("quarantine", "list")
    assert "No quarantined rows match" in capsys.readouterr().out


def test_export_takes_the_format_from_the_name(rows: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    assert answer(capsys, "export", "--output", str(path)) == {"path": str(path), "rows": 3, "sheets": 1}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    assert [line[1] for line in lines] == ["Amount", "'=x", "31/02", "?"]


def test_export_of_nothing_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.xlsx"
    assert answer(capsys, "export", "--output", str(path))["rows"] == 0
    assert not path.exists()


@pytest.mark.parametrize("action", ["list", "export"])
@pytest.mark.parametrize(("option", "value"), [("--task", "nope"), ("--file-id", "424242")])
def test_what_is_not_known_is_a_usage_error(rows: None, action: str, option: str, value: str) -> None:
    with pytest.raises(ConsoleError, match=value) as raised:
        call_command("quarantine", action, option, value)
    assert raised.value.returncode == Exit.USAGE


@pytest.mark.parametrize("name", ["no/such/folder/rows.xlsx", "rows.pdf"])
def test_export_that_cannot_be_written_is_a_usage_error(rows: None, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("quarantine", "export", "--output", str(tmp_path / name))
    assert raised.value.returncode == Exit.USAGE
