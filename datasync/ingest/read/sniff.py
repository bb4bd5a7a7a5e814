"""What a file is, by its bytes. The extension is not looked at, for it lies."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import IO

import olefile

from datasync.exceptions import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    FileError,
    FileMissing,
    UnsafeFile,
    UnsupportedFormat,
)
from datasync.ingest.plan import FileFormat
from datasync.ingest.read.package import Package
from datasync.ingest.read.text_encoding import detect_encoding

HEAD_BYTES = 4096
HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|meta|style)\b", re.IGNORECASE)
# First bytes of what people upload by mistake
KNOWN = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
ZIP, OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sniff(path: Path) -> FileFormat:
    """The format of a file. Looks at its first bytes and at the directory of an archive only; parses no content."""
    with open_regular(path) as file:
        return sniff_open(file)


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file; anything else is refused at once instead of waiting for its other end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise FileMissing from error
    except OSError as error:
        raise FileError from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafeFile(found="no regular file but a directory, device, pipe or socket")
    return os.fdopen(descriptor, "rb")


def sniff_open(file: IO[bytes]) -> FileFormat:
    """``sniff`` for an open file, which is left at its beginning."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    try:
        if not head:
            raise EmptyFile(found="zero bytes")
        if head.startswith(ZIP) and head[2:4] in (b"\x03\x04", b"\x05\x06", b"\x07\x08"):
            return _archive_format(file)
        if head.startswith(OLE):
            return _compound_format(file)
        return _text_format(head)
    finally:
        file.seek(0)


def _archive_format(file: IO[bytes]) -> FileFormat:
    package = Package(file)
    if "xl/workbook.bin" in package:
        return FileFormat.XLSB
    if "[Content_Types].xml" in package:
        if "word/document.xml" in package or "ppt/presentation.xml" in package:
            raise UnsupportedFormat(found="a text document or presentation")
        return FileFormat.XLSX
    if "content.xml" in package and "mimetype" in package:
        if b"spreadsheet" in package.read("mimetype", limit=HEAD_BYTES):
            return FileFormat.ODS
        raise UnsupportedFormat(found="an OpenDocument file that is no spreadsheet")
    raise UnsupportedFormat(found="a zip archive")


def _compound_format(file: IO[bytes]) -> FileFormat:
    try:
        compound = olefile.OleFileIO(file)
        names = {"/".join(entry).lower() for entry in compound.listdir()}
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise CorruptFile(found=f"its OLE container cannot be read ({error})") from error
    if "encryptedpackage" in names or "encryptioninfo" in names:
        raise EncryptedFile
    if names & {"workbook", "book"}:
        return FileFormat.XLS
    raise UnsupportedFormat(found="an OLE document that holds no workbook")


def _text_format(head: bytes) -> FileFormat:
    for first, name in KNOWN:
        if head.startswith(first):
            raise UnsupportedFormat(found=name)
    narrow = head.replace(b"\0", b"")  # UTF-16 HTML exists
    if HTML.search(narrow[:2048]):
        return FileFormat.HTML
    if narrow.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<?xml", b"{\\rtf")):
        raise UnsupportedFormat(found="an XML or RTF document")
    detect_encoding(head[: head.rfind(b"\n") + 1] or head)
    return FileFormat.CSV
