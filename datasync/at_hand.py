"""A catalogued file as a path on this machine: where it lies, or as a copy for as long as it is worked on.

Files of the scanned roots, and uploads kept in a folder, are read where they lie. Uploads kept elsewhere are fetched
by their storage name, no further than the size that the catalogue saw, and are whole only when their hash is the
catalogue's. What killed processes leave behind goes with the first copy made a day later.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import FileSystemStorage, Storage, storages

from datasync.disk import FULL, UPLOADS, place
from datasync.exceptions import DiskFull, FileChanged, FileMissing, StorageAway, SyncError, TransientError

if TYPE_CHECKING:
    from datasync.models import CatalogFile

_CHUNK = 16 * 1024
"""Small, so that ``between`` is called every few seconds however slowly a file comes."""
_OLD_SECONDS = 24 * 3600
_Copies = Mapping[tuple[str, str], Path | SyncError]  # by storage name and hash of the content
_copies: ContextVar[_Copies] = ContextVar("copies", default=MappingProxyType({}))


class NotAtHand(Exception):
    """A file lies elsewhere, and nobody has fetched it: what was asked of it can be asked again ``at_hand``."""

    def __init__(self, file: CatalogFile) -> None:
        super().__init__(file.pk)
        self.file = file


def upload_storage() -> Storage:
    """Where uploads are kept."""
    return storages[UPLOADS]


def lies_elsewhere(root: str) -> bool:
    """Whether files under that root have no path, so that they are read as copies."""
    return root == UPLOADS and not isinstance(upload_storage(), FileSystemStorage)


@contextmanager
def at_hand(file: CatalogFile, *, between: Callable[[], None] = lambda: None) -> Iterator[None]:
    """``path_of`` the file holds good while the context lasts; one within another for the same file costs nothing.

    ``between`` is called after each part that is fetched, and ends it by raising. Raises ``FileMissing``,
    ``FileChanged``, ``StorageAway``, ``DiskFull`` where a copy cannot be had.
    """
    key = (file.storage_name, file.content_sha256)
    if not lies_elsewhere(file.root) or key in _copies.get():
        yield
        return
    with scratch_folder() as folder:
        path = folder / (PurePosixPath(file.storage_name).name or "copy")
        _fetch(file, path, between)
        with _known(file, path):
            yield


@contextmanager
def at_hand_if_possible(file: CatalogFile) -> Iterator[None]:
    """As ``at_hand``; where there is no such copy to be had, ``path_of`` says why. Raises ``TransientError``."""
    with ExitStack() as fetched:
        try:
            fetched.enter_context(at_hand(file))
        except TransientError:
            raise
        except SyncError as error:
            fetched.enter_context(_known(file, error))
        yield


def path_of(file: CatalogFile) -> Path:
    """Where a file lies. Raises ``FileMissing``, and ``NotAtHand`` for one that lies elsewhere."""
    if not lies_elsewhere(file.root):
        return place(file.root, file.storage_name)
    found = _copies.get().get((file.storage_name, file.content_sha256))
    if found is None:
        raise NotAtHand(file)
    if isinstance(found, SyncError):
        raise found
    return found


def is_there(file: CatalogFile) -> bool:
    """Whether there is a file of its size at the file's place, without reading it; raises ``StorageAway``."""
    if not lies_elsewhere(file.root):
        with suppress(FileMissing):
            return bool(place(file.root, file.storage_name))
        return False
    try:
        with asking_storage():
            return upload_storage().size(file.storage_name) == file.size
    except FileMissing:
        return False


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of this machine for copies, gone with the context."""
    copies = settings.VAR_DIR / "copies"
    with asking_storage():
        copies.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_leftovers(copies)
        folder = tempfile.TemporaryDirectory(dir=copies, ignore_cleanup_errors=True)
    with folder as name:
        yield Path(name)


@contextmanager
def asking_storage() -> Iterator[None]:
    """What a storage answers, as our own errors: there is no such file, no room, or it is away for now."""
    try:
        yield
    except (FileNotFoundError, SuspiciousOperation):
        raise FileMissing from None
    except OSError as error:
        raise (DiskFull if error.errno in FULL else StorageAway) from error


@contextmanager
def _known(file: CatalogFile, found: Path | SyncError) -> Iterator[None]:
    token = _copies.set({**_copies.get(), (file.storage_name, file.content_sha256): found})
    try:
        yield
    finally:
        _copies.reset(token)


def _fetch(file: CatalogFile, path: Path, between: Callable[[], None]) -> None:
    digest, size = hashlib.sha256(), 0
    with asking_storage(), upload_storage().open(file.storage_name) as source, path.open("xb") as target:
        for chunk in source.chunks(_CHUNK):
            size += len(chunk)
            if size > file.size:
                raise FileChanged
            digest.update(chunk)
            target.write(chunk)
            between()
    if (size, digest.hexdigest()) != (file.size, file.content_sha256):
        raise FileChanged
    seen = file.modified_at.timestamp()
    os.utime(path, (seen, seen))  # the stamp that the catalogue saw: it is known to be unchanged


def _remove_leftovers(copies: Path) -> None:
    for folder in copies.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
