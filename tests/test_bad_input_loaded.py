"""Odd but honest files load the right facts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

from datasync.access import EVERYTHING
from datasync.choices import FileState, TaskState
from datasync.mapping.services import import_templates, load_builtin_templates
from datasync.mapping.template_file import load_templates
from datasync.models import OrderLine
from tests.hostile import parts, write_package
from tests.order_exports import HEADER, NAME, End, Write, line, row_xml, sheet_xml, shop_folder, sync, text, write_sheet
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
CHINESE = [line(f"G{number}", variation="红色 连衣裙 夏季新款", recipient="王小明") for number in range(1, 4)]
TAIWANESE = [line(f"G{number}", variation="夏季連身裙 請儘快出貨", recipient="買家") for number in range(1, 4)]
PLAIN = [line(f"G{number}") for number in range(1, 4)]


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def check(end: End, lines: list[list[str]] = PLAIN) -> None:
    """Exactly these orders, with the values that stand in them."""
    assert (end.task.errors, end.reasons) == ([], {})
    assert (end.task.state, end.file.state) == (TaskState.COMPLETED, FileState.INGESTED)
    found = OrderLine.objects.order_by("sheet_row").values_list(
        "order_id", "sku", "variation", "unit_price", "quantity", "ordered_at"
    )
    moment = dt.datetime(2026, 3, 6, 5, 16, tzinfo=dt.UTC)  # 13:16 in Singapore
    assert list(found) == [(cells[0], cells[5], cells[6], Decimal(cells[8]), 1, moment) for cells in lines]


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (TAIWANESE, "big5"),
    ],
)
def test_encodings(lines: list[list[str]], encoding: str, inbox: Path) -> None:
    check(sync(inbox / f"{NAME}.csv", text(lines).encode(encoding)), lines)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters(delimiter: str, inbox: Path) -> None:
    check(sync(inbox / f"{NAME}.csv", text(PLAIN, delimiter=delimiter).encode()))


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_line_ends(end: str, inbox: Path) -> None:
    check(sync(inbox / f"{NAME}.csv", text(PLAIN, end=end).encode()))


def test_mixed_line_ends(inbox: Path) -> None:
    mixed = text(PLAIN).replace("\n", "\r\n", 1)
    check(sync(inbox / f"{NAME}.csv", (mixed[:-1].replace("Ana\nG3", "Ana\rG3")).encode()))


def write_biff(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("orders")
    for number, cells in enumerate([HEADER, *PLAIN]):
        for column, cell in enumerate(cells):
            sheet.write(number, column, cell)
    book.save(str(path))


def write_html(path: Path) -> None:
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in [HEADER, *PLAIN])
    path.write_text(f"<html><meta charset=utf-8><table>{rows}</table></html>")


def write_macros(path: Path) -> None:
    write_package(path, {**parts(sheet_xml(PLAIN)), "xl/vbaProject.bin": "no real macro"})


def write_lies(path: Path) -> None:
    strings = '<sst count="9" uniqueCount="4294967295"><si><t>Order ID</t></si></sst>'
    rows = sheet_xml(PLAIN).replace('<c r="A1" t="str"><v>Order ID</v></c>', '<c r="A1" t="s"><v>0</v></c>')
    content = parts(rows, shared_strings=strings)
    name = "xl/worksheets/sheet1.xml"
    content[name] = content[name].replace('<dimension ref="A1"/>', '<dimension ref="A1:XFD1048576"/>')
    write_package(path, content)


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        ("xlsm", write_macros),
        ("xlsx", write_biff),
        ("xls", write_html),
        ("xlsx", write_lies),
        ("xlsx", lambda path: path.write_text(text(PLAIN))),
    ],
    ids=["macros", "BIFF as xlsx", "HTML as xls", "lying dimension and uniqueCount", "text as xlsx"],
)
def test_formats(suffix: str, write: Write, inbox: Path) -> None:
    check(sync(inbox / f"{NAME}.{suffix}", write))


@pytest.mark.parametrize(
    ("serial", "date_1904", "day"),
    [
        ("46087.552777777775", "0", (2026, 3, 6)),
        ("44625.552777777775", "1", (2026, 3, 6)),
        ("61.552777777775", "0", (1900, 3, 1)),
    ],
)
def test_serial_dates(serial: str, date_1904: str, day: tuple[int, int, int], inbox: Path) -> None:
    rows = sheet_xml([line("G1"), line("G2")], bad={"Order Creation Date": f'<c @ s="1"><v>{serial}</v></c>'})
    styles = '<cellXfs><xf/><xf numFmtId="22"/></cellXfs>'
    write = write_sheet(rows, styles=styles, workbook_properties=f'<workbookPr date1904="{date_1904}"/>')
    end = sync(inbox / f"{NAME}.xlsx", write)
    if day[0] < 2000:
        assert end.reasons == {2: {("Order Creation Date", "DATE_OUT_OF_RANGE")}}
        assert "1900-03-01 13:16:00" in end.file.quarantined.get().values
    else:
        (found,) = OrderLine.objects.filter(order_id="G1").values_list("ordered_at", flat=True)
        assert found == dt.datetime(*day, 5, 16, tzinfo=dt.UTC)


def test_duplicate_headers_are_kept_apart(inbox: Path) -> None:
    header = [*HEADER[:-1], "Recipient", "Recipient"]
    lines = [[*cells, f"second {cells[0]}"] for cells in PLAIN]
    rows = [header, *lines]
    end = sync(inbox / f"{NAME}.csv", "\n".join(",".join(cells) for cells in rows).encode())
    check(end)
    assert [json.loads(raw)[-2:] for raw in OrderLine.objects.order_by("sheet_row").values_list("raw", flat=True)] == [
        ["Ana", f"second {cells[0]}"] for cells in PLAIN
    ]


TEMPLATE = """
[family]
platform = "shopee"
source_platform = "shopee"
domain = "orders"
granularities = ["daily"]
[[variants]]
{place}
identity = ["order_id", "sku"]
ordinal = true
totals_on_every_line = true
formats = {{ datetime = "%Y-%m-%d %H:%M" }}
columns = [
  {{ header = "Order ID", field = "order_id", required = true }},
  {{ header = "SKU Reference No.", field = "sku" }},
  {{ header = "Variation Name", field = "variation" }},
  {{ header = "Order Creation Date", field = "ordered_at", required = true }},
  {{ header = "Deal Price", field = "unit_price" }},
  {{ header = "Quantity", field = "quantity" }},
  {{ header = "Order Status" }}, {{ header = "Tracking Number*" }}, {{ header = "Order Paid Time" }},
  {{ header = "Original Price" }}, {{ header = "Total Amount" }}, {{ header = "Buyer Paid Shipping Fee" }},
  {{ header = "Recipient" }},
]
"""


def write_second_sheet(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write_row(0, 0, ["Generated", "by a test"])
        sheet = book.add_worksheet("Orders")
        for number, cells in enumerate([HEADER, *PLAIN]):
            sheet.write_row(number, 0, cells)


def write_header_in_row_9(path: Path) -> None:
    write_package(path, parts(row_xml(1, ["A title", *[""] * 12]) + sheet_xml(PLAIN, first=9)))


@pytest.mark.parametrize(
    ("place", "write"),
    [('sheet = "Orders"', write_second_sheet), ("header_row = 8", write_header_in_row_9)],
    ids=["second sheet", "header row 8"],
)
def test_a_template_says_where_the_table_is(place: str, write: Callable[[Path], None], inbox: Path) -> None:
    template = inbox.parents[1] / "orders.toml"
    template.write_text(TEMPLATE.format(place=place))
    import_templates(load_templates(template), publish_now=True, sight=EVERYTHING)
    check(sync(inbox / f"{NAME}.xlsx", write))


def test_a_header_alone_is_a_success_without_rows(inbox: Path) -> None:
    end = sync(inbox / f"{NAME}.csv", text([]).encode())
    assert (end.task.state, end.task.rows_read, end.file.state) == (TaskState.COMPLETED, 0, FileState.INGESTED)
    assert "NO_ROWS" in str(end.task.warnings)


def test_invisible_characters_do_not_make_another_order(inbox: Path) -> None:
    odd = [line("\u200bG1"), line("G\u202e2"), line("\ufeffG3\u2069", variation="Red\u200f")]
    check(sync(inbox / f"{NAME}.csv", text(odd).encode()))


def test_markup_and_formulas_stay_the_text_that_they_are(inbox: Path) -> None:
    names = ["<script>alert(1)</script>", "=HYPERLINK(1)", "+cmd|x"]
    lines = [line(f"G{number}", variation=name) for number, name in enumerate(names, 1)]
    check(sync(inbox / f"{NAME}.csv", text(lines).encode()), lines)


def test_merged_header_cells(inbox: Path) -> None:
    content = parts(sheet_xml(PLAIN))
    name = "xl/worksheets/sheet1.xml"
    merged = '</sheetData><mergeCells count="1"><mergeCell ref="A1:A1"/></mergeCells>'
    content[name] = content[name].replace("</sheetData>", merged)
    check(sync(inbox / f"{NAME}.xlsx", lambda path: write_package(path, content)))
