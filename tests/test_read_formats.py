"""The older and odder formats, each by its bytes and under a wrong extension."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest
import xlwt

from datasync.exceptions import EncryptedFile, FileMissing, NoSheet, UnsupportedFormat
from datasync.ingest.plan import FileFormat
from datasync.ingest.read import reader, sniff
from tests.hostile import REFUSED, workbook
from tests.reading import read_whole

HTML = """<html><head><meta charset="{charset}"></head><body><p>导出</p>
<table><tr><th>订单号</th><th colspan="2">金额</th><th>备注</th></tr>
<tr><td rowspan="2">2603</td><td> 1
 2 </td><td>3</td><td>a<br>b &amp; c<!-- no --></td></tr><tr><td>4</td><td></td><td>&lt;script&gt;</td></tr></table>
<table><tr><td>2604<table><tr><td>inner</td></tr></table></td><td>5</td></tr></table></body></html>"""

ODS_CONTENT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="Tab">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)
ODS_CELL = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'


def write_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("库存")
    moment, day = xlwt.XFStyle(), xlwt.XFStyle()
    moment.num_format_str, day.num_format_str = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
    for column, text in enumerate(("*商品SKU", "数量", "时间", "日", "识别")):
        sheet.write(2, column, text)
    sheet.write(3, 0, "00012")
    sheet.write(3, 1, 3)
    sheet.write(3, 2, dt.datetime(2026, 3, 6, 13, 16, 50), moment)
    sheet.write(3, 3, dt.date(2026, 3, 6), day)
    sheet.write(5, 1, 2.5)
    sheet.write(5, 4, 5784812345678901234)
    book.save(str(path))


def write_ods(path: Path, rows: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", ODS_CONTENT.format(rows=rows))


def test_biff_named_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "stock.xlsx"
    write_xls(path)
    whole = read_whole(path, header_row=2)
    assert whole.info.format is FileFormat.XLS
    assert whole.info.sheet == "库存"
    assert whole.rows[0][:4] == (4, "00012", "3", "2026-03-06 13:16:50")
    assert whole.rows[0][4] in ("2026-03-06", "2026-03-06 00:00:00")
    assert whole.rows[1][0] == 6
    assert whole.reasons == [(6, 4, "PRECISION_LOST")]
    with pytest.raises(NoSheet):
        read_whole(path, sheet="none")


def test_ods(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    number = '<table:table-cell office:value-type="float" office:value="2.5"><text:p>2.5</text:p></table:table-cell>'
    rows = f"<table:table-row>{ODS_CELL.format('订单号')}{ODS_CELL.format('b')}</table:table-row>"
    rows += f"<table:table-row>{ODS_CELL.format('007')}{number}</table:table-row>"
    write_ods(path, rows)
    whole = read_whole(path)
    assert whole.info.format is FileFormat.ODS
    assert whole.rows == [(2, "007", "2.5")]


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_html_named_xls(charset: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(HTML.format(charset=charset).encode(charset))
    whole = read_whole(path)
    assert whole.info.format is FileFormat.HTML
    assert whole.info.header == ("订单号", "金额", "", "备注")
    assert whole.rows == [
        (2, "2603", "1 2", "3", "a\nb & c"),
        (3, None, "4", None, "<script>"),
        (4, "2604inner", "5", None, None),
    ]


def test_text_named_xlsx_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_text("a,b\n1,2\n")
    assert sniff(path) is FileFormat.CSV
    assert read_whole(path).rows == [(2, "1", "2")]


def test_sniff_tells_formats_and_refuses_the_rest(tmp_path: Path) -> None:
    workbook(tmp_path / "a.csv")
    assert sniff(tmp_path / "a.csv") is FileFormat.XLSX
    with pytest.raises(FileMissing):
        sniff(tmp_path / "none.csv")
    REFUSED["encrypted.xlsx"][0](tmp_path / "locked.xlsx")
    with pytest.raises(EncryptedFile):
        sniff(tmp_path / "locked.xlsx")
    with zipfile.ZipFile(tmp_path / "zip.csv", "w") as archive:
        archive.writestr("a.csv", "a,b\n")
    with pytest.raises(UnsupportedFormat, match="a zip archive"):
        sniff(tmp_path / "zip.csv")
    (tmp_path / "gz.csv").write_bytes(b"\x1f\x8b\x08\0\0\0")
    with pytest.raises(UnsupportedFormat, match="gzip"):
        sniff(tmp_path / "gz.csv")


def test_head_of_each_format(tmp_path: Path) -> None:
    write_xls(tmp_path / "a")
    assert reader().head(tmp_path / "a", rows=3).rows[2][0] == "*商品SKU"
    (tmp_path / "b").write_text(HTML.format(charset="utf-8"))
    assert reader().head(tmp_path / "b", rows=2).rows[1] == ("2603", "1 2", "3", "a\nb & c")
