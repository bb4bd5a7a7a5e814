"""Dry runs of single files on their whole way: what would stop the sync is told, and nothing at all is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection

from datasync.access import EVERYTHING
from datasync.catalog.dry_run import dry_run
from datasync.catalog.services import catalogue_path
from datasync.choices import FileState, QuarantineState
from datasync.exceptions import FileNotFound, TooLargeToRehearse, TransientError
from datasync.ingest.load.read_only import read_only
from datasync.mapping import services as mapping
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, HeaderSet, HeaderTemplate, OrderLine, Platform, QuarantinedRow
from tests.dry_runs import rehearse_and_sync, snapshot
from tests.hostile import REFUSED, directory, fifo
from tests.order_exports import HEADER, NAME, line, run, shop_folder, text
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
HOSTILE = [name for name in REFUSED if not name.startswith(("fifo", "directory", "socket", "link"))]


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def export(inbox: Path, content: str, *, day: int = 6) -> CatalogFile:
    path = inbox / f"shopee_orders_daily_202603{day:02d}_100000.csv"
    path.write_text(content)
    return catalogue_path(path)


def test_first_again_changed_and_late(inbox: Path) -> None:
    first = rehearse_and_sync(export(inbox, text([line(f"A{n}") for n in range(5)])))
    assert first.rehearsed.counts.inserted == 5
    assert first.rehearsed.state == FileState.INGESTED
    newer = export(inbox, text([line("A0"), line("A1", price="30.00"), line("B1", price="abc")]), day=8)
    later = rehearse_and_sync(newer).rehearsed
    assert (later.counts.updated, later.counts.unchanged, later.counts.quarantined) == (1, 1, 1)
    assert later.state == FileState.PARTIAL
    (row,) = later.samples["updated"]
    differences = {one["field"]: (one["header"], one["stored"], one["new"]) for one in row["differences"]}
    assert differences["unit_price"] == ("Deal Price", "20.0000", "30.0000")
    assert (row["sheet_row"], row["identity"]["order_id"]) == (3, "A1")
    (bad,) = later.samples["quarantined"]
    assert bad["reasons"] == [{"header": "Deal Price", "code": "INVALID_NUMBER", "value": "abc"}]
    assert dict(zip(later.headers, bad["cells"], strict=True))["Order ID"] == "B1"
    between = export(inbox, text([line("A0", price="99.00"), line("A1", price="99.00")]), day=7)
    assert rehearse_and_sync(between).rehearsed.counts.stale == 2
    assert rehearse_and_sync(newer, allow_quarantine=False).rehearsed.error is not None


@pytest.mark.parametrize("state", [QuarantineState.DISCARDED, QuarantineState.RELEASED, QuarantineState.CORRECTED])
def test_what_people_have_decided_on(state: QuarantineState, inbox: Path) -> None:
    file = export(inbox, text([line("A1"), line("B1", price="x"), line("B2", price="y")]))
    assert rehearse_and_sync(file).rehearsed.counts.quarantined == 2
    row = QuarantinedRow.objects.order_by("sheet_row").first()
    assert row is not None
    QuarantinedRow.objects.filter(pk=row.pk).update(state=state, corrected={"8": "20.00"})
    for strictly in (True, False):
        file.refresh_from_db()
        again = rehearse_and_sync(file, allow_quarantine=not strictly).rehearsed
        waiting = 2 if state == QuarantineState.CORRECTED else 1
        assert again.rejected_by_reason == {"INVALID_NUMBER": waiting}
        assert (again.error is not None) is strictly
    released = int(state == "released")
    counts = again.counts
    assert (counts.unchanged, counts.inserted, counts.quarantined) == (1, released, 2 - released)
    QuarantinedRow.objects.exclude(state=QuarantineState.RELEASED).update(state=QuarantineState.DISCARDED)
    assert rehearse_and_sync(file).rehearsed.state == FileState.INGESTED


def test_an_unknown_header_is_not_kept(inbox: Path) -> None:
    file = export(inbox, text([line("A1")]))
    assert dry_run(file_id=file.pk, sight=EVERYTHING).counts.inserted == 1
    assert not HeaderSet.objects.exists()
    assert not OrderLine.objects.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_would_be_refused_is_told_as_the_sync_tells_it(name: str, inbox: Path) -> None:
    build, code = REFUSED[name]
    path = inbox / f"{NAME}{Path(name).suffix}"
    build(path)
    rehearsed = rehearse_and_sync(catalogue_path(path)).rehearsed
    assert rehearsed.error is not None
    assert (rehearsed.error["code"], rehearsed.state, rehearsed.counts.read) == (code, FileState.FAILED, 0)


@pytest.mark.parametrize("build", [None, fifo, directory])
def test_a_file_that_is_gone(build: Any, inbox: Path) -> None:
    file = export(inbox, text([line("A1")]))
    path = inbox / Path(file.storage_name).name
    path.unlink()
    if build is not None:
        build(path)
    rehearsed = rehearse_and_sync(file).rehearsed
    assert rehearsed.state == FileState.SOURCE_MISSING


def test_a_file_that_was_replaced(inbox: Path) -> None:
    file = export(inbox, text([line("A1")]))
    (inbox / Path(file.storage_name).name).write_text(text([line("A1"), line("A2")]))
    rehearsed = rehearse_and_sync(file).rehearsed
    assert rehearsed.error is not None
    assert rehearsed.error["code"] == "FILE_CHANGED"


def test_a_header_that_no_longer_fits(inbox: Path) -> None:
    content = text([line("A1")]).replace("Order Creation Date", "Somewhen")
    rehearsed = rehearse_and_sync(export(inbox, content)).rehearsed
    assert rehearsed.error is not None
    assert (rehearsed.error["code"], rehearsed.state) == ("HEADER_CHANGED", FileState.TEMPLATE_UPDATE_REQUIRED)
    assert "Order Creation Date" in rehearsed.error["message"]


def test_without_a_template_and_with_a_suggestion(inbox: Path) -> None:
    HeaderTemplate.objects.all().delete()
    rows = "".join(f"#{number},2026-03-06 10:00:00,SKU-{number},2,10.50\n" for number in range(1001, 1021))
    file = export(inbox, f"Name,Created at,Lineitem sku,Lineitem quantity,Total\n{rows}")
    without = rehearse_and_sync(file).rehearsed
    assert without.error is not None
    assert (without.error["code"], without.state) == ("NO_TEMPLATE", FileState.PENDING)
    file.refresh_from_db()
    rehearse_and_sync(file, only_with_template=False)


def test_a_file_that_is_not_described(inbox: Path) -> None:
    file = export(inbox, text([line("A1")]))
    error = {"code": "NEEDS_DESCRIPTION", "message": "x", "params": {"missing": "shop"}, "recovery": "y"}
    CatalogFile.objects.filter(pk=file.pk).update(state=FileState.NEEDS_DESCRIPTION, last_error=error)
    rehearsed = dry_run(file_id=file.pk, sight=EVERYTHING)
    assert (rehearsed.error, rehearsed.state) == (error, FileState.NEEDS_DESCRIPTION)


def test_what_a_look_again_sees_is_not_kept(inbox: Path) -> None:
    file = export(inbox, text([line("A1")]))
    CatalogFile.objects.filter(pk=file.pk).update(format="", header=[], match={}, template=None, header_row=None)
    assert rehearse_and_sync(file).rehearsed.counts.inserted == 1


def test_what_cannot_be_rehearsed(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFound):
        dry_run(file_id=424242, sight=EVERYTHING)
    file = export(inbox, text([line("A1")]))
    with pytest.raises(TooLargeToRehearse, match=r"0\.0 MB"):
        dry_run(file_id=file.pk, most_bytes=file.size - 1, sight=EVERYTHING)
    assert dry_run(file_id=file.pk, most_bytes=file.size, sight=EVERYTHING).error is None
    with pytest.raises(TooLargeToRehearse, match="more than 0 s"):
        dry_run(file_id=file.pk, most_seconds=0, sight=EVERYTHING)
    assert dry_run(file_id=file.pk, most_seconds=60, sight=EVERYTHING).error is None

    def away(*_: object) -> None:
        raise TransientError

    monkeypatch.setattr(mapping, "prepare_read", away)
    with pytest.raises(TransientError):
        dry_run(file_id=file.pk, sight=EVERYTHING)


def test_the_database_itself_refuses_to_write(inbox: Path) -> None:
    before = snapshot()
    with pytest.raises(DatabaseError, match=r"read-?\s?only"), read_only():
        Platform.objects.create(code="new", name="New")
    assert snapshot() == before
    if connection.vendor == "postgresql":
        with read_only(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation')")
            assert cursor.fetchone() == ("on", "repeatable read")
    Platform.objects.create(code="new", name="New")


def test_values_of_a_file_are_hostile(inbox: Path) -> None:
    bad = line("A\u202e1", sku="=HYPERLINK(1)", recipient="<script>", price="x")
    bad[HEADER.index("Variation Name")] = "nul\0"
    rehearsed = rehearse_and_sync(export(inbox, text([line("A2", recipient="<script>"), bad]))).rehearsed
    (row,) = rehearsed.samples["quarantined"]
    assert "\0" not in str(row)
    assert run(CatalogFile.objects.get()).task.rows_quarantined == 1
