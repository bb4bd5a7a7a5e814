"""Where archives lie: generated names in one folder, written as drafts and renamed when they are whole."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

_DRAFT = ".part"
_OLD_SECONDS = 24 * 3600


def path_of(name: str) -> Path:
    """The place of an archive; generated names hold no folder."""
    return Path(settings.EXPORT_DIR) / Path(name).name


@contextmanager
def draft() -> Iterator[tuple[BinaryIO, Path]]:
    """A new file to write; what is not ``kept`` is gone in the end."""
    folder = Path(settings.EXPORT_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}{_DRAFT}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream, path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def keep(path: Path) -> str:
    """Give a draft its name as an archive."""
    final = path.with_suffix(".zip")
    path.rename(final)
    return final.name


def copy(name: str, path: Path) -> None:
    """Copy an archive out of the house: written beside ``path``, which it takes over only when it is whole."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_DRAFT}")
    try:
        with path_of(name).open("rb") as source, beside.open("xb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def remove(name: str) -> None:
    """Remove an archive; one that is gone already is no matter."""
    if name:
        with suppress(FileNotFoundError):
            path_of(name).unlink()


def remove_leftovers(kept: set[str]) -> None:
    """Remove what is a day old and no archive of ours: a killed process left it."""
    for path in Path(settings.EXPORT_DIR).glob("*"):
        with suppress(FileNotFoundError):
            ours = path.suffix in {_DRAFT, ".zip"} and path.name not in kept
            if ours and time.time() - path.stat().st_mtime > _OLD_SECONDS:
                path.unlink()
