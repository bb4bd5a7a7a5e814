"""The exported sheet comes back: what differs is a correction, every row is told, nothing is taken on a guess."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.exceptions import CorrectionsRefused, EmptyFile, NotAnExport, TooLarge, UnsupportedFormat
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.quarantine import Command
from datasync.models import AuditEntry, CatalogFile, QuarantinedRow
from datasync.quarantine import export, selectors, services
from datasync.quarantine import sheet as module
from tests.admin_rows import make_template
from tests.quarantine_rows import HEADERS, make_file, make_row, make_task

pytestmark = pytest.mark.django_db
ID = len(HEADERS)
"""Column of the id behind three original ones."""
HOSTILE = [
    "=1+1", "+1", "-1", "@x", "'=1", "''-1", "＝1", "'quoted", "a\nb", "a\tb", "a\r\nb", "\x01\x08", "_x000D_",
    '"quoted", too', "a;b", "00123", "2798494601500000001", "1.50", "<script>", "名称\u200b", "🙂", "\ufffd", " =1",
    "TRUE", "NULL", "#N/A", "1E5", "2026-03-06", "\u2028",
]  # fmt: skip


def exported(path: Path) -> Path:
    export.write(selectors.rows(sight=EVERYTHING), path, format=path.suffix[1:])
    return path


def edited(path: Path, change: Callable[[list[list[str]]], Any]) -> Path:
    """The sheet after somebody has changed its lines, header included."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
        change(lines)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(lines)
        return path
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        lines = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]  # type: ignore[misc]
        change(lines)
        sheet.delete_rows(1, sheet.max_row)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def taken(path: Path, *, dry_run: bool = False) -> services.Imported:
    return services.import_corrections(source=path, actor=None, dry_run=dry_run, sight=EVERYTHING)


def corrections() -> dict[int, Any]:
    return dict(QuarantinedRow.objects.exclude(corrected=None).values_list("sheet_row", "corrected"))


@pytest.fixture(params=["xlsx", "csv"])
def sheet(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"rows.{request.param}"


@pytest.fixture
def file() -> CatalogFile:
    made = make_file()
    item = make_task(made).items.get()
    for number in (2, 3, 4):
        make_row(made, number, f"A{number}", "x", "", item=item)
    return made


def test_what_differs_is_a_correction(file: CatalogFile, sheet: Path) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[1][1], lines[2][0], lines[2][2] = "12.50", "", "'=fine"

    path = edited(exported(sheet), change)
    told = taken(path, dry_run=True)
    assert (corrections(), AuditEntry.objects.count()) == ({}, 0)
    done = taken(path)
    assert (told.counts, told.rows) == (done.counts, done.rows)
    assert done.counts == {"corrected": 2, "unchanged": 1}
    assert corrections() == {2: {"1": "12.50"}, 3: {"0": None, "2": "=fine"}}
    assert [(row.row, row.outcome, row.columns) for row in done.rows] == [
        (2, "corrected", ["Amount"]), (3, "corrected", ["Order ID", "Note"]),
    ]  # fmt: skip
    again = taken(path)
    assert again.counts == {"unchanged": 3}
    assert AuditEntry.objects.get().detail["sheet_rows"] == [2, 3]


def test_hostile_text_comes_back_as_it_went(sheet: Path) -> None:
    file = make_file("=evil\n.csv")
    for number, text in enumerate(HOSTILE, start=2):
        make_row(file, number, text, text, text)
    assert taken(exported(sheet)).counts == {"unchanged": len(HOSTILE)}
    assert corrections() == {}


def test_corrected_cells_are_exported_and_can_be_taken_back(file: CatalogFile, sheet: Path) -> None:
    row = file.quarantined.get(sheet_row=2)
    services.correct(row_id=row.pk, given={"Amount": "1"}, actor=None, sight=EVERYTHING)
    assert taken(exported(sheet)).counts == {"unchanged": 3}
    taken(edited(sheet, lambda lines: lines[1].__setitem__(1, "x")))
    row.refresh_from_db()
    assert (row.corrected, row.state) == (None, QuarantineState.OPEN)


def refused(path: Path) -> list[tuple[int, str]]:
    """The rows that keep the sheet from being taken, as the rehearsal tells them; nothing is written either way."""
    before = corrections()
    told = taken(path, dry_run=True)
    bad = [(row.row, row.outcome) for row in told.rows if row.outcome != "corrected"]
    assert told.refused == len(bad)
    assert [row.outcome for row in told.rows[: told.refused]] == [outcome for _row, outcome in bad]
    with pytest.raises(CorrectionsRefused) as raised:
        taken(path)
    assert raised.value.params["count"] == told.refused
    assert all(f" {row}: " in f"{raised.value.message};" for row, _outcome in bad)
    assert (corrections(), AuditEntry.objects.count()) == (before, 0)
    return sorted(bad)


def test_a_bad_row_in_the_middle_keeps_the_whole_sheet_out(file: CatalogFile, sheet: Path) -> None:
    decided = file.quarantined.get(sheet_row=4)
    QuarantinedRow.objects.filter(pk=decided.pk).update(state=QuarantineState.RELEASED)

    def change(lines: list[list[str]]) -> None:
        for line in lines[1:]:
            line[1] = "1"
        lines.append([*lines[1]])
        for wrong in ("424242", "x", str(2**70)):
            lines.append([*lines[1][:ID], wrong, *lines[1][ID + 1 :]])
        lines[2][ID + 2] = "99"

    assert refused(edited(exported(sheet), change)) == [
        (3, "mismatch"), (4, "decided"), (5, "repeated"), (6, "unknown_id"), (7, "unknown_id"), (8, "unknown_id"),
    ]  # fmt: skip


def test_rows_of_other_files_are_not_taken_either(file: CatalogFile, tmp_path: Path) -> None:
    other = make_file("b.csv")
    make_row(other, 9, "P", "x", headers=["ID", "GMV"])

    def change(lines: list[list[str]]) -> None:
        lines[1][1] = "3"

    path = edited(exported(tmp_path / "rows.xlsx"), change)
    CatalogFile.objects.filter(pk=other.pk).update(state="processing")
    assert refused(path) == [(2, "busy")]
    CatalogFile.objects.filter(pk=other.pk).update(state="ingested")
    assert taken(path).counts == {"corrected": 2, "unchanged": 2}


def test_what_comes_between_undoes_all(file: CatalogFile, sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_row(make_file("b.csv"), 9, "P", "x", "")
    path = edited(exported(sheet), lambda lines: [line.__setitem__(1, "1") for line in lines[1:]])
    take = module._take_rows

    def decided_meanwhile(file_id: int, *told: Any, **by: Any) -> None:
        QuarantinedRow.objects.filter(pk=other.pk).update(state=QuarantineState.DISCARDED)
        take(file_id, *told, **by)

    monkeypatch.setattr(module, "_take_rows", decided_meanwhile)
    with pytest.raises(CorrectionsRefused) as raised:
        taken(path)
    assert (raised.value.params["count"], corrections(), AuditEntry.objects.count()) == (1, {}, 0)


def test_of_very_many_bad_rows_the_first_are_named(
    file: CatalogFile, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NAMED", 2)
    monkeypatch.setattr(module, "MOST_TOLD", 2)

    def change(lines: list[list[str]]) -> None:
        lines[1][1] = "1"
        lines += [[*lines[1][:ID], "x", *lines[1][ID + 1 :]] for _ in range(3)]

    path = edited(exported(sheet), change)
    told = taken(path, dry_run=True)
    assert (told.refused, [row.row for row in told.rows]) == (3, [5, 6])
    with pytest.raises(CorrectionsRefused, match=r"3 rows.* 5: .* 6: .*; …$"):
        taken(path)


def test_a_decided_row_that_the_sheet_leaves_as_it_is_does_no_harm(file: CatalogFile, sheet: Path) -> None:
    path = edited(exported(sheet), lambda lines: lines[1].__setitem__(1, "1"))
    QuarantinedRow.objects.filter(sheet_row=4).update(state=QuarantineState.RELEASED)
    assert taken(path).counts == {"corrected": 1, "unchanged": 2}


def test_a_row_of_another_file_is_a_mismatch(file: CatalogFile, sheet: Path) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[1][1], lines[1][ID + 1] = "1", "other.csv"

    assert refused(edited(exported(sheet), change)) == [(2, "mismatch")]


def test_a_busy_file_is_told(file: CatalogFile, sheet: Path) -> None:
    path = edited(exported(sheet), lambda lines: lines[1].__setitem__(1, "1"))
    CatalogFile.objects.update(state="processing")
    assert refused(path) == [(2, "busy")]


def test_columns_may_be_moved_removed_and_added(file: CatalogFile, sheet: Path) -> None:
    def change(lines: list[list[str]]) -> None:
        for at, line in enumerate(lines):
            line[:] = [line[ID], "Remark" if at == 0 else "?", line[1] if at == 0 else "7"]

    done = taken(edited(exported(sheet), change))
    assert (done.counts, list(done.unknown_columns.values())) == ({"corrected": 3}, [["Remark"]])
    assert corrections() == {number: {"1": "7"} for number in (2, 3, 4)}


def test_equal_headers_go_by_their_order(sheet: Path) -> None:
    make_row(make_file(), 2, "A", "x", "y", headers=["ID", "Amount", "Amount"])
    done = taken(edited(exported(sheet), lambda lines: lines[1].__setitem__(2, "2")))
    assert (done.counts, corrections()) == ({"corrected": 1}, {2: {"2": "2"}})

    def remove(lines: list[list[str]]) -> None:
        for line in lines:
            del line[1]

    done = taken(edited(sheet, remove))
    assert (done.counts, list(done.unknown_columns.values())) == ({"unchanged": 1}, [["Amount"]])


def test_a_title_above_the_header_does_no_harm(file: CatalogFile, sheet: Path) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[1][1] = "5"
        lines.insert(0, ["Please check"])

    assert taken(edited(exported(sheet), change)).counts == {"corrected": 1, "unchanged": 2}


def test_nothing_is_taken_without_ids(file: CatalogFile, sheet: Path) -> None:
    def change(lines: list[list[str]]) -> None:
        lines[0][ID] = "id"
        lines[1][1] = "1"

    with pytest.raises(NotAnExport, match="quarantine: id"):
        taken(edited(exported(sheet), change))
    assert corrections() == {}


def test_all_sheets_are_taken_and_others_named(file: CatalogFile, tmp_path: Path) -> None:
    make_row(make_file("b.csv"), 9, "P", "x", headers=["ID", "GMV"])
    path = edited(exported(tmp_path / "rows.xlsx"), lambda lines: lines[1].__setitem__(1, "3"))
    book = openpyxl.load_workbook(path)
    book.create_sheet("notes").append(["hello"])
    book.create_sheet("empty")
    book.save(path)
    done = taken(path)
    assert (done.counts["corrected"], sorted(done.ignored_sheets)) == (2, ["empty", "notes"])
    assert corrections() == {2: {"1": "3"}, 9: {"1": "3"}}


def test_a_cut_cell_is_no_correction(sheet: Path) -> None:
    make_row(make_file(), 2, "=" + "A" * 40_000, "x", "")
    assert taken(exported(sheet)).counts == {"unchanged": 1}


def test_a_number_typed_into_a_workbook_is_kept_as_its_template_writes_numbers(tmp_path: Path) -> None:
    file = make_file(template=make_template(number_format="comma"))
    make_row(file, 2, "A", "x", "")
    path = exported(tmp_path / "rows.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.active is not None
    book.active["B2"] = 3.125
    book.save(path)
    taken(path)
    assert corrections() == {2: {"1": "3,125"}}


def test_a_cell_that_cannot_be_trusted_is_not_taken(file: CatalogFile, tmp_path: Path) -> None:
    path = exported(tmp_path / "rows.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.active is not None
    book.active["A2"] = 2798494601500000001
    book.active["B3"] = book.active["C4"] = "=1+1"
    book.save(path)
    assert refused(path) == [(2, "unreadable"), (3, "unreadable"), (4, "unreadable")]


def test_what_is_no_sheet_is_refused(settings: Any, tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        services.import_corrections(source=io.BytesIO(), actor=None, sight=EVERYTHING)
    with pytest.raises(UnsupportedFormat):
        services.import_corrections(source=io.BytesIO(b"%PDF-1.4\n\x00\x01"), actor=None, sight=EVERYTHING)
    settings.UPLOAD_LIMIT_BYTES = 10
    with pytest.raises(TooLarge):
        services.import_corrections(source=io.BytesIO(b"x" * 100), actor=None, sight=EVERYTHING)


def test_an_import_costs_statements_by_batch_not_by_row(
    file: CatalogFile, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    for number in range(10, 310):
        make_row(file, number, "A", "x", "")
    path = edited(exported(tmp_path / "rows.csv"), lambda lines: [line.__setitem__(1, "1") for line in lines[1:]])
    with django_assert_max_num_queries(20):
        assert taken(path).counts == {"corrected": 303}


def test_every_door_tells_of_the_rows(
    file: CatalogFile, tmp_path: Path, admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edited(exported(tmp_path / "rows.csv"), lambda lines: [line.__setitem__(1, "1") for line in lines[1:]])
    QuarantinedRow.objects.filter(sheet_row=3).update(state=QuarantineState.DISCARDED)
    with pytest.raises(ConsoleError, match="rows 3: decided already") as raised:
        call_command("quarantine", "import", str(path))
    assert (raised.value.returncode, raised.value.code) == (Exit.USAGE, "CORRECTIONS_REFUSED")
    command = Command()
    call_command(command, "import", str(path), "--dry-run", "--json")
    assert command.exit_code == Exit.USAGE
    document = json.loads(capsys.readouterr().out)
    assert (document["refused"], document["counts"]) == (1, {"corrected": 2, "decided": 1})
    sheet = SimpleUploadedFile("rows.csv", path.read_bytes())
    shown = admin_client.post(reverse("admin:datasync_quarantinedrow_import"), {"sheet": sheet}).content.decode()
    assert "corrections 3: decided already" in shown
    assert corrections() == {}


def test_a_line_for_people(file: CatalogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = edited(exported(tmp_path / "rows.csv"), lambda lines: lines[1].__setitem__(ID, "x"))
    call_command("quarantine", "import", str(path), "--dry-run")
    assert "1 row keeps the sheet from being taken." in capsys.readouterr().out
