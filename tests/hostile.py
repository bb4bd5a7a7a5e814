"""Files that no marketplace exports: each built by hand, with the error code that it must get.

``REFUSED`` maps a name to (builder, code). A builder writes the file to the path that it is given;
none is large on disk.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import msoffcrypto.format.ooxml
import xlsxwriter

Builder = Callable[[Path], None]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT_TYPES = f'<Types xmlns="{PACKAGE}/content-types"/>'
ROOT_RELATIONS = (
    f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
HEADER_ROW = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>订单号</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>金额</t></is></c></row>'
)
SIMPLE_ROW = '<row r="2"><c r="A2" t="inlineStr"><is><t>260306DRVKC6W4</t></is></c><c r="B2"><v>12.5</v></c></row>'


def parts(
    rows: str = HEADER_ROW + SIMPLE_ROW,
    *,
    sheets: tuple[tuple[str, str, str], ...] = (("Sheet1", "visible", "worksheet"),),
    workbook_properties: str = "",
    sheet_xml: str | None = None,
    shared_strings: str | None = None,
    styles: str | None = None,
    doctype: str = "",
) -> dict[str, str]:
    """The parts of a small workbook; every sheet but the last is empty."""
    relations = [
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{kind}s/sheet{n}.xml"/>'
        for n, (_, _, kind) in enumerate(sheets, 1)
    ]
    found = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": ROOT_RELATIONS,
        "xl/workbook.xml": f'{doctype}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{workbook_properties}<sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
            for n, (name, state, _) in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
    }
    for n, (_, _, kind) in enumerate(sheets, 1):
        content = rows if n == len(sheets) else ""
        found[f"xl/{kind}s/sheet{n}.xml"] = (
            f'<{kind} xmlns="{MAIN}"><dimension ref="A1"/><sheetData>{content}</sheetData></{kind}>'
        )
    if sheet_xml is not None:
        found[f"xl/worksheets/sheet{len(sheets)}.xml"] = sheet_xml
    if shared_strings is not None:
        found["xl/sharedStrings.xml"] = shared_strings
        relations.append(f'<Relationship Id="rIdS" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>')
    if styles is not None:
        found["xl/styles.xml"] = f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>'
        relations.append(f'<Relationship Id="rIdT" Type="{OFFICE}/styles" Target="styles.xml"/>')
    found["xl/_rels/workbook.xml.rels"] = (
        f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(relations)}</Relationships>'
    )
    return found


def write_package(path: Path, content: dict[str, str]) -> None:
    """Zip the parts of a workbook; the same parts are the same bytes, whatever the clock says."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)


def workbook(path: Path, rows: str = HEADER_ROW + SIMPLE_ROW) -> None:
    """A workbook of one sheet with these rows of XML."""
    write_package(path, parts(rows))


def _with_entry(name: str, data: bytes = b"x", mode: int = 0) -> Builder:
    def build(path: Path) -> None:
        workbook(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)

    return build


def _content(data: bytes) -> Builder:
    def build(path: Path) -> None:
        path.write_bytes(data)

    return build


def _rows(rows: str) -> Builder:
    return lambda path: workbook(path, rows)


def _doctype(doctype: str, place: str) -> Builder:
    def build(path: Path) -> None:
        content = parts()
        content[place] = doctype + content[place]
        write_package(path, content)

    return build


def truncated(path: Path) -> None:
    """The first half of a workbook."""
    workbook(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def damaged(path: Path) -> None:
    """A workbook whose sheet no longer inflates to what its checksum says."""
    workbook(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
        at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)


def many_entries(path: Path) -> None:
    """10,000 entries beside the workbook."""
    workbook(path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(10_000):
            archive.writestr(f"xl/media/{number}.png", b"")


def duplicate_entries(path: Path) -> None:
    """Two entries of one name: readers disagree on which one counts."""
    workbook(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"xl/workbook.xmm", b"xl/workbook.xml"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/workbook.xmm", "x")
    path.write_bytes(path.read_bytes().replace(b"xl/workbook.xmm", b"xl/workbook.xml"))


def overlapping_entries(path: Path) -> None:
    """Two directory entries that share one stretch of packed bytes."""
    _with_entry("xl/media/again.png", b"0" * 4096)(path)
    data = bytearray(path.read_bytes())
    directory = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, directory + 42, 0)
    path.write_bytes(data)


def bomb(path: Path) -> None:
    """A part that inflates a thousandfold."""
    workbook(path)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b" " * (1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(256)) + packer.flush()
    checksum = 0
    for _ in range(256):
        checksum = zlib.crc32(block, checksum)
    _append_packed(path, "xl/worksheets/sheet2.xml", packed, checksum, 256 << 20)


def lying_bomb(path: Path) -> None:
    """The bomb as the first sheet, declaring a hundred bytes: inflating has to stop there."""
    content = parts()
    content["xl/worksheets/sheet1.xml"] = content["xl/worksheets/sheet1.xml"].ljust(64 << 20)
    write_package(path, content)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(data.replace(struct.pack("<L", size), struct.pack("<L", 100)))


def _append_packed(path: Path, name: str, packed: bytes, checksum: int, size: int) -> None:
    """Add an entry whose bytes are packed already, without ever holding the inflated ones."""
    with zipfile.ZipFile(path) as archive:
        kept = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, packed)
        for other, data in kept.items():
            archive.writestr(other, data)
    archived = bytearray(path.read_bytes())
    sizes = struct.pack("<LL", len(packed), size)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = archived.find(signature)
        archived[at + offset : at + offset + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        archived[at + offset + 6 : at + offset + 18] = struct.pack("<L", checksum) + sizes
    path.write_bytes(archived)


def encrypted(path: Path) -> None:
    """A workbook under a password."""
    plain = io.BytesIO()
    workbook_path = path.with_suffix(".plain")
    workbook(workbook_path)
    plain.write(workbook_path.read_bytes())
    workbook_path.unlink()
    plain.seek(0)
    with path.open("wb") as target:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("secret", target)


def chart_only(path: Path) -> None:
    """A workbook that holds a chart and no cells."""
    with xlsxwriter.Workbook(path) as book:
        data = book.add_worksheet("Data")
        data.write_row(0, 0, [1, 2, 3])
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Data!$A$1:$C$1"})
        book.add_chartsheet("Chart").set_chart(chart)
    content: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        content = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    book_xml = content["xl/workbook.xml"]
    start, end = book_xml.index(b'<sheet name="Data"'), book_xml.index(b'<sheet name="Chart"')
    content["xl/workbook.xml"] = book_xml[:start] + book_xml[end:]
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)


def wide_header(path: Path) -> None:
    """A header in every one of Excel's 16,384 columns."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, [f"h{number}" for number in range(16_384)])


def fifo(path: Path) -> None:
    """A named pipe that nobody writes to."""
    os.mkfifo(path)


def directory(path: Path) -> None:
    """A directory with a file's name."""
    path.mkdir()


def unix_socket(path: Path) -> None:
    """A socket."""
    os.mknod(path, stat.S_IFSOCK | 0o600)


def link_to_outside(path: Path) -> None:
    """A symbolic link that leads out of the folder."""
    path.symlink_to("/etc/passwd")


BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
EXTERNAL_ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/x">]>'
QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'
FAR_CORNER = HEADER_ROW + SIMPLE_ROW + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'

REFUSED: dict[str, tuple[Builder, str]] = {
    "zero bytes.xlsx": (_content(b""), "EMPTY_FILE"),
    "truncated.xlsx": (truncated, "CORRUPT_FILE"),
    "damaged.xlsx": (damaged, "CORRUPT_FILE"),
    "encrypted.xlsx": (encrypted, "ENCRYPTED"),
    "bomb.xlsx": (bomb, "UNSAFE_FILE"),
    "lying bomb.xlsx": (lying_bomb, "CORRUPT_FILE"),
    "nested.xlsx": (_with_entry("xl/inner.zip", b"PK\x03\x04"), "UNSAFE_FILE"),
    "overlapping.xlsx": (overlapping_entries, "UNSAFE_FILE"),
    "many entries.xlsx": (many_entries, "UNSAFE_FILE"),
    "parent path.xlsx": (_with_entry("../x"), "UNSAFE_FILE"),
    "absolute path.xlsx": (_with_entry("/etc/x"), "UNSAFE_FILE"),
    "symlink entry.xlsx": (_with_entry("xl/link", b"/etc/passwd", stat.S_IFLNK | 0o777), "UNSAFE_FILE"),
    "duplicate entries.xlsx": (duplicate_entries, "UNSAFE_FILE"),
    "billion laughs.xlsx": (_doctype(BILLION_LAUGHS, "xl/workbook.xml"), "UNSAFE_FILE"),
    "billion laughs in sheet.xlsx": (_doctype(BILLION_LAUGHS, "xl/worksheets/sheet1.xml"), "UNSAFE_FILE"),
    "quadratic.xlsx": (_doctype(QUADRATIC, "xl/worksheets/sheet1.xml"), "UNSAFE_FILE"),
    "external entity.xlsx": (_doctype(EXTERNAL_ENTITY, "xl/workbook.xml"), "UNSAFE_FILE"),
    "far corner.xlsx": (_rows(FAR_CORNER), "UNSAFE_FILE"),
    "chart only.xlsx": (chart_only, "SHEET_NOT_FOUND"),
    "empty sheet.xlsx": (_rows(""), "EMPTY_FILE"),
    "wide.xlsx": (wide_header, "TOO_LARGE"),
    "pdf.xlsx": (_content(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "UNSUPPORTED_FORMAT"),
    "png.csv": (_content(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "UNSUPPORTED_FORMAT"),
    "gzip.csv": (_content(gzip.compress(b"a,b\n1,2\n")), "UNSUPPORTED_FORMAT"),
    "binary.csv": (_content(bytes(range(256)) * 64), "UNSUPPORTED_FORMAT"),
    "unclosed quote.csv": (_content(b'id,name\n1,ok\n2,"open\n' + b"3,x\n" * 50), "UNCLOSED_QUOTE"),
    "unclosed quote, long.csv": (_content(b'id,name\n1,"open\n' + b"3,abcdefgh\n" * 900_000), "UNCLOSED_QUOTE"),
    "long line.csv": (_content(b"id,name\n1," + b"x" * 1_000_000 + b"\n"), "TOO_LARGE"),
    "no encoding.csv": (_content(b"\x81\x8d" * 20 + b",name\n1,2\n"), "UNDECODABLE_TEXT"),
    "fifo.csv": (fifo, "UNSAFE_FILE"),
    "directory.csv": (directory, "UNSAFE_FILE"),
    "socket.csv": (unix_socket, "FILE_UNREADABLE"),
    "link.csv": (link_to_outside, "FILE_UNREADABLE"),
}
