"""The zip container around a workbook, checked from its directory before anything is inflated."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from datasync.exceptions import CorruptFile, EncryptedFile, TooLarge, UnsafeFile
from datasync.ingest.read import limits

ARCHIVE_SUFFIXES = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".tar")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, struct.error)
END_RECORD = struct.Struct("<4s4H2LH")
LOCAL_HEADER_BYTES = 30


class Package:
    """A checked archive. Parts are looked up without regard to case and to the direction of slashes.

    Inflating a part never yields more than its declared size, and the declared sizes are bounded.
    """

    def __init__(self, file: IO[bytes]) -> None:
        _refuse_crowded_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except BROKEN as error:
            raise CorruptFile(found=f"the archive cannot be opened ({error})") from error
        entries = self._zip.infolist()
        _check_names(entries)
        _check_layout(entries)
        _check_sizes(entries)
        self._parts = {_normal(entry.filename): entry for entry in entries}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._parts

    def read(self, name: str, *, limit: int = limits.MAX_PART_BYTES) -> bytes:
        """A whole part; ``TooLarge`` above ``limit`` bytes."""
        return b"".join(self.blocks(name, limit=limit))

    def blocks(self, name: str, *, limit: int, block: int = limits.MEBIBYTE) -> Iterator[bytes]:
        """A part's inflated bytes, block by block; ``TooLarge`` when it declares more than ``limit``."""
        entry = self._parts.get(_normal(name))
        if entry is None:
            raise CorruptFile(found=f"its part {name} is missing")
        if entry.file_size > limit:
            raise TooLarge(found=f"{name} with {entry.file_size:,} bytes", limit=f"{limit:,}")
        try:
            with self._zip.open(entry) as part:
                while data := part.read(block):
                    yield data
        except BROKEN as error:
            raise CorruptFile(found=f"its part {name} cannot be inflated ({error})") from error


def _normal(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _refuse_crowded_directory(file: IO[bytes]) -> None:
    """Read the number of entries from the archive's last record, so that a huge directory is never loaded."""
    size = file.seek(0, 2)
    tail = min(size, END_RECORD.size + 0xFFFF)
    file.seek(size - tail)
    data = file.read(tail)
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or len(data) - at < END_RECORD.size:
        raise CorruptFile(found="the archive is cut off: its directory is missing")
    entries = END_RECORD.unpack_from(data, at)[4]
    if entries > limits.MAX_ENTRIES:
        raise UnsafeFile(found=f"an archive of {entries:,} entries")
    file.seek(0)


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > limits.MAX_ENTRIES:
        raise UnsafeFile(found=f"an archive of {len(entries):,} entries")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
            raise UnsafeFile(found="an archive entry that points outside the archive")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeFile(found="a symbolic link inside the archive")
        if name.lower() in seen:
            raise UnsafeFile(found="two archive entries of the same name")
        if name.lower().endswith(ARCHIVE_SUFFIXES):
            raise UnsafeFile(found="an archive inside the archive")
        if entry.flag_bits & 0x1:
            raise EncryptedFile
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeFile(found=f"an archive entry packed by method {entry.compress_type}")
        seen.add(name.lower())


def _check_layout(entries: list[zipfile.ZipInfo]) -> None:
    """No two entries may share bytes: overlapping ones let a small file inflate to any size."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise UnsafeFile(found="archive entries that overlap")
        end = entry.header_offset + LOCAL_HEADER_BYTES + len(entry.orig_filename) + entry.compress_size


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > limits.MAX_INFLATED_BYTES:
        raise UnsafeFile(found=f"an archive that inflates to over {limits.MAX_INFLATED_BYTES:,} bytes")
    for entry in entries:
        oversized = entry.file_size > limits.RATIO_FLOOR_BYTES
        if oversized and entry.file_size > limits.MAX_RATIO * max(entry.compress_size, 1):
            raise UnsafeFile(found=f"an archive entry that inflates {limits.MAX_RATIO}-fold and more")
