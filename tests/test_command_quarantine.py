"""``quarantine``: rows are listed, shown, counted, exported, corrected, released and discarded."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.quarantine import Command
from datasync.models import AuditEntry, CatalogFile, OrderLine, QuarantinedRow
from datasync.quarantine import services
from tests.quarantine_files import AMOUNT, bad, inbox, line, row_of, synced
from tests.quarantine_rows import make_file, make_row, make_task
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
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


def test_one_row_is_shown_with_its_history(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    row = QuarantinedRow.objects.get(sheet_row=2)
    services.correct(row_id=row.pk, given={"Amount": "5"}, actor=None, sight=EVERYTHING)
    document = answer(capsys, "show", str(row.pk))
    assert (document["corrected"], document["history"][0]["action"]) == ({"#2": "5"}, "rows_corrected")
    call_command("quarantine", "show", str(row.pk))
    shown = capsys.readouterr().out
    assert "rows corrected" in shown
    assert "INVALID_NUMBER (=x)" in shown
    with pytest.raises(ConsoleError, match="404") as raised:
        call_command("quarantine", "show", "404")
    assert raised.value.returncode == Exit.USAGE


def test_figures(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "stats", "--platform", "shopee")
    assert (document["total"], document["states"]["discarded"]) == (3, 1)
    call_command("quarantine", "stats", "--search", "stock")
    assert "stock.csv" in capsys.readouterr().out


def test_a_sheet_comes_back(rows: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    call_command("quarantine", "export", "--output", str(path), "--task", "batch_q")
    path.write_text(path.read_text("utf-8-sig").replace("31/02", "7"), "utf-8")
    capsys.readouterr()
    assert answer(capsys, "import", str(path), "--dry-run")["counts"] == {"corrected": 1, "unchanged": 1}
    assert not QuarantinedRow.objects.exclude(corrected=None).exists()
    call_command("quarantine", "import", str(path))
    assert "Amount" in capsys.readouterr().out
    assert QuarantinedRow.objects.get(sheet_row=3).corrected == {"1": "7"}


@pytest.mark.parametrize(("content", "code"), [(None, Exit.USAGE), (b"", Exit.USAGE), (b"a,b\n1,2\n", Exit.USAGE)])
def test_sheets_that_cannot_be_taken(tmp_path: Path, content: bytes | None, code: Exit) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConsoleError) as raised:
        call_command("quarantine", "import", str(path))
    assert raised.value.returncode == code


def test_correct(rows: None, capsys: pytest.CaptureFixture[str], admin_user: Any) -> None:
    asked = ["correct", "Amount", "7", "--value", "31/02", "--all"]
    assert answer(capsys, *asked, "--dry-run")["corrected"] == 1
    assert not AuditEntry.objects.exists()
    document = answer(capsys, *asked, "--user", "admin")
    assert (document["corrected"], document["skipped"], document["already_decided"]) == (1, 1, 1)
    assert AuditEntry.objects.get().actor == admin_user
    call_command("quarantine", *asked)
    assert "decided already" in capsys.readouterr().out


def test_discard(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["discard", "--note", "broken", "--file-id", str(CatalogFile.objects.get(original_name="orders.csv").pk)]
    assert answer(capsys, *asked, "--dry-run")["discarded"] == 2
    assert answer(capsys, *asked)["discarded"] == 2
    assert set(QuarantinedRow.objects.values_list("state", flat=True)) == {QuarantineState.DISCARDED}
    call_command("quarantine", *asked)
    assert "decided already" in capsys.readouterr().out


def test_confirm(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    row = QuarantinedRow.objects.get(sheet_row=2)
    row.reasons = [{"header": "", "code": "WRONG_COLUMN_COUNT", "value": "4"}]
    row.save()
    asked = ["confirm", "--task", "batch_q"]
    assert answer(capsys, *asked, "--dry-run")["corrected"] == 1
    assert not QuarantinedRow.objects.exclude(corrected=None).exists()
    document = answer(capsys, *asked)
    assert (document["corrected"], document["unchanged"]) == (1, 1)
    call_command("quarantine", *asked)
    assert "unchanged" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["release", "discard"])
def test_a_note_that_is_too_long_is_a_usage_error(rows: None, action: str) -> None:
    with pytest.raises(ConsoleError, match="500") as raised:
        call_command("quarantine", action, "--all", "--note", "x" * 501)
    assert raised.value.returncode == Exit.USAGE


def test_a_column_that_no_row_has_is_a_usage_error(rows: None) -> None:
    with pytest.raises(ConsoleError, match="Price") as raised:
        call_command("quarantine", "correct", "Price", "1", "--all")
    assert raised.value.returncode == Exit.USAGE


@pytest.mark.parametrize("action", [["correct", "Amount", "1"], ["confirm"], ["release"], ["discard", "--note", "x"]])
def test_acts_say_on_which_rows(rows: None, action: list[str]) -> None:
    for wrong in ([], ["--id", "424242"], ["--id", "1", "--user", "nobody"]):
        with pytest.raises(ConsoleError) as raised:
            call_command("quarantine", *action, *wrong)
        assert raised.value.returncode == Exit.USAGE


@pytest.mark.django_db(transaction=True)
def test_release(bell: Any, inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = synced(inbox, line("A1"), bad("A2"), bad("A3"))
    asked = ["release", "--file-id", str(file.pk)]
    services.correct(row_id=row_of(file, 3).pk, given={AMOUNT: "12.50"}, actor=None, sight=EVERYTHING)
    told = answer(capsys, *asked, "--dry-run")
    assert (told["released"], told["rejected"], OrderLine.objects.count()) == (1, 1, 1)
    assert command_exit(*asked) == Exit.QUARANTINED
    shown = capsys.readouterr().out
    assert f"{AMOUNT}: INVALID_NUMBER (abc)" in shown
    assert OrderLine.objects.count() == 2
    services.correct(row_id=row_of(file, 4).pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING)
    assert command_exit(*asked) == Exit.OK
    assert "No undecided" not in capsys.readouterr().out
    assert command_exit(*asked) == Exit.OK
    assert "decided already" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_release_of_several_files_of_which_one_is_busy(
    bell: Any, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    busy, free = synced(inbox, bad("A1")), synced(inbox, bad("B1"), day=7)
    for file in (busy, free):
        services.correct(row_id=row_of(file, 2).pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING)
    CatalogFile.objects.filter(pk=busy.pk).update(state="processing")
    assert command_exit("release", "--all") == Exit.REFUSED
    assert f"File {busy.pk}: " in capsys.readouterr().out
    assert OrderLine.objects.count() == 1
    with pytest.raises(ConsoleError, match="already being synced"):
        call_command("quarantine", "release", "--file-id", str(busy.pk))


def command_exit(*arguments: str) -> Exit:
    """How the command ended, called from Python."""
    command = Command()
    call_command(command, *arguments)
    return command.exit_code
