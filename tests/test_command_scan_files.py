"""``scan_files`` and ``make_samples``: files come into the roots and into the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from datasync.management.base import ConsoleError, Exit
from datasync.models import CatalogFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    """An empty root, in which nothing is taken to be still growing."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]
    settings.GROWING_SECONDS = 0
    return folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command(*arguments, "--json")
    captured = capsys.readouterr()
    return json.loads(captured.out)


def write_export(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"Order ID,Quantity\n{name},1\n", encoding="utf-8")
    return path


def test_samples_are_made_and_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = answer(capsys, "make_samples", "--rows", "300", "--seed", "7")
    assert made["folder"] == str(root)
    assert made["rows"] == sum(file["rows_read"] for file in made["expected"])
    found = answer(capsys, "scan_files")
    assert found["new"] == made["files"] == CatalogFile.objects.count()
    again = answer(capsys, "scan_files")
    assert (again["new"], again["unchanged"]) == (0, made["files"])


def test_samples_into_a_folder_that_cannot_be_written(root: Path) -> None:
    blocked = root / "file"
    blocked.write_text("x")
    with pytest.raises(ConsoleError) as raised:
        call_command("make_samples", str(blocked / "below"), "--rows", "100")
    assert raised.value.returncode == Exit.USAGE


def test_one_folder_or_one_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_export(root, "a/shopee_orders_daily_20260101_000000.csv")
    single = write_export(root, "b/shopee_orders_daily_20260102_000000.csv")
    write_export(root, "b/shopee_orders_daily_20260103_000000.csv")
    assert answer(capsys, "scan_files", str(root / "a"))["new"] == 1
    document = answer(capsys, "scan_files", "--root", str(root), str(single.relative_to(root)))
    assert [file["name"] for file in document["files"]] == [single.name]
    assert CatalogFile.objects.count() == 2
    assert answer(capsys, "scan_files", "--root", str(root))["new"] == 1


def test_table_says_what_was_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("scan_files")
    assert "No export files were found" in capsys.readouterr().out
    write_export(root, "nobody-knows.csv")
    call_command("scan_files")
    shown = capsys.readouterr().out
    assert "new" in shown
    assert "description" in shown


def test_progress_goes_to_standard_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_export(root, "shopee_orders_daily_20260101_000000.csv")
    call_command("scan_files", "--json", "--progress")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["new"] == 1
    assert "files" in captured.err
    call_command("scan_files", "--json")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["/etc"], ["/etc/hosts"], ["--root", "{root}", "../x"], ["--user", "nobody"]])
def test_outside_of_the_roots_is_a_usage_error(root: Path, arguments: list[str]) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("scan_files", *(argument.format(root=root) for argument in arguments))
    assert raised.value.returncode == Exit.USAGE
