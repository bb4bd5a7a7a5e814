"""Workbooks: what a cell's text is, in every way in which writers write it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from datasync.exceptions import EmptyFile, NoSheet
from datasync.ingest.plan import FileFormat
from datasync.ingest.read import reader
from tests.hostile import HEADER_ROW, SIMPLE_ROW, parts, workbook, write_package
from tests.reading import read_whole

ROWS: list[list[Any]] = [
    ["26030612345678", "连衣裙 & <夏>", 12.5, 3, dt.datetime(2026, 3, 6, 13, 16, 50), True],
    ["0012", "a  b\nc", 1203.6, -7, dt.datetime(2026, 3, 7), False],
    [None, "tail\t", 1e22, 27984946015, dt.datetime(2024, 2, 29, 23, 59, 59), None],
]
TEXTS = [
    (2, "26030612345678", "连衣裙 & <夏>", "12.5", "3", "2026-03-06 13:16:50", "TRUE"),
    (3, "0012", "a  b\nc", "1203.6", "-7", "2026-03-07 00:00:00", "FALSE"),
    (4, None, "tail\t", "1e+22", "27984946015", "2024-02-29 23:59:59", None),
]
HEADER = ("订单号", "商品\n名称", "单价", "数量", "下单时间", "已付")


def write_xlsxwriter(path: Path, *, inline: bool) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": inline}) as book:
        sheet = book.add_worksheet("订单")
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(ROWS, start=1):
            for column, value in enumerate(row):
                if isinstance(value, dt.datetime):
                    sheet.write_datetime(number, column, value, moment)
                elif isinstance(value, str):
                    sheet.write_string(number, column, value)
                else:
                    sheet.write(number, column, value)


def write_openpyxl(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [list(HEADER), *ROWS]:
        sheet.append(row)
    book.save(path)


@pytest.mark.parametrize("writer", ["shared", "inline", "openpyxl"])
def test_every_writer_gives_the_same_texts(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    if writer == "openpyxl":
        write_openpyxl(path)
    else:
        write_xlsxwriter(path, inline=writer == "inline")
    whole = read_whole(path)
    assert whole.info.format is FileFormat.XLSX
    assert whole.info.header == HEADER
    assert whole.rows == TEXTS
    assert [reason for reason in whole.reasons if reason[1] != 2] == []


@pytest.mark.parametrize(
    "row",
    [
        '<row r="2"><c r="A2" t="str"><v>x</v></c><c r="B2"><v>5</v></c></row>',
        '<row r="2"><c t="str" r="A2"><v>x</v></c><c r="B2"><v>5</v></c></row>',
        "<row r='2'><c r='A2' t='str'><v>x</v></c><c r='B2'><v>5</v></c></row>",
        '<row r="2"><c t="str"><v>x</v></c><c><v>5</v></c></row>',
        '<row><c t="str"><v>x</v></c><c><v>5</v></c></row>',
        '<row r="2">\n  <c r="A2" t="str">\n    <v>x</v>\n  </c>\n  <c r="B2">\n <v>5</v></c>\n</row>\n',
        '<row r="2"><c r="A2" t="inlineStr"><is><r><t>x</t></r></is></c><c r="B2"><v>5</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v><![CDATA[x]]></v></c><!-- <c r="C2"/> --><c r="B2"><v>5</v></c></row>',
        '<row r="2" x:d="1" ht="12"><c r="A2" t="str"><f>1&amp;2</f><v>x</v></c><c r="B2"><v>5.0</v></c></row>',
        '<row r="2"><c r="A2" t="str"><v>&#120;</v></c><c r="B2" s="0"><v>5</v></c><c r="C2"/><c r="D2"></c></row>',
        '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t><rPh><t>no</t></rPh></is></c><c r="B2"><v>5E0</v></c></row>',
    ],
)
def test_serialisations(row: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    workbook(path, HEADER_ROW + row)
    assert read_whole(path).rows == [(2, "x", "5")]


def test_prefixed_elements(tmp_path: Path) -> None:
    content = parts()
    name = "xl/worksheets/sheet1.xml"
    content[name] = (
        '<?xml version="1.0"?><x:worksheet xmlns:x="urn:x"><x:sheetData>'
        '<x:row r="1"><x:c r="A1" t="str"><x:v>h</x:v></x:c></x:row>'
        '<x:row r="3"><x:c r="A3" t="str"><x:v>v</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    write_package(tmp_path / "a.xlsx", content)
    whole = read_whole(tmp_path / "a.xlsx")
    assert whole.info.header == ("h",)
    assert whole.rows == [(3, "v")]


def test_shared_strings_of_every_shape_and_a_lying_count(tmp_path: Path) -> None:
    strings = (
        '<sst xmlns="urn:x" count="9" uniqueCount="4294967295"><si><t>h</t></si>'
        '<si><r><rPr/><t>two </t></r><r><t xml:space="preserve">runs</t></r><rPh sb="0" eb="1"><t>no</t></rPh></si>'
        "<si/><si><t>a_x000D_b &amp;#10;</t></si></sst>"
    )
    cells = "".join(
        f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c><c r="B{n + 1}"><v>1</v></c></row>' for n in range(4)
    )
    write_package(tmp_path / "a.xlsx", parts(cells, shared_strings=strings))
    assert [row[1] for row in read_whole(tmp_path / "a.xlsx").rows] == ["two runs", None, "a\rb &#10;"]


@pytest.mark.parametrize(
    ("code", "serial", "text"),
    [
        ("yyyy-mm-dd", "46087", "2026-03-06"),
        ("yyyy-mm-dd", "46087.5", "2026-03-06 12:00:00"),
        ("dd/mm/yyyy hh:mm", "46087", "2026-03-06 00:00:00"),
        ("yyyy-mm-dd hh:mm:ss", "46087.553356481483", "2026-03-06 13:16:50"),
        ("hh:mm:ss", "0.55335648148", "13:16:50"),
        ("h:mm AM/PM", "46087.25", "2026-03-06 06:00:00"),
        ("[h]:mm:ss", "1.5", "36:00:00"),
        ('yyyy"年"m"月"d"日"', "1", "1900-01-01"),
        ("yyyy-mm-dd", "59", "1900-02-28"),
        ("yyyy-mm-dd", "60", "1900-02-29"),
        ("yyyy-mm-dd", "61", "1900-03-01"),
        ("yyyy-mm-dd", "-5", "-5"),
        ("yyyy-mm-dd", "99999999", "99999999"),
        ('0.00" days"', "3.5", "3.5"),
        ("[Red]0.00", "3.5", "3.5"),
        ("0.00%", "0.1234", "12.34%"),
        ("0.0%", "5.4800000000000001E-2", "5.48%"),
        ("0%", "0.95", "95%"),
        ("0%", "1", "100%"),
        ("0%", "0", "0%"),
        ("0%", "-0.005", "-0.5%"),
        ("0%", "1E-9", "0.0000001%"),
        ("0%", "12345.678912", "1234567.8912%"),
        ('0.0"%"', "5.4", "5.4"),
        ("0.0\\%", "5.4", "5.4"),
        ("0.00E+00", "1.5E3", "1500"),
    ],
)
def test_number_formats(code: str, serial: str, text: str, tmp_path: Path) -> None:
    quoted = code.replace('"', "&quot;")
    styles = (
        f'<numFmts><numFmt numFmtId="164" formatCode="{quoted}"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs>'
    )
    row = f'<row r="2"><c r="A2" s="1"><v>{serial}</v></c></row>'
    write_package(tmp_path / "a.xlsx", parts(HEADER_ROW + row, styles=styles))
    assert read_whole(tmp_path / "a.xlsx").rows == [(2, text, None)]


def test_dates_of_1904(tmp_path: Path) -> None:
    styles = '<cellXfs><xf/><xf numFmtId="14"/></cellXfs>'
    row = '<row r="2"><c r="A2" s="1"><v>0</v></c><c r="B2" s="1"><v>44625</v></c></row>'
    content = parts(HEADER_ROW + row, styles=styles, workbook_properties='<workbookPr date1904="1"/>')
    write_package(tmp_path / "a.xlsx", content)
    assert read_whole(tmp_path / "a.xlsx").rows == [(2, "1904-01-01", "2026-03-06")]


def test_an_invalid_pane_does_not_matter(tmp_path: Path) -> None:
    sheet = (
        '<worksheet><sheetViews><sheetView workbookViewId="0"><pane topLeftCell="nonsense" activePane="bottomRihgt" '
        f'state="frozen"/></sheetView></sheetViews><sheetData>{HEADER_ROW}{SIMPLE_ROW}</sheetData></worksheet>'
    )
    write_package(tmp_path / "a.xlsx", parts(sheet_xml=sheet))
    assert len(read_whole(tmp_path / "a.xlsx").rows) == 1


def test_the_first_visible_sheet_with_cells_unless_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("empty")
        hidden = book.add_worksheet("hidden")
        hidden.hide()
        hidden.write_row(0, 0, ["h"])
        shown = book.add_worksheet("shown")
        shown.write_column(0, 0, ["s", "row", "hidden row"])
        shown.set_row(2, options={"hidden": True})
        book.add_worksheet("later").write_row(0, 0, ["l"])
    assert [row[1] for row in read_whole(path).rows] == ["row", "hidden row"]
    assert read_whole(path, sheet="hidden").info.header == ("h",)
    assert reader().head(path, sheet="later").sheets == ("empty", "hidden", "shown", "later")
    with pytest.raises(NoSheet):
        read_whole(path, sheet="none")
    with pytest.raises(EmptyFile):
        read_whole(path, header_row=9)


def test_header_rows_data_row_and_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "a title")
        sheet.write_row(3, 0, ["", "Fees", "", "Total"])
        sheet.write_row(4, 0, ["Order", "Commission", "Service", ""])
        sheet.write(5, 0, "a line of prose")
        sheet.write_row(7, 0, ["1", "2", "3", "4"])
        sheet.write_row(1_000_000, 0, ["5", "6"])
    whole = read_whole(path, header_row=3, header_rows=2, data_row=6)
    assert whole.info.header == ("Order", "Fees / Commission", "Fees / Service", "Total")
    assert whole.rows == [(8, "1", "2", "3", "4"), (1_000_001, "5", "6", None, None)]
    head = reader().head(path, rows=8)
    assert head.rows[3] == ("", "Fees", "", "Total")
    assert head.rows[1] == ("", "", "", "")
    assert len(head.rows) == 8


def test_trailing_empty_headers_and_data_beyond_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        blank = book.add_format({"bold": True})
        sheet.write_row(0, 0, ["a", "a", "", "b"])
        for column in (4, 5, 6):
            sheet.write_blank(0, column, None, blank)
        sheet.write_row(1, 0, ["1", "2", "3", "4", "5"])
    assert read_whole(path).info.header == ("a", "a", "", "b", "")

    rows = HEADER_ROW + "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 90_000))
    workbook(path, rows + '<row r="90000"><c r="A90000"><v>1</v></c><c r="F90000"><v>7</v></c></row>')
    whole = read_whole(path)
    assert whole.reasons == [(90_000, None, "WRONG_COLUMN_COUNT")]
    assert whole.problems[0].value == "7"
    assert len(whole.rows) == 89_999
