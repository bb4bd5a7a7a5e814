"""Files on disk: opened without following links or waiting, named by root and relative path, hashed in one pass."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from datasync.exceptions import FileChanged, FileMissing

UPLOADS = "uploads"
_CHUNK = 1024 * 1024
_ROOT_LENGTH = 100
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""How the system says that a disk, or a quota of one, is used up."""


class NotRegularError(OSError):
    """What lies there is a link, a folder, a pipe or a device."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size in bytes and time of the last change: as long as both are equal, the content is taken to be the same."""

    size: int
    modified_at: datetime

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a stat result, to the microsecond that a database can hold."""
        return cls(status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The SHA-256 of a file's bytes, and the stamp that it had before and after they were read."""

    content_sha256: str
    stamp: Stamp


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; neither follows a link at its end nor waits for a pipe's writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(str(path))
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as stream:
            yield stream
    finally:
        os.close(descriptor)


def fingerprint(path: Path) -> Fingerprint:
    """Hash a file in one pass of bounded memory; raises ``FileChanged`` when it changes meanwhile, or ``OSError``."""
    digest = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with open_regular(path) as stream:
        before = Stamp.of(os.fstat(stream.fileno()))
        count = 0
        while length := stream.readinto(buffer):  # type: ignore[attr-defined]
            digest.update(view[:length])
            count += length
        after = Stamp.of(os.fstat(stream.fileno()))
    if before != after or count != after.size:
        raise FileChanged
    return Fingerprint(digest.hexdigest(), after)


def identity_hash(*, platform: str, shop_id: str, content_sha256: str) -> str:
    """The SHA-256 over platform, shop and bytes; the bytes enter by their own hash, so they are read once only."""
    return hashlib.sha256("\0".join((platform, shop_id, content_sha256)).encode()).hexdigest()


def root_key(root: Path) -> str:
    """The name under which the catalogue keeps a root: its path, shortened by a hash when it is long."""
    if root == settings.UPLOAD_DIR:
        return UPLOADS
    text = str(root)
    if len(text) <= _ROOT_LENGTH:
        return text
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}:{text[-80:]}"


def root_of(key: str) -> Path | None:
    """The configured root with that name."""
    roots = {root_key(root): root for root in (settings.UPLOAD_DIR, *settings.DATA_ROOTS)}
    return roots.get(key)


def place(root: str, storage_name: str) -> Path:
    """The real path of a catalogued file; raises ``FileMissing`` when nothing, or nothing of its root, lies there."""
    folder = root_of(root)
    if folder is None or not storage_name:
        raise FileMissing
    try:
        resolved = (folder / storage_name).resolve(strict=True)
        if not resolved.is_relative_to(folder.resolve(strict=True)) or not stat.S_ISREG(resolved.stat().st_mode):
            raise FileMissing
    except (OSError, RuntimeError, ValueError):
        raise FileMissing from None
    return resolved
