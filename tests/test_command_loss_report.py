"""``loss_report``: where the rows went, and an exit code that a schedule can act on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from datasync.choices import QuarantineState
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.loss_report import Command
from datasync.models import SyncTaskFile
from tests.flows import quarantine, synced
from tests.runs_support import make_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> SyncTaskFile:
    """Ten rows, one of them in quarantine; another file without loss."""
    synced(make_file(domain="products"), read=10, inserted=10)
    item = synced(make_file(), read=10, inserted=9, quarantined=1)
    quarantine(item, QuarantineState.OPEN)
    return item


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], Exit]:
    command = Command()
    call_command(command, *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found, command.exit_code


def test_all_rows_by_domain(item: SyncTaskFile, capsys: pytest.CaptureFixture[str]) -> None:
    found, code = document(capsys)
    assert (found["rows"]["read"], found["lost"], found["lost_percent"], code) == (20, 1, 5.0, Exit.OK)
    assert [(part["domain"], part["lost"]) for part in found["parts"]] == [("orders", 1), ("products", 0)]


def test_too_much_loss_is_an_exit_code(item: SyncTaskFile, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("--file-id", str(item.file_id)), ("--task", item.task.task_id), ("--domain", "orders")):
        found, code = document(capsys, *arguments)
        assert (found["lost_percent"], found["above_threshold"], code) == (10.0, True, Exit.QUARANTINED)
        assert "release" in found["recovery_suggestion"]
    found, code = document(capsys, "--domain", "orders", "--threshold", "10")
    assert (found["above_threshold"], code) == (False, Exit.OK)


def test_table(item: SyncTaskFile, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("loss_report", "--threshold", "0.5")
    shown = capsys.readouterr().out
    for text in ("quarantined", "open", "products", "tolerated are 0.5 %", "release"):
        assert text in shown
    assert "balance" not in shown


def test_books_that_do_not_balance_are_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    synced(make_file(), read=10, inserted=9)
    call_command("loss_report")
    assert "do not balance" in capsys.readouterr().out


def test_nothing_synced_yet(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("loss_report")
    assert "No file has been synced yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--file-id", "99"), "FILE_NOT_FOUND"), (("--task", "nope"), "TASK_NOT_FOUND")]
)
def test_what_is_not_there_is_said_so(arguments: tuple[str, ...], code: str) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("loss_report", *arguments)
    assert (raised.value.returncode, raised.value.code) == (Exit.USAGE, code)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--domain", "weather"),
        ("--threshold", "101"),
        ("--threshold", "much"),
        ("--threshold", "nan"),
        ("--file-id", "1", "--domain", "orders"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("loss_report", *arguments)
