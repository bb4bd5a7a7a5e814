"""Quarantined rows become a spreadsheet that cannot hurt and can be uploaded again."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from datasync.access import EVERYTHING
from datasync.exceptions import InvalidRequest
from datasync.quarantine import export, selectors
from datasync.spreadsheets import escape, unescape
from tests.quarantine_rows import HEADERS, make_file, make_row, make_task

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", '=HYPERLINK("http://x")', "'=1", "''-1", "＝1"]
HARMLESS = ["", "1,203.60", "260306DRVKC6W4", "'quoted'", "a=b", " =1"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_formula_is_escaped_and_comes_back(text: str) -> None:
    assert escape(text) == f"'{text}"
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text


@pytest.mark.django_db
def test_csv_begins_with_the_original_columns_and_ends_with_the_reasons() -> None:
    file = make_file()
    item = make_task(file).items.get()
    row = make_row(file, 7, "A1", "=cmd", None, item=item)
    stream = io.BytesIO()
    assert export.write(selectors.rows(sight=EVERYTHING), stream, format="csv") == export.Exported(rows=1, sheets=1)
    text = stream.getvalue().decode("utf-8-sig")
    header, line = csv.reader(io.StringIO(text))
    assert header == [*HEADERS, *export.NOTES]
    assert line == [
        "A1", "'=cmd", "", str(row.pk), "orders.csv", "7", "batch_1", "open", "Amount: INVALID_NUMBER (=cmd)",
    ]  # fmt: skip


@pytest.mark.django_db
def test_csv_refuses_rows_with_different_headers(tmp_path: Path) -> None:
    make_row(make_file(), 2, "A", "x", "")
    make_row(make_file("products.csv"), 2, "P", "x", headers=["ID", "GMV"])
    with pytest.raises(InvalidRequest):
        export.write(selectors.rows(sight=EVERYTHING), tmp_path / "out.csv", format="csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.django_db
def test_xlsx_gives_each_header_its_sheet_and_every_cell_as_text(tmp_path: Path) -> None:
    first, second = make_file(), make_file("products.csv")
    make_row(first, 3, "00123", "-5", "x")
    make_row(first, 2, "2798494601500000001", "=1+1", "y")
    make_row(second, 2, "P", "x", headers=["ID", "GMV"])
    path = tmp_path / "out.xlsx"
    assert export.write(selectors.rows(sight=EVERYTHING), path, format="xlsx") == export.Exported(rows=3, sheets=2)
    book = openpyxl.load_workbook(path)
    orders, products = book.worksheets
    assert [cell.value for cell in orders[1]][:3] == HEADERS
    assert [[cell.value for cell in row][:3] for row in orders.iter_rows(min_row=2)] == [
        ["2798494601500000001", "'=1+1", "y"],
        ["00123", "'-5", "x"],
    ]
    assert {cell.data_type for row in orders.iter_rows() for cell in row} == {"s"}
    assert products["A2"].value == "P"


@pytest.mark.django_db
def test_xlsx_continues_on_another_sheet_when_one_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_SHEET_ROWS", 2)
    file = make_file()
    for number in range(5):
        make_row(file, number + 2, f"A{number}", "x", "")
    path = tmp_path / "out.xlsx"
    assert export.write(selectors.rows(sight=EVERYTHING), path) == export.Exported(rows=5, sheets=3)
    sheets = openpyxl.load_workbook(path).worksheets
    assert [[cell.value for cell in sheet["A"]] for sheet in sheets] == [
        ["Order ID", "A0", "A1"],
        ["Order ID", "A2", "A3"],
        ["Order ID", "A4"],
    ]


@pytest.mark.django_db
def test_correction_stands_in_place_of_what_it_corrects() -> None:
    make_row(make_file(), 2, "A", "12,x", "", corrected={"1": "12.5"})
    assert export.original_values(selectors.rows(sight=EVERYTHING).get()) == ["A", "12.5", ""]


@pytest.mark.django_db
def test_text_that_no_workbook_cell_holds_is_cut_with_a_word(tmp_path: Path) -> None:
    make_row(make_file(), 2, "A" * 40_000, "x", "\ufffd")
    path = tmp_path / "out.xlsx"
    export.write(selectors.rows(sight=EVERYTHING), path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    assert len(str(sheet["A2"].value)) == 32_767
    assert "40000" in str(sheet["A2"].value)
