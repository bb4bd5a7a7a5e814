"""Deleting: the file is gone, its rows stay or go as asked, and whatever interrupts it is made up for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.catalog import removal
from datasync.catalog.deletion import delete_file, delete_files
from datasync.catalog.selectors import files as listed
from datasync.choices import FileState, RowsFate
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound
from datasync.models import AuditEntry, CatalogFile, ConfirmedRows, OrderLine, ProductMetric, QuarantinedRow
from datasync.runs.services import submit_single
from tests.admin_rows import make_fact
from tests.quarantine_rows import make_file, make_row, make_task
from tests.runs_support import Bell, bell
from tests.stored_files import confirm, file_with_rows

__all__ = ["bell"]
pytestmark = pytest.mark.django_db
KEEP, DELETE = RowsFate.KEEP, RowsFate.DELETE


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was rung for, in place of a broker."""
    rung: list[str] = []
    monkeypatch.setattr(removal, "ring_for", rung.append)
    return rung


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "CHUNK_ROWS", 3)


def test_rows_stay_unless_asked_otherwise() -> None:
    file = file_with_rows("a.csv", 3)
    make_row(file, 9, "A", "x", "")
    confirm(file, 2)
    done = delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (done.finished, done.removed_rows) == (True, 0)
    assert (file.state, file.removing, file.rows["read"]) == (FileState.DELETED, "", 3)
    assert (OrderLine.objects.count(), QuarantinedRow.objects.count(), ConfirmedRows.objects.count()) == (3, 1, 1)
    assert not listed(sight=EVERYTHING).exists()


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 6, 10])
def test_all_that_goes_with_it_goes(rows: int, small_chunks: None) -> None:
    file, other = file_with_rows("a.csv", rows), file_with_rows("b.csv", 2)
    make_fact(ProductMetric, file)
    for at in range(4):
        make_row(file, at + 50, "A", "x", "", state="released" if at else "open")
    make_row(other, 2, "A", "x", "")
    confirm(file, 2)
    confirm(other, 1)
    done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.finished, done.removed_rows) == (True, rows + 1)
    assert set(OrderLine.objects.values_list("file_last", flat=True)) == {other.pk}
    assert not ProductMetric.objects.exists()
    assert list(QuarantinedRow.objects.values_list("file", flat=True)) == [other.pk]
    assert list(ConfirmedRows.objects.values_list("file", flat=True)) == [other.pk]
    file.refresh_from_db()
    assert (file.state, file.removing, file.rows) == (FileState.DELETED, "", {})


def test_rows_that_a_newer_file_took_over_stay() -> None:
    old, new = make_file("old.csv"), make_file("new.csv")
    make_fact(OrderLine, new, file_first=old)
    delete_file(file_id=old.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert OrderLine.objects.get().file_first_id == old.pk


def test_many_rows_of_one_sheet_row(small_chunks: None) -> None:
    """New content at the same place is the same file: its sheet rows repeat."""
    file = make_file()
    for _ in range(8):
        make_fact(OrderLine, file, sheet_row=2)
    assert delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING).removed_rows == 8


def test_who_did_it_is_written_down(admin_user: User) -> None:
    kept, gone = file_with_rows("a.csv", 2), file_with_rows("b.csv", 2)
    delete_file(file_id=kept.pk, rows=KEEP, actor=admin_user, sight=EVERYTHING)
    delete_file(file_id=gone.pk, rows=DELETE, actor=admin_user, sight=EVERYTHING)
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor_name", "file", "rows")
    name = admin_user.get_username()
    assert list(entries) == [("file_deleted", name, kept.pk, 0), ("file_deleted", name, gone.pk, 2)]


def test_an_uploads_bytes_go_and_a_folders_stay(settings: Any, tmp_path: Path) -> None:
    settings.UPLOAD_DIR, settings.DATA_ROOTS = tmp_path / "uploads", [tmp_path / "inbox"]
    for folder in ("uploads", "inbox"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("x")
    upload = make_file("a.csv", root="uploads")
    found = make_file("a.csv", root=str(tmp_path / "inbox"))
    delete_files(file_ids=[upload.pk, found.pk], rows=KEEP, actor=None, sight=EVERYTHING)
    assert not (tmp_path / "uploads" / "a.csv").exists()
    assert (tmp_path / "inbox" / "a.csv").exists()


def test_busy_files_are_left_alone(bell: Bell) -> None:
    busy, free = make_file("a.csv"), make_file("b.csv")
    task = submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(FileBusy, match=task.task_id):
        delete_file(file_id=busy.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    done = delete_files(file_ids=[busy.pk, free.pk, 404], rows=KEEP, actor=None, sight=EVERYTHING)
    assert [impact.file.pk for impact in done.impacts] == [free.pk]
    assert (done.busy_file_ids, done.missing_file_ids) == ((busy.pk,), (404,))
    busy.refresh_from_db()
    assert busy.state == FileState.QUEUED


def test_an_active_item_keeps_its_file_whatever_state_that_is_in() -> None:
    file = make_file(state="pending")
    make_task(file, task_id="t").items.update(state="queued")
    with pytest.raises(FileBusy):
        delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)


def test_rows_that_were_kept_can_go_later() -> None:
    file, other = file_with_rows("a.csv", 2), file_with_rows("b.csv", 1)
    make_row(file, 9, "A", "x", "")
    delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    with pytest.raises(FileNotFound):
        delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    assert delete_file(file_id=file.pk, rows=DELETE, actor=None, dry_run=True, sight=EVERYTHING).removed_rows == 2
    done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.removed_rows, done.finished, QuarantinedRow.objects.count()) == (2, True, 0)
    assert OrderLine.objects.get().file_last_id == other.pk
    assert list(AuditEntry.objects.order_by("pk").values_list("rows", flat=True)) == [0, 2]
    with pytest.raises(FileNotFound):
        delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)


def test_quarantined_rows_are_heavy_too(
    settings: Any, rung: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    settings.DELETE_AT_ONCE_ROWS = 2
    file = make_file()
    for row in range(3):
        make_row(file, row + 2, "A", "x", "")
    with django_capture_on_commit_callbacks(execute=True):
        assert not delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING).finished
    assert (len(rung), QuarantinedRow.objects.count()) == (1, 3)
    assert removal.finish_deletions()
    assert not QuarantinedRow.objects.exists()


@pytest.mark.parametrize("fate", RowsFate)
def test_a_thousand_empty_files_cost_few_statements(
    fate: RowsFate, admin_user: User, django_assert_max_num_queries: Any
) -> None:
    one = make_file("0.csv")
    values = {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields if field.name != "id"}
    values.pop("template_fit")
    CatalogFile.objects.bulk_create(
        CatalogFile(**values | {"storage_name": f"{number}.csv"}) for number in range(1, 1000)
    )
    ids = list(CatalogFile.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(99):
        done = delete_files(file_ids=ids, rows=fate, actor=admin_user, sight=EVERYTHING)
    assert (len(done.impacts), done.finished, AuditEntry.objects.count()) == (1000, True, 1000)
    assert not removal.unfinished().exists()


def test_a_deleted_file_is_not_found_again() -> None:
    file = make_file()
    delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    with pytest.raises(FileNotFound):
        delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    with pytest.raises(DataNotFound):
        delete_files(file_ids=[file.pk, 404], rows=DELETE, actor=None, sight=EVERYTHING)
    assert AuditEntry.objects.count() == 1


def test_a_dry_run_says_and_does_nothing() -> None:
    file = file_with_rows("a.csv", 2)
    done = delete_files(file_ids=[file.pk, 404], rows=DELETE, actor=None, dry_run=True, sight=EVERYTHING)
    assert ([impact.rows for impact in done.impacts], done.missing_file_ids) == ([2], (404,))
    assert (OrderLine.objects.count(), AuditEntry.objects.count()) == (2, 0)
    assert CatalogFile.objects.get().state == FileState.INGESTED


def test_many_rows_are_left_to_a_worker(
    settings: Any, rung: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    settings.DELETE_AT_ONCE_ROWS = 2
    file = file_with_rows("a.csv", 3)
    with django_capture_on_commit_callbacks(execute=True):
        done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.finished, done.removed_rows, OrderLine.objects.count()) == (False, 0, 3)
    assert rung == ["data_processing.finish_deletions"]
    assert not listed(sight=EVERYTHING).exists()
    assert removal.finish_deletions()
    assert not OrderLine.objects.exists()
    assert not removal.unfinished().exists()


def test_a_command_removes_many_rows_itself(settings: Any, rung: list[str], small_chunks: None) -> None:
    settings.DELETE_AT_ONCE_ROWS = 2
    told: list[int] = []
    file = file_with_rows("a.csv", 7)
    done = delete_files(file_ids=[file.pk], rows=DELETE, actor=None, here=True, progress=told.append, sight=EVERYTHING)
    assert (done.finished, done.removed_rows, sum(told), rung) == (True, 7, 7, [])


@pytest.mark.parametrize("again", ["delete", "scan", "worker"])
def test_an_interrupted_deletion_is_made_up_for(
    again: str, small_chunks: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """A crash after the second chunk: the file is gone for everybody, and the rest of its rows follows."""
    settings.DATA_ROOTS = [tmp_path]
    file = file_with_rows("a.csv", 10)
    crash_at = iter([False, False, True])
    real = removal._settle

    def crashing(*arguments: Any, **options: Any) -> tuple[int, int]:
        if next(crash_at):
            raise MemoryError
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(removal, "_settle", crashing)
        with pytest.raises(MemoryError):
            delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (file.state, file.removing, OrderLine.objects.count()) == (FileState.DELETED, "delete", 4)
    if again == "delete":
        assert delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING).removed_rows == 4, (
            "as was asked for first"
        )
    elif again == "scan":
        from datasync.catalog.services import scan  # noqa: PLC0415

        scan(sight=EVERYTHING)
    else:
        from datasync.tasks import finish_deletions  # noqa: PLC0415

        finish_deletions()
    file.refresh_from_db()
    assert (file.removing, OrderLine.objects.count(), AuditEntry.objects.count()) == ("", 0, 1)


def test_a_worker_stops_after_its_time_and_rings_for_the_next(
    small_chunks: None, rung: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DELETE_AT_ONCE_ROWS = 0
    file = file_with_rows("a.csv", 10)
    delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert not removal.finish_deletions(seconds=-1)
    assert OrderLine.objects.count() == 7
    assert removal.finish_deletions(seconds=60)
    assert not OrderLine.objects.exists()


def test_a_row_released_while_the_others_go_does_not_stay(small_chunks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_with_rows("a.csv", 4)
    real = removal._chunks

    def chunks(*arguments: Any, **options: Any) -> Any:
        yield from real(*arguments, **options)
        if OrderLine.objects.count() == 0:
            make_fact(OrderLine, file, sheet_row=2)

    with monkeypatch.context() as patched:
        patched.setattr(removal, "_chunks", chunks)
        assert not delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING).finished
    assert removal.finish_deletions()
    assert not OrderLine.objects.exists()
