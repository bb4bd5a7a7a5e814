"""Writers: one sheet's content into the formats that marketplaces really send."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import xlsxwriter
import xlwt

from datasync.ingest.plan import FileFormat
from datasync.samples.content import Cell, ErrorCell, SheetContent

FIXED_CREATION = datetime(2026, 1, 1, tzinfo=UTC)
"""Written into workbooks in place of the current time, so that equal content gives equal bytes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How content is put into a file. The bytes follow ``format``, whatever the file's extension says."""

    format: FileFormat = FileFormat.XLSX
    encoding: str = ""
    delimiter: str = ""
    lying_dimension: bool = False  # Shopee: `<dimension ref="A1">` and zip entries dated 1980-00-00


XLSX = Layout()
SHOPEE_XLSX = Layout(lying_dimension=True)
XLS = Layout(FileFormat.XLS)
HTML = Layout(FileFormat.HTML, encoding="utf-8")
CSV = Layout(FileFormat.CSV, encoding="utf-8", delimiter=",")
CSV_BOM = Layout(FileFormat.CSV, encoding="utf-8-sig", delimiter=",")
CSV_GB18030 = Layout(FileFormat.CSV, encoding="gb18030", delimiter=",")
CSV_UTF16 = Layout(FileFormat.CSV, encoding="utf-16", delimiter="\t")
CSV_SEMICOLON = Layout(FileFormat.CSV, encoding="utf-8", delimiter=";")
TSV = Layout(FileFormat.CSV, encoding="utf-8", delimiter="\t")


def write(path: Path, content: SheetContent, layout: Layout) -> None:
    """Write ``content`` to ``path``, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if layout.format is FileFormat.XLSX:
        _write_xlsx(path, content)
        if layout.lying_dimension:
            _lie_about_dimension(path)
    elif layout.format is FileFormat.XLS:
        _write_xls(path, content)
    elif layout.format is FileFormat.HTML:
        path.write_text(_html(content), encoding=layout.encoding)
    else:
        _write_csv(path, content, layout)


def _write_xlsx(path: Path, content: SheetContent) -> None:
    workbook = xlsxwriter.Workbook(str(path), {"strings_to_urls": False, "strings_to_formulas": False})
    workbook.set_properties({"created": FIXED_CREATION})
    sheet = workbook.add_worksheet(content.sheet)
    for number, row in enumerate(content.all_rows()):
        for column, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            if isinstance(cell, ErrorCell):
                sheet.write_formula(number, column, "=1/0", None, str(cell))
            elif isinstance(cell, str):
                sheet.write_string(number, column, cell)
            else:
                sheet.write_number(number, column, cell)
    plain = workbook.add_format({"valign": "vcenter"})
    first = content.first_data_row
    for merge in content.merges:
        value = content.rows[merge.first][merge.column]
        sheet.merge_range(first + merge.first, merge.column, first + merge.last, merge.column, value, plain)
    workbook.close()


def _lie_about_dimension(path: Path) -> None:
    """Rewrite the workbook as Shopee's exporter leaves it."""
    with zipfile.ZipFile(path) as source:
        parts = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts:
            honest = name.startswith("xl/worksheets/sheet")
            body = re.sub(rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1"/>', data, count=1) if honest else data
            info = zipfile.ZipInfo(name, date_time=(1980, 0, 0, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, body)


def _write_xls(path: Path, content: SheetContent) -> None:
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet(content.sheet)
    first = content.first_data_row
    merged = {(first + merge.first, merge.column) for merge in content.merges}
    for number, row in enumerate(content.all_rows()):
        for column, cell in enumerate(row):
            if cell is not None and cell != "" and (number, column) not in merged:
                sheet.write(number, column, cell)
    for merge in content.merges:
        value = content.rows[merge.first][merge.column]
        sheet.write_merge(first + merge.first, first + merge.last, merge.column, merge.column, value)
    workbook.save(str(path))


def _html(content: SheetContent) -> str:
    first = content.first_data_row
    spans = {(first + merge.first, merge.column): merge.last - merge.first + 1 for merge in content.merges}
    covered = {
        (first + index, merge.column) for merge in content.merges for index in range(merge.first + 1, merge.last + 1)
    }
    lines = [
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>',
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><table border="1">',
    ]
    for number, row in enumerate(content.all_rows()):
        cells = []
        for column, cell in enumerate(row):
            if (number, column) in covered:
                continue
            span = spans.get((number, column))
            cells.append(f"<td rowspan={span}>{_text(cell)}</td>" if span else f"<td>{_text(cell)}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    lines.append("</table></body></html>\n")
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    return "" if cell is None else escape(str(cell)).replace("\n", "<br>")


def _write_csv(path: Path, content: SheetContent, layout: Layout) -> None:
    width = len(content.header)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    for row in content.all_rows():
        writer.writerow(row if len(row) >= width else [*row, *[None] * (width - len(row))])
    path.write_bytes(text.getvalue().encode(layout.encoding))
