"""Archives: made by a worker, downloaded by their owner, ended whatever happens, removed when they expire."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import ExportKind, ExportState
from datasync.exceptions import DataNotFound, FencedOut, TooLarge
from datasync.exports import make, members, services
from datasync.exports.exceptions import ExportNotFound
from datasync.models import (
    CatalogFile,
    ExportArchive,
    OrderLine,
    ProductMetric,
    QuarantinedRow,
    SyncProgressTask,
    SyncTaskFile,
)
from datasync.tasks import export_file
from tests.admin_rows import make_fact
from tests.api import owner, staff, stranger
from tests.quarantine_rows import make_file, make_row

__all__ = ["owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def inbox(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_ROOTS, settings.EXPORT_DIR = [tmp_path / "inbox"], tmp_path / "exports"
    (tmp_path / "inbox").mkdir()
    monkeypatch.setattr(services, "ring_for", lambda *_: True)
    return tmp_path / "inbox"


def put(inbox: Path, name: str, content: bytes = b"Order ID\nA1\n", **values: Any) -> CatalogFile:
    (inbox / name).write_bytes(content)
    return make_file(name, root=str(inbox), **values)


def made(owner: User, what: ExportKind, *files: CatalogFile) -> ExportArchive:
    archive = services.request_export(
        file_ids=[file.pk for file in files], what=what, owner=owner, sight=EVERYTHING
    ).archive
    export_file(archive.pk)
    archive.refresh_from_db()
    return archive


def path_of(archive: ExportArchive) -> Path:
    (token,) = parse_qs(urlsplit(services.download_url(archive, person_id=archive.owner_id or 0) or "").query)["token"]
    return services.download(archive.pk, token).path


def opened(archive: ExportArchive) -> zipfile.ZipFile:
    bundle = zipfile.ZipFile(path_of(archive))
    assert bundle.testzip() is None
    return bundle


def test_originals(owner: User, inbox: Path) -> None:
    first, second = put(inbox, "a.csv"), put(inbox, "b.xlsx", b"PK", original_name="../../x/订单.xlsx")
    archive = made(owner, ExportKind.ORIGINALS, first, second)
    assert (archive.state, archive.done_files, archive.error) == (ExportState.READY, 2, {})
    bundle = opened(archive)
    assert bundle.namelist() == [f"{first.pk}-a.csv", f"{second.pk}-订单.xlsx"]
    assert bundle.read(f"{first.pk}-a.csv") == b"Order ID\nA1\n"
    assert archive.size == path_of(archive).stat().st_size


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.csv", "a.csv"),
        ("a\nb\x00.csv", "a_b_.csv"),
        ("...", "file"),
        ("x" * 400 + ".csv", "x" * 146 + ".csv"),
        ("gpj.\u202evsc.exe", "gpj._vsc.exe"),
        ("<b>|?.csv", "_b___.csv"),
    ],
)
def test_names_are_safe_to_unpack(name: str, safe: str) -> None:
    assert members.safe_name(CatalogFile(pk=7, original_name=name)) == f"7-{safe}"


def test_cleaned_rows(owner: User) -> None:
    file, other = make_file("a.csv"), make_file("b.csv")
    make_fact(OrderLine, file, order_id="=1+1", product_name="<script>")
    make_fact(ProductMetric, file, product_id="P")
    make_fact(OrderLine, other, order_id="B")
    bundle = opened(made(owner, ExportKind.CLEANED, file))
    assert bundle.namelist() == [f"{file.pk}-a.csv-orders.csv", f"{file.pk}-a.csv-products.csv"]
    (row,) = csv.DictReader(io.StringIO(bundle.read(bundle.namelist()[0]).decode("utf-8-sig")))
    assert (row["order_id"], row["product_name"]) == ("'=1+1", "<script>")


def test_quarantined_rows(owner: User) -> None:
    file, clean = make_file("a.csv"), make_file("b.csv")
    make_row(file, 5, "A", "=1", "")
    bundle = opened(made(owner, ExportKind.QUARANTINE, file, clean))
    assert bundle.namelist() == [f"{file.pk}-a.csv-quarantine.xlsx", "not included.txt"]
    assert bundle.read("not included.txt").decode() == f"{clean.pk}-b.csv: no such rows\n"
    sheet = openpyxl.load_workbook(io.BytesIO(bundle.read(bundle.namelist()[0]))).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][:2] == ["A", "'=1"]


def test_tasks_of_other_people_are_not_named(owner: User, stranger: User, staff: User) -> None:
    file = make_file("a.csv")
    row = make_row(file, 5, "A", "x", "")
    task = SyncProgressTask.objects.create(task_id="batch_0a1b2c3d", owner=owner)
    item = SyncTaskFile.objects.create(task=task, file=file)
    QuarantinedRow.objects.filter(pk=row.pk).update(item=item)
    named = {}
    for person in (owner, stranger, staff):
        bundle = opened(made(person, ExportKind.QUARANTINE, file))
        sheet = openpyxl.load_workbook(io.BytesIO(bundle.read(bundle.namelist()[0]))).active
        assert sheet is not None
        named[person] = task.task_id in {cell.value for cell in sheet[2]}
    assert named == {owner: True, stranger: False, staff: True}


def test_a_file_that_is_gone_does_not_spoil_the_others(owner: User, inbox: Path) -> None:
    there, gone = put(inbox, "a.csv"), put(inbox, "b.csv")
    (inbox / "b.csv").unlink()
    bundle = opened(made(owner, ExportKind.ORIGINALS, gone, there))
    assert bundle.namelist() == [f"{there.pk}-a.csv", "not included.txt"]
    failed = made(owner, ExportKind.ORIGINALS, gone)
    assert (failed.state, failed.error["code"]) == (ExportState.FAILED, "NOTHING_TO_EXPORT")


def test_what_cannot_be_asked_for(owner: User, inbox: Path, settings: Any) -> None:
    file = put(inbox, "a.csv")
    with pytest.raises(DataNotFound):
        services.request_export(file_ids=[404], what=ExportKind.CLEANED, owner=owner, sight=EVERYTHING)
    settings.EXPORT_MOST_BYTES = file.size - 1
    with pytest.raises(TooLarge):
        services.request_export(file_ids=[file.pk], what=ExportKind.ORIGINALS, owner=owner, sight=EVERYTHING)
    assert not ExportArchive.objects.exists()


def test_one_that_grows_too_large_has_failed(owner: User, settings: Any, tmp_path: Path) -> None:
    files = [make_file(f"{number}.csv") for number in range(2)]
    for file in files:
        make_fact(OrderLine, file)
    settings.EXPORT_MOST_BYTES = 10
    archive = made(owner, ExportKind.CLEANED, *files)
    assert (archive.state, archive.error["code"]) == (ExportState.FAILED, "TOO_LARGE")
    assert list((tmp_path / "exports").iterdir()) == []


def test_it_is_made_once(owner: User, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = made(owner, ExportKind.ORIGINALS, put(inbox, "a.csv"))
    monkeypatch.setattr(make, "_write", lambda *_: pytest.fail("made again"))
    export_file(archive.pk)
    export_file(404)


def test_a_bug_is_told_without_its_internals(owner: User, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> bool:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(make._MAKERS, ExportKind.ORIGINALS, broken)
    archive = made(owner, ExportKind.ORIGINALS, put(inbox, "a.csv"))
    assert (archive.state, archive.error["code"]) == (ExportState.FAILED, "EXPORT_FAILED")
    assert "secret" not in str(archive.error)


def test_one_whose_worker_died_is_made_again(owner: User, inbox: Path) -> None:
    archive = services.request_export(
        file_ids=[put(inbox, "a.csv").pk], what=ExportKind.ORIGINALS, owner=owner, sight=EVERYTHING
    ).archive
    past = timezone.now() - timedelta(hours=1)
    ExportArchive.objects.update(state=ExportState.RUNNING, attempt=1, lease_until=past)
    assert services.export_for(owner, archive.pk).state == ExportState.QUEUED
    export_file(archive.pk)
    assert services.export_for(owner, archive.pk).state == ExportState.READY


def test_one_that_dies_again_and_again_has_failed(owner: User) -> None:
    archive = ExportArchive.objects.create(
        owner=owner, what="cleaned", file_ids=[1], state=ExportState.RUNNING, attempt=3,
        lease_until=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    found = services.export_for(owner, archive.pk)
    assert (found.state, found.error["code"]) == (ExportState.FAILED, "EXPORT_INTERRUPTED")


def test_a_lost_message_is_rung_for_again_once_a_minute(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(services, "ring_for", lambda _name, pk: rung.append(pk))
    archive = ExportArchive.objects.create(owner=owner, what="cleaned", file_ids=[1])
    services.export_for(owner, archive.pk)
    assert rung == []
    ExportArchive.objects.update(created_at=timezone.now() - timedelta(hours=1))
    for _ in range(3):
        services.export_for(owner, archive.pk)
    assert rung == [archive.pk]


def test_who_was_overtaken_writes_nothing(owner: User, inbox: Path, tmp_path: Path) -> None:
    archive = services.request_export(
        file_ids=[put(inbox, "a.csv").pk], what=ExportKind.ORIGINALS, owner=owner, sight=EVERYTHING
    ).archive
    ExportArchive.objects.update(state=ExportState.RUNNING, attempt=2)
    archive.attempt = 1
    make._write(archive, members.Reader.of(owner))
    archive.refresh_from_db()
    assert (archive.state, archive.storage_name) == (ExportState.RUNNING, "")
    assert list((tmp_path / "exports").iterdir()) == []
    beat = make.Beat(ExportArchive(pk=archive.pk, attempt=1))
    beat._last -= 3600
    with pytest.raises(FencedOut):
        beat(1)


def test_expired_ones_are_removed(owner: User, inbox: Path, tmp_path: Path) -> None:
    archive = made(owner, ExportKind.ORIGINALS, put(inbox, "a.csv"))
    kept = made(owner, ExportKind.ORIGINALS, put(inbox, "b.csv"))
    ExportArchive.objects.filter(pk=archive.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    call_command("files", "clean-exports")
    assert [path.name for path in (tmp_path / "exports").iterdir()] == [kept.storage_name]
    assert services.export_for(owner, archive.pk).state == ExportState.EXPIRED
    assert services.clean_exports() == 0


def test_who_sees_which(owner: User, stranger: User, staff: User, inbox: Path) -> None:
    archive = made(owner, ExportKind.ORIGINALS, put(inbox, "a.csv"))
    assert services.export_for(staff, archive.pk) == archive
    with pytest.raises(ExportNotFound):
        services.export_for(stranger, archive.pk)
