"""``coverage``: a table, one JSON document, and an exit code that a pipeline can use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError

from datasync.management.base import Exit
from datasync.mapping import services
from tests.quarantine_rows import make_file
from tests.templates_support import draft

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Exit, str]:
    command: Any = load_command_class("datasync", "coverage")
    call_command(command, *arguments)
    return command.exit_code, capsys.readouterr().out


@pytest.fixture
def half() -> None:
    """One file that fits and one that does not."""
    make_file("a.csv", template=services.publish(draft()), match={"outcome": "exact"})
    make_file("b.csv")


def test_a_family_that_needs_an_update_is_refused(half: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = run(capsys)
    assert code == Exit.REFUSED
    assert "shopee/shopee/orders/daily" in output
    assert "50.0%" in output


def test_as_a_document(half: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = run(capsys, "--json", "--platform", "shopee", "--domain", "orders")
    document = json.loads(output)
    assert (code, document["coverage"]) == (Exit.REFUSED, 50.0)
    assert [(one["status"], one["files"], one["covered"]) for one in document["families"]] == [("needs_update", 2, 1)]


@pytest.mark.parametrize(("least", "code"), [("50", Exit.OK), ("50.1", Exit.REFUSED)])
def test_only_below_a_share(half: None, capsys: pytest.CaptureFixture[str], least: str, code: Exit) -> None:
    assert run(capsys, "--fail-under", least)[0] == code


def test_nothing_to_cover_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    code, output = run(capsys)
    assert (code, "scan" in output) == (Exit.OK, True)
    assert json.loads(run(capsys, "--json", "--fail-under", "99")[1]) == {"coverage": None, "families": []}


@pytest.mark.parametrize("arguments", [("--fail-under", "101"), ("--fail-under", "x"), ("--platform", "nope")])
def test_wrong_arguments(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"percent|nope"):
        call_command("coverage", *arguments)
