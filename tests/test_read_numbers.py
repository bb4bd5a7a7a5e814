"""Number cells are told apart from texts, so that a comma template reads ``3.125`` and ``"3,125"`` as the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter
import xlwt

from datasync.fields import Domain
from datasync.ingest.plan import Batch, NumberFormat, ReadRequest
from datasync.ingest.prepare import Preparer
from datasync.ingest.read import reader
from tests.hostile import HEADER_ROW, parts, write_package
from tests.sheets import make_plan

HEADER: list[str | float] = ["date", "all", "mixed"]
ROWS: list[list[str | float]] = [["2026-03-01", 3.125, "3,125"], [], ["2026-03-02", 4, 2.5], ["2026-03-03", 0.5, "7"]]


def write_xlsx(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(number, 0, row)


def write_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for number, row in enumerate([HEADER, *ROWS]):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.save(str(path))


def write_csv(path: Path) -> None:
    path.write_text("date,all,mixed\n2026-03-01,3.125,1\n")


def batches(path: Path, *, batch_rows: int = 1000) -> list[Batch]:
    with reader().open(ReadRequest(path, batch_rows=batch_rows)) as sheet:
        return list(sheet)


def marked(parts: list[Batch]) -> dict[str, list[int]]:
    """Column → rows of the spreadsheet in which it has a number cell."""
    rows: dict[str, list[int]] = {}
    for batch in parts:
        for name, marks in batch.numbers.items():
            rows.setdefault(name, []).extend(batch.frame["row"].filter(marks))
    return rows


@pytest.mark.parametrize("batch_rows", [1, 2, 1000])
@pytest.mark.parametrize("write", [write_xlsx, write_xls])
def test_number_cells_are_marked(write: Callable[[Path], None], batch_rows: int, tmp_path: Path) -> None:
    write(tmp_path / "a")
    parts = batches(tmp_path / "a", batch_rows=batch_rows)
    assert all(part.frame.columns == ["row", "c0", "c1", "c2"] for part in parts)
    assert marked(parts) == {"c1": [2, 4, 5], "c2": [4]}


def test_text_files_have_no_number_cells(tmp_path: Path) -> None:
    write_csv(tmp_path / "a")
    assert batches(tmp_path / "a")[0].numbers == {}


@pytest.mark.parametrize("number_format", list(NumberFormat))
@pytest.mark.parametrize("write", [write_xlsx, write_xls])
def test_a_number_cell_is_the_same_number_under_every_template(
    write: Callable[[Path], None], number_format: NumberFormat, tmp_path: Path
) -> None:
    write(tmp_path / "a")
    plan = make_plan(
        Domain.ANALYTICS, ("metric_date", "pages_per_visit", "average_visitors"), identity=("metric_date",)
    )
    columns = tuple(replace(column, number_format=number_format) for column in plan.columns)
    prepared = Preparer(replace(plan, columns=columns)).prepare(batches(tmp_path / "a")[0])
    assert [float(text) for text in prepared.rows["pages_per_visit"]] == [3.125, 4.0, 0.5]
    comma = number_format is NumberFormat.COMMA
    assert [float(text) for text in prepared.rows["average_visitors"]] == [3.125 if comma else 3125.0, 2.5, 7.0]
    assert '"3.125"' in prepared.rows["raw"][0]


@pytest.mark.parametrize("header", ["满意度", "满意度%"])
def test_a_share_shown_in_percent_is_divided_once(header: str, tmp_path: Path) -> None:
    styles = '<cellXfs><xf/><xf numFmtId="10"/></cellXfs>'
    rows = '<row r="2"><c r="A2" t="str"><v>2026-03-01</v></c><c r="B2" s="1"><v>0.95</v></c></row>'
    write_package(tmp_path / "a.xlsx", parts(HEADER_ROW + rows, styles=styles))
    plan = make_plan(Domain.ANALYTICS, ("metric_date", "conversion_rate"), identity=("metric_date",))
    columns = (plan.columns[0], replace(plan.columns[1], header=header, number_format=NumberFormat.COMMA))
    prepared = Preparer(replace(plan, columns=columns)).prepare(batches(tmp_path / "a.xlsx")[0])
    assert float(prepared.rows["conversion_rate"][0]) == 0.95
