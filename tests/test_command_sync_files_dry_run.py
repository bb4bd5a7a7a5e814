"""``sync_files --dry-run``: every chosen file rehearsed, nothing queued, and the exit code of the sync."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from datasync.catalog.services import catalogue_path
from datasync.choices import FileState
from datasync.exceptions import TransientError
from datasync.management import dry_run as module
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.sync_files import Command
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile
from tests.dry_runs import snapshot
from tests.order_exports import line, run, shop_folder, text
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def export(inbox: Path, day: int, *lines: list[str], header: str = "Order Creation Date") -> CatalogFile:
    path = inbox / f"shopee_orders_daily_202603{day:02d}_100000.csv"
    path.write_text(text(lines).replace("Order Creation Date", header))
    return catalogue_path(path)


def dry(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, int]:
    """The document and the exit code; nothing may have changed."""
    before = snapshot()
    command = Command()
    call_command(command, "--dry-run", "--json", *arguments)
    assert snapshot() == before
    return json.loads(capsys.readouterr().out), command.exit_code


def test_every_pending_file_alone(inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = export(inbox, 6, line("A1"), line("A2"))
    run(done)
    newer, other = export(inbox, 8, line("A1", price="30.00"), line("B1")), export(inbox, 9, line("B1"))
    document, code = dry(capsys)
    assert (code, document["files"], document["rows"]["inserted"]) == (Exit.OK, {"total": 2, "refused": 0}, 2)
    first, second = document["results"]
    assert (first["file_id"], first["rows"]["updated"], first["status"]) == (newer.pk, 1, "ingested")
    assert first["samples"]["updated"][0]["differences"][0]["new"] == "30.0000"
    assert (second["file_id"], second["rows"]["inserted"]) == (other.pk, 1)
    document, code = dry(capsys, "--file-id", str(done.pk), "--file-id", "424242")
    assert (document["results"][0]["rows"]["unchanged"], document["missing_file_ids"]) == (2, [424242])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--all"], 2),
        (["--limit", "1"], 1),
        (["--shop", "shopee_ana_sg"], 2),
        (["--domain", "products"], 0),
        (["--platform", "shopee", "--granularity", "daily", "--since-hours", "1"], 2),
    ],
)
def test_filters(inbox: Path, capsys: pytest.CaptureFixture[str], filters: list[str], expected: int) -> None:
    shop = export(inbox, 6, line("A1")).shop
    export(inbox, 7, line("A2"))
    assert shop is not None
    document, _code = dry(capsys, *[shop.shop_id if part == "shopee_ana_sg" else part for part in filters])
    assert document["files"]["total"] == expected


def test_exit_codes_are_those_of_the_sync(inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = export(inbox, 6, line("A1"), line("A2", price="x"))
    changed = export(inbox, 7, line("A1"), header="Somewhen")
    assert dry(capsys, "--file-id", str(bad.pk))[1] == Exit.QUARANTINED
    refused, code = dry(capsys, "--file-id", str(bad.pk), "--refuse-quarantine")
    assert (code, refused["results"][0]["error"]["code"]) == (Exit.QUARANTINED, "ROWS_REJECTED")
    both, code = dry(capsys, "--file-id", str(bad.pk), "--file-id", str(changed.pk))
    assert (code, both["files"]["refused"]) == (Exit.REFUSED, 1)


def test_the_table_says_what_changes_and_why_not(inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(export(inbox, 6, line("A1")))
    export(inbox, 8, line("A1", price="30.00"), line("A2", price="\x1b[31mx"))
    changed = export(inbox, 9, line("A1"), header="Somewhen")
    command = Command()
    call_command(command, "--dry-run", "--file-id", str(changed.pk), *_ids_of(FileState.PENDING), "--progress")
    captured = capsys.readouterr()
    assert "nothing was written" in captured.out
    assert "HEADER_CHANGED" in captured.out
    assert re.search(r"unit_price +20\.0000 +30\.0000", captured.out)
    assert "INVALID_NUMBER" in captured.out
    assert "\x1b" not in captured.out
    assert "files" in captured.err


def _ids_of(state: FileState) -> list[str]:
    ids = CatalogFile.objects.filter(state=state).values_list("pk", flat=True)
    return [part for pk in ids for part in ("--file-id", str(pk))]


def test_rows_are_shown_of_the_first_files_only(
    inbox: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SAMPLED_FILES", 1)
    export(inbox, 6, line("A1"))
    export(inbox, 7, line("A2"))
    document, _code = dry(capsys)
    assert [bool(one["samples"]) for one in document["results"]] == [True, False]


def test_nothing_pending_is_no_error(inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, code = dry(capsys)
    assert (document["files"]["total"], code) == (0, Exit.OK)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--file-id", "424242"], "424242"),
        (["--user", "nobody"], "nobody"),
        (["--platform", "nowhere"], "nowhere"),
        (["--all", "--limit", "5"], "--all"),
    ],
)
def test_usage_errors(inbox: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(ConsoleError, match=named) as raised:
        call_command("sync_files", "--dry-run", *arguments)
    assert raised.value.returncode == Exit.USAGE


def test_trouble_outside_the_file_ends_with_5(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise TransientError

    monkeypatch.setattr(module, "dry_run", away)
    export(inbox, 6, line("A1"))
    with pytest.raises(ConsoleError) as raised:
        call_command("sync_files", "--dry-run")
    assert raised.value.returncode == Exit.UNAVAILABLE
