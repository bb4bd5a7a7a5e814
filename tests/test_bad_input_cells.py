"""Cells that cannot be trusted: the rest of the file is read, and each of them is named by row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import HEADER_ROW, SIMPLE_ROW, parts, workbook, write_package
from tests.reading import read_whole


@pytest.mark.parametrize(
    ("cell", "reason", "text"),
    [
        ("<c r='B3'><f>A1</f></c>", "FORMULA_WITHOUT_VALUE", None),
        ('<c r="B3"><f>A1</f></c>', "FORMULA_WITHOUT_VALUE", None),
        ('<c r="B3"><f>A1</f><v></v></c>', "FORMULA_WITHOUT_VALUE", None),
        ('<c r="B3"><f t="shared" si="0"/><v/></c>', "FORMULA_WITHOUT_VALUE", None),
        ('<c r="B3" t="e"><f>1/0</f><v>#REF!</v></c>', "CELL_ERROR", None),
        ('<c r="B3" t="e"><v>#N/A</v></c>', "CELL_ERROR", None),
        ('<c r="B3"><v>5784812345678901234</v></c>', "PRECISION_LOST", "5.784812345678901e+18"),
        ('<c r="B3"><v>5.784812345678901E18</v></c>', "PRECISION_LOST", "5.784812345678901e+18"),
        ('<c r="B3"><v>1234567890123456</v></c>', "PRECISION_LOST", "1234567890123456"),
        ('<c r="B3" t="str"><v>a_x0000_b</v></c>', "INVALID_CHARACTER", "a\ufffdb"),
        ('<c r="B3" t="str"><v>a_xD83D_b</v></c>', "INVALID_CHARACTER", "a\ufffdb"),
        (f'<c r="B3" t="str"><v>{"x" * 140_000}</v></c>', "FIELD_TOO_LONG", "x" * 131_072),
    ],
)
def test_one_bad_cell(cell: str, reason: str, text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    workbook(path, HEADER_ROW + SIMPLE_ROW + f'<row r="3">{cell}</row>')
    whole = read_whole(path)
    assert whole.reasons == [(3, 1, reason)]
    assert whole.rows == [(2, "260306DRVKC6W4", "12.5"), (3, None, text)]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B3" t="str"><v>5784812345678901234</v></c>',
        '<c r="B3"><v>123456789012345</v></c>',
        '<c r="B3"><v>12.299999999999999</v></c>',
        '<c r="B3"><f>A1</f><v>1</v></c>',
        '<c r="B3" t="str"><f>A1</f><v></v></c>',
        '<c r="B3" t="str"><v>#N/A</v></c>',
        '<c r="B3" t="str"><v>a_xD83D__xDE00_b</v></c>',
    ],
)
def test_a_cell_that_is_all_right(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    workbook(path, HEADER_ROW + SIMPLE_ROW + f'<row r="3">{cell}</row>')
    assert read_whole(path).reasons == []


def test_external_links_are_not_followed(tmp_path: Path) -> None:
    content = parts(HEADER_ROW + '<row r="2"><c r="A2"><f>[1]Sheet1!A1</f><v>7</v></c></row>')
    relations = content["xl/_rels/workbook.xml.rels"]
    link = '<Relationship Id="x" Type="http://x/styles" Target="http://127.0.0.1:9/s.xml" TargetMode="External"/>'
    content["xl/_rels/workbook.xml.rels"] = relations.replace("</Relationships>", link + "</Relationships>")
    write_package(tmp_path / "a.xlsx", content)
    assert read_whole(tmp_path / "a.xlsx").rows == [(2, "7", None)]


def test_macros_are_ignored(tmp_path: Path) -> None:
    content = parts()
    content["xl/vbaProject.bin"] = "no real macro"
    write_package(tmp_path / "a.xlsm", content)
    assert len(read_whole(tmp_path / "a.xlsm").rows) == 1
