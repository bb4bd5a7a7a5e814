"""The files below a root, one after the other, without following links and with bounded memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datasync.catalog import side_file
from datasync.disk import Stamp

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv", ".txt", ".html", ".htm"})
_UNFINISHED = re.compile(r"\.(?:part|partial|crdownload|download|tmp|filepart|opdownload)$", re.IGNORECASE)
_MAX_NAME = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be an export. ``name`` is relative to the root; ``side_file`` is the name of its side file."""

    name: str
    stamp: Stamp
    side_file: str = ""
    side_stamp: str = ""

    @property
    def file_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that cannot be catalogued, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file that is still being written, as its name says."""

    name: str


Entry = Found | Refused | Unfinished


def walk(root: Path, *, below: str = "") -> Iterator[Entry]:
    """Everything below ``root`` (or its folder ``below``) but hidden files, side files and folders themselves."""
    pending = [below]
    while pending:
        folder = pending.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            entries = {entry.name: entry for entry in os.scandir(root / folder if folder else root)}
        except OSError as error:
            yield Refused(folder or ".", f"the folder cannot be listed: {error.strerror or error}")
            continue
        for name in sorted(entries):
            if name.startswith(".") or name.endswith(side_file.SUFFIX):
                continue
            if entries[name].is_dir(follow_symlinks=False):
                pending.append(prefix + name)
            else:
                yield _entry(entries, name, prefix)


def refusal(name: str) -> str:
    """Why a file of that relative name is refused; "" when it is not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not valid text"
    if len(name) > _MAX_NAME:
        return f"its path is longer than {_MAX_NAME} characters"
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a hundred thousand of them
    if suffix not in SUFFIXES:
        return f"{suffix or 'a file without extension'} is no spreadsheet or text file"
    return ""


def is_unfinished(file_name: str) -> bool:
    """Whether a program is still writing the file, or has it open."""
    return file_name.startswith("~$") or bool(_UNFINISHED.search(file_name))


def _entry(entries: dict[str, os.DirEntry[str]], name: str, prefix: str) -> Entry:
    path = prefix + name
    entry = entries[name]
    try:
        if entry.is_symlink():
            return Refused(printable(path), "a symbolic link; only files that lie in the root themselves are read")
        if not entry.is_file(follow_symlinks=False):
            return Refused(printable(path), "neither a file nor a folder")
        if is_unfinished(name):
            return Unfinished(printable(path))
        if reason := refusal(path):
            return Refused(printable(path), reason)
        beside = next((side for side in side_file.names_of(name) if side in entries), "")
        side_stamp = _side_stamp(entries[beside]) if beside else ""
        return Found(path, Stamp.of(entry.stat(follow_symlinks=False)), prefix + beside if beside else "", side_stamp)
    except OSError as error:
        return Refused(printable(path), f"it cannot be looked at: {error.strerror or error}")


def _side_stamp(entry: os.DirEntry[str]) -> str:
    status = entry.stat(follow_symlinks=False)
    return f"{status.st_size}:{status.st_mtime_ns}"


def printable(name: str) -> str:
    """A name with bytes that are no text made visible."""
    return name.encode("utf-8", "backslashreplace").decode()
