"""HTML that calls itself a workbook: all its tables, one below the other, as one sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO

from lxml import etree, html

from datasync.exceptions import CorruptFile, EmptyFile, NoSheet, TooLarge
from datasync.ingest.plan import FileFormat
from datasync.ingest.read import limits
from datasync.ingest.read.raw import RawRows, RawSheet, raw_rows
from datasync.ingest.read.text_encoding import SAMPLE_BYTES, detect_encoding

CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
DECLARED = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "utf-8": "utf-8",
    "utf8": "utf-8",
}
SHEET_NAME = "HTML"
SPACE = re.compile(r"[ \t\r\n\f]+")
LINE_SEPARATOR = "\u2028"
MAX_SPAN = limits.MAX_COLUMNS


def read_html(file: IO[bytes], *, sheet: str | None, expected_header: Sequence[str], batch_rows: int) -> RawSheet:
    """Tables are read in document order, rows counted on from one to the next; spans are written out as blanks."""
    data = file.read(limits.MAX_LEGACY_BYTES + 1)
    if len(data) > limits.MAX_LEGACY_BYTES:
        raise TooLarge(found="HTML", limit=f"{limits.MAX_LEGACY_BYTES:,} bytes")
    if sheet not in (None, SHEET_NAME):
        raise NoSheet(wanted=sheet, found=SHEET_NAME)
    encoding, mark = _encoding(data, expected_header)
    text = data[mark:].decode(encoding, "replace").replace("\0", "")
    try:
        root = html.document_fromstring(text, parser=html.HTMLParser(no_network=True, huge_tree=True))
    except (etree.LxmlError, ValueError) as error:
        raise CorruptFile(found=f"its HTML cannot be read ({error})") from error
    tables = [table for table in root.iter("table") if next(table.iterancestors("table"), None) is None]
    if not tables:
        raise EmptyFile(found="HTML without a table")
    return RawSheet(FileFormat.HTML, SHEET_NAME, (SHEET_NAME,), _batches(tables, batch_rows), encoding=encoding)


def _encoding(data: bytes, expected_header: Sequence[str]) -> tuple[str, int]:
    """What the bytes say comes before what the page declares, unless its declaration decodes them."""
    declared = CHARSET.search(data[:4096])
    if declared and (encoding := DECLARED.get(declared[1].decode().lower())):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            pass
        else:
            return encoding, 3 if data.startswith(b"\xef\xbb\xbf") and encoding == "utf-8" else 0
    return detect_encoding(data[:SAMPLE_BYTES], expected_header)


def _batches(tables: list[html.HtmlElement], batch_rows: int) -> Iterator[RawRows]:
    numbers: list[int] = []
    rows: list[list[str | None]] = []
    row = 0
    for table in tables:
        for cells in _table_rows(table):
            row += 1
            numbers.append(row)
            rows.append(cells)
            if len(rows) >= batch_rows:
                yield raw_rows(numbers, rows, [])
                numbers, rows = [], []
    yield raw_rows(numbers, rows, [])


def _table_rows(table: html.HtmlElement) -> Iterator[list[str | None]]:
    below: dict[int, int] = {}  # column → rows that a cell above still covers
    for line in table.iter("tr"):
        if next(line.iterancestors("table"), None) is not table:
            continue
        cells: list[str | None] = []
        covered = {column: rows - 1 for column, rows in below.items() if rows > 1}
        for cell in line.iterchildren("td", "th"):
            while below.get(len(cells), 0):
                cells.append(None)
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            covered.update(dict.fromkeys(range(len(cells), len(cells) + across), down - 1) if down > 1 else {})
            cells.extend([_text(cell), *[None] * (across - 1)])
            if len(cells) > limits.MAX_COLUMNS:
                raise TooLarge(found=f"{len(cells):,} columns", limit=f"{limits.MAX_COLUMNS:,}")
        below = covered
        yield cells


def _span(cell: html.HtmlElement, name: str) -> int:
    value = (cell.get(name) or "").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and len(value) < 9 else 1


def _text(cell: html.HtmlElement) -> str:
    """A cell's text as a browser shows it: white space folded, ``<br>`` a new line."""
    for line_break in list(cell.iter("br")):
        line_break.tail = LINE_SEPARATOR + (line_break.tail or "")
    folded = SPACE.sub(" ", str(cell.xpath("string()")))
    return "\n".join(part.strip(" ") for part in folded.split(LINE_SEPARATOR)).strip()
