"""``files``: list, look into, describe, delete and restore, each with a document and an exit code."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.files import Command
from datasync.mapping.services import load_builtin_templates
from datasync.models import AuditEntry, CatalogFile, OrderLine, Shop
from tests.admin_rows import make_fact
from tests.catalog_support import NAME, products, put
from tests.quarantine_rows import make_file, make_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> CatalogFile:
    """A product export, catalogued by a scan, that wrote two rows."""
    settings.DATA_ROOTS, settings.UPLOAD_DIR = [tmp_path / "inbox"], tmp_path / "uploads"
    load_builtin_templates()
    put(tmp_path / "inbox", NAME, products("1", "2"))
    services.scan(sight=EVERYTHING)
    found = CatalogFile.objects.get()
    for row in (2, 3):
        make_fact(OrderLine, found, sheet_row=row)
    return found


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    capsys.readouterr()
    call_command("files", *map(str, arguments), "--json")
    return json.loads(capsys.readouterr().out)


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    call_command("files", *map(str, arguments))
    return capsys.readouterr().out


def ended(*arguments: object) -> Exit:
    command = Command()
    call_command(command, *map(str, arguments))
    return command.exit_code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], ["b.csv", "a.csv"]),
        (["--status", "pending"], ["b.csv"]),
        (["--status", "deleted"], ["gone.csv"]),
        (["--platform", "shopee", "--shop", "sg1", "--domain", "orders"], ["b.csv", "a.csv"]),
        (["--granularity", "daily"], ["a.csv"]),
        (["--template-status", "missing"], ["b.csv", "a.csv"]),
        (["--search", "A.c"], ["a.csv"]),
        (["--sub-domain", "agent"], []),
        (["--limit", "1"], ["b.csv"]),
    ],
)
def test_list(capsys: pytest.CaptureFixture[str], filters: list[str], found: list[str]) -> None:
    make_file("a.csv", state=FileState.INGESTED)
    make_file("b.csv", granularity="weekly")
    make_file("gone.csv", state=FileState.DELETED)
    document = answer(capsys, "list", *filters)
    assert [one["name"] for one in document["files"]] == found
    assert document["total"] == (2 if "--limit" in filters else len(found))
    text = shown(capsys, "list", *filters)
    assert all(name in text for name in found)
    assert ("No files match" in text) == (not found)


@pytest.mark.parametrize("filters", [["--platform", "shopy"], ["--shop", "nowhere"]])
def test_list_of_what_is_not_known(filters: list[str]) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "list", *filters)
    assert raised.value.returncode == Exit.USAGE


def test_show(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "show", file.pk)
    assert (document["id"], document["status"], document["header"][0]) == (file.pk, "pending", "商品编号")
    assert file.original_name in shown(capsys, "show", file.pk)


def test_describe(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    Shop.objects.create(platform_id="shopee", shop_id="sg-9")
    told = answer(
        capsys, "describe", file.pk, "--shop", "sg-9", "--granularity", "daily", "--period-start", "2026-03-05",
        "--period-end", "2026-03-05", "--collected-at", "2026-03-06T05:00:00",
    )  # fmt: skip
    assert (told["shop"], told["granularity"], told["period_end"]) == ("sg-9", "daily", "2026-03-05")
    assert told["collected_at"] == "2026-03-06T05:00:00Z"
    assert answer(capsys, "describe", file.pk, "--shop", "", "--period-start", "")["shop"] is None
    assert file.original_name in shown(capsys, "describe", file.pk, "--account", "x")


@pytest.mark.parametrize("arguments", [[], ["--shop", "nowhere"], ["--platform", "shopy"], ["--sub-domain", "agent"]])
def test_what_cannot_be_described(file: CatalogFile, arguments: list[str]) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "describe", str(file.pk), *arguments)
    assert raised.value.returncode == Exit.USAGE


@pytest.mark.parametrize("arguments", [["--period-start", "yesterday"], ["--period-end", "2026-02-31"]])
def test_days_that_are_none(file: CatalogFile, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="such as 2026-03-05"):
        call_command("files", "describe", str(file.pk), *arguments)


def test_profile(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "profile", file.pk)
    assert (document["rows"], document["columns"][0]["type"]) == (2, "integer")
    assert "商品编号" in shown(capsys, "profile", file.pk)


def test_preview(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "preview", file.pk)
    assert (document["header_row"], document["detected_header_row"], len(document["rows"])) == (0, 0, 2)
    assert document["match"]["outcome"] == "exact"
    assert answer(capsys, "preview", file.pk, "--header-row", 1)["headers"][0] == "1"
    text = shown(capsys, "preview", file.pk, "--rows", 1)
    assert "商品 1" in text
    assert "商品 2" not in text


def test_preview_of_what_is_gone(file: CatalogFile, tmp_path: Path) -> None:
    (tmp_path / "inbox" / NAME).unlink()
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "preview", str(file.pk))
    assert raised.value.code == "SOURCE_MISSING"


def test_delete_impact(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    make_row(file, 9, "A", "x", "")
    document = answer(capsys, "delete-impact", file.pk, 404)
    assert [(one["rows"], one["quarantined"]["undecided"]) for one in document["files"]] == [(2, 1)]
    assert document["missing_file_ids"] == [404]
    assert file.original_name in shown(capsys, "delete-impact", file.pk)
    assert ended("delete-impact", file.pk) == Exit.OK
    assert ended("delete-impact", file.pk, 404) == Exit.USAGE


def test_delete_and_restore(file: CatalogFile, capsys: pytest.CaptureFixture[str], admin_user: Any) -> None:
    rehearsed = answer(capsys, "delete", file.pk, "--rows", "delete", "--dry-run")
    assert (rehearsed["files"][0]["rows"], rehearsed["removed_rows"], OrderLine.objects.count()) == (2, 2, 2)
    assert "would be deleted" in shown(capsys, "delete", file.pk, "--dry-run")
    done = answer(capsys, "delete", file.pk, "--rows", "delete", "--user", admin_user.username)
    assert (done["finished"], done["removed_rows"], OrderLine.objects.count()) == (True, 2, 0)
    assert AuditEntry.objects.get(action="file_deleted").actor == admin_user
    assert answer(capsys, "restore", file.pk)["status"] == "pending"
    assert "deleted" in shown(capsys, "delete", file.pk)


def test_rows_that_were_kept_go_later(file: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "delete", file.pk)["removed_rows"] == 0
    assert answer(capsys, "delete", file.pk, "--rows", "delete")["removed_rows"] == 2
    assert not OrderLine.objects.exists()


def test_who_described_it_is_written_down(
    file: CatalogFile, capsys: pytest.CaptureFixture[str], admin_user: Any
) -> None:
    answer(capsys, "describe", file.pk, "--account", "shop-7", "--user", admin_user.username)
    entry = AuditEntry.objects.get(action="file_described")
    assert (entry.actor, entry.detail) == (admin_user, {"changed": {"account": {"from": "", "to": "shop-7"}}})


def test_export(file: CatalogFile, capsys: pytest.CaptureFixture[str], tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path / "exports"
    path = tmp_path / "rows.zip"
    told = answer(capsys, "export", file.pk, "--what", "cleaned", "--output", path)
    assert (told["files"], told["missing_file_ids"], told["size"]) == (1, [], path.stat().st_size)
    assert zipfile.ZipFile(path).namelist() == [f"{file.pk}-{file.original_name}-orders.csv"]
    assert str(path) in shown(capsys, "export", file.pk, "--what", "cleaned", "--output", path)
    assert ended("export", file.pk, 404, "--what", "cleaned", "--output", path) == Exit.USAGE


def test_an_export_that_breaks_off_leaves_what_was_there(
    file: CatalogFile, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXPORT_DIR = tmp_path / "exports"
    path = tmp_path / "out" / "rows.zip"
    path.parent.mkdir()
    path.write_bytes(b"the one of before")

    def full(_source: Any, target: Any) -> None:
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(ConsoleError, match="No space left"):
        call_command("files", "export", str(file.pk), "--what", "cleaned", "--output", str(path))
    assert [(found.name, found.read_bytes()) for found in path.parent.iterdir()] == [(path.name, b"the one of before")]


def test_an_export_that_cannot_be_made(file: CatalogFile, tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path / "exports"
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "export", str(file.pk), "--what", "quarantine", "--output", str(tmp_path / "x.zip"))
    assert raised.value.code == "NOTHING_TO_EXPORT"
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "export", str(file.pk), "--what", "cleaned", "--output", str(tmp_path / "no" / "x.zip"))
    assert raised.value.code == "VALIDATION_ERROR"
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "export", "404", "--output", str(tmp_path / "x.zip"))
    assert raised.value.code == "DATA_NOT_FOUND"


def test_delete_says_what_was_left_out(file: CatalogFile) -> None:
    busy = make_file("busy.csv", state=FileState.QUEUED)
    with pytest.raises(ConsoleError) as raised:
        call_command("files", "delete", str(busy.pk))
    assert raised.value.code == "FILE_BUSY"
    assert ended("delete", file.pk, busy.pk, 404) == Exit.USAGE
    file.refresh_from_db()
    assert file.state == FileState.DELETED


def test_a_large_deletion_is_done_here(file: CatalogFile, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.DELETE_AT_ONCE_ROWS = 1
    assert answer(capsys, "delete", file.pk, "--rows", "delete")["finished"]
    assert not OrderLine.objects.exists()


@pytest.mark.parametrize("action", ["show", "describe", "profile", "preview", "delete-impact", "delete", "restore"])
def test_files_that_do_not_exist(action: str) -> None:
    arguments = ["--account", "x"] if action == "describe" else []
    with pytest.raises(ConsoleError) as raised:
        call_command("files", action, "404", *arguments)
    assert raised.value.returncode == Exit.USAGE
    assert "404" in raised.value.message


def test_what_is_not_deleted_is_not_restored(file: CatalogFile) -> None:
    with pytest.raises(ConsoleError, match="not deleted"):
        call_command("files", "restore", str(file.pk))
