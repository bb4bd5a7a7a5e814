"""Text files: encodings, delimiters, line ends, and rows that do not fit."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from datasync.ingest.plan import FileFormat
from datasync.ingest.read import reader
from tests.reading import read_whole

CHINESE = "订单编号,商品名称,利润(RMB),下单时间\n2603,连衣裙 夏季新款,12.50,2026-03-06\n2604,手机壳,3,2026-03-07\n"
TAIWAN = "訂單編號,商品名稱,買家備註,下單時間\n2603,夏季連身裙,請儘快出貨謝謝,2026-03-06\n2604,手機殼,,2026-03-07\n"
PORTUGUESE = "Pedido;Descrição;Preço;Situação\n1;Calção de praia;10,00;Não enviado\n2;Pão;2,50;Concluído\n"
THAI = "หมายเลขคำสั่งซื้อ,ชื่อสินค้า,ราคา\n1,เสื้อยืดผู้ชาย,100\n2,กางเกงขายาว,200\n"
VIETNAMESE = "Mã đơn hàng,Tên sản phẩm,Giá\n1,Áo thun nam,100\n"


def check(path: Path, text: str, delimiter: str) -> None:
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    whole = read_whole(path)
    assert whole.info.header == tuple(expected[0])
    assert whole.info.delimiter == delimiter
    assert [list(row[1:]) for row in whole.rows] == [[cell or None for cell in row] for row in expected[1:]]
    assert whole.problems == []


@pytest.mark.parametrize(
    ("text", "encoding", "delimiter"),
    [
        (CHINESE, "utf-8", ","),
        (CHINESE, "utf-8-sig", ","),
        (CHINESE, "gb18030", ","),
        (CHINESE, "utf-16", ","),
        (CHINESE.replace(",", "\t"), "utf-16-le", "\t"),
        (CHINESE.replace(",", "\t"), "utf-16-be", "\t"),
        (CHINESE.replace(",", "|"), "utf-8", "|"),
        (CHINESE.replace("\n", "\r\n"), "gb18030", ","),
        (TAIWAN, "big5", ","),
        (PORTUGUESE, "cp1252", ";"),
        (PORTUGUESE, "utf-8", ";"),
        (THAI, "cp874", ","),
        (THAI, "utf-8", ","),
        (VIETNAMESE, "utf-8", ","),
    ],
)
def test_encodings_and_delimiters(text: str, encoding: str, delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    check(path, text, delimiter)


def test_expected_headers_decide_where_letters_cannot(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Preço,q\n1,2\n".encode("cp1252"))
    assert read_whole(path, expected_header=("Preço",)).info.header == ("Preço", "q")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\r1,2\r3,4\r", [(2, "1", "2"), (3, "3", "4")]),
        ("a,b\n1,2\r\n3,4\r5,6", [(2, "1", "2"), (3, "3", "4"), (4, "5", "6")]),
        ("a,b\n\n1,2\n\n\n3,4\n", [(3, "1", "2"), (6, "3", "4")]),
        ('a,b\n"1\n2",x\n3,4\n', [(2, "1\n2", "x"), (3, "3", "4")]),
        ('a,b\n"say ""hi""",x\n', [(2, 'say "hi"', "x")]),
        ('a,b\n5" screen,x\n6" screen,y\n', [(2, '5" screen', "x"), (3, '6" screen', "y")]),
        ('a,b\n"31/07/2026 20:29:25\t","x\t"\n', [(2, "31/07/2026 20:29:25\t", "x\t")]),
        ("a,b\n1,2,\n3,4,,\n", [(2, "1", "2"), (3, "3", "4")]),
        ("a,b\n,\n1,\n", [(3, "1", None)]),
        ('a,b\n"",""\n"1",""\n', [(3, "1", None)]),
        ("a,b\n=HYPERLINK(1),@SUM(A1)\n", [(2, "=HYPERLINK(1)", "@SUM(A1)")]),
        ("a,b\n", []),
        ("a,b", []),
    ],
)
def test_line_ends_quotes_and_blanks(text: str, rows: list[tuple[object, ...]], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    whole = read_whole(path)
    assert whole.info.header == ("a", "b")
    assert whole.rows == rows
    assert whole.problems == []


def test_duplicate_and_trailing_empty_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,a,,b,,\n1,2,3,4,,\n")
    whole = read_whole(path)
    assert whole.info.header == ("a", "a", "", "b")
    assert whole.rows == [(2, "1", "2", "3", "4")]


def test_a_header_below_a_preamble(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Statement\n\n"a ""quoted"", title",x\na,b,c\n1,2,3\n4,5,6\n')
    whole = read_whole(path, header_row=3)
    assert whole.info.header == ("a", "b", "c")
    assert whole.rows == [(5, "1", "2", "3"), (6, "4", "5", "6")]
    assert read_whole(path, header_row=3, data_row=5).rows == [(6, "4", "5", "6")]
    head = reader().head(path)
    assert head.format is FileFormat.CSV
    assert [row[0] for row in head.rows] == ["Statement", "", 'a "quoted", title', "a", "1", "4"]


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        (b"1,2", "WRONG_COLUMN_COUNT", None),
        (b"1,2,3,4", "WRONG_COLUMN_COUNT", None),
        (b'"1","2"', "WRONG_COLUMN_COUNT", None),
        (b"1,a\0b,3", "INVALID_CHARACTER", 1),
        (b"1,2," + b"y" * 131_073, "FIELD_TOO_LONG", 2),
        (b"1," + "订单".encode("gb18030") + b",3", "UNDECODABLE_BYTES", 1),
    ],
)
def test_a_bad_row_among_good_ones(line: bytes, reason: str, column: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "编号,名称,价格\n" + "1,连衣裙,3\n" * 50
    path.write_bytes(good.encode() + line + b"\n" + b"7,8,9\n" * 50)
    whole = read_whole(path)
    assert {(row, col, why) for row, col, why in whole.reasons} == {(52, column, reason)}
    assert len(whole.rows) == 101
    assert whole.rows[-1] == (102, "7", "8", "9")
    if reason == "UNDECODABLE_BYTES":
        assert whole.problems[0].value == f"byte {len(good.encode()) + 2}"


@pytest.mark.parametrize("quoted", [False, True])
def test_many_pieces_are_one_file(quoted: bool, tmp_path: Path) -> None:
    """Larger than several blocks, with newlines inside cells wherever a block may end."""
    path = tmp_path / "a.csv"
    rows = [[str(n), f'say "{n}"\n好' if quoted else f"好{n}", "x" * (n % 97)] for n in range(120_000)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c"], *rows])
    whole = read_whole(path)
    assert [list(row) for row in whole.rows] == [[n + 2, a, b, c or None] for n, (a, b, c) in enumerate(rows)]
    assert whole.problems == []
    assert [row[0] for row in read_whole(path, max_rows=3).rows] == [2, 3, 4]


def test_one_careful_stretch_does_not_disturb_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{n},{'z' * 50}" for n in range(200_000)]
    lines[90_000] = ""
    lines[150_000] = "1,2,3"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    whole = read_whole(path)
    assert len(whole.rows) == 199_999
    assert whole.rows[-1][:2] == (200_001, "199999")
    assert whole.reasons == [(150_002, None, "WRONG_COLUMN_COUNT")]


@pytest.mark.parametrize("name", ["new\nline.csv", ";rm -rf.csv", "é" * 120 + ".csv", "🙂.csv"])
def test_odd_file_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("a,b\n1,2\n")
    assert read_whole(path).rows == [(2, "1", "2")]
