"""Keep an uploaded file: streamed to the storage under a generated name, its own name kept as text only."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from datasync.at_hand import asking_storage, lies_elsewhere, scratch_folder, upload_storage
from datasync.catalog.shops import clean
from datasync.disk import FULL, UPLOADS
from datasync.exceptions import DiskFull, EmptyFile, FileMissing, StorageAway, SyncError, TooLarge
from datasync.ingest.plan import FileFormat

_EXTENSIONS = {format_: f".{format_.value}" for format_ in FileFormat}


def original_name(uploaded: UploadedFile[Any]) -> str:
    """The last part of the name that the uploader's machine gave the file."""
    last = re.split(r"[/\\]", uploaded.name or "")[-1]
    return clean(last, 500) or "upload"


@contextmanager
def kept(uploaded: UploadedFile[Any]) -> Iterator[tuple[Path, str]]:
    """Keep an upload in the storage: a folder in which it can be read meanwhile, and its name both there and below it.

    Raises ``TooLarge``, ``EmptyFile``, ``DiskFull``, ``StorageAway``, or what its first bytes say against it; then
    nothing is left behind, unless a storage elsewhere took the file, lost its answer, and cannot be told to drop it.
    """
    if not lies_elsewhere(UPLOADS):
        yield settings.UPLOAD_DIR, _write_below(settings.UPLOAD_DIR, uploaded)
        return
    with scratch_folder() as folder:
        name = _write_below(folder, uploaded)
        try:
            with asking_storage(), (folder / name).open("rb") as stream:
                saved = upload_storage().save(name, File(stream, name))
        except BaseException:
            with suppress(SyncError):  # what went wrong first is told; the storage may have the file all the same
                discard(name)
            raise
        if saved != name:
            discard(saved)
            raise StorageAway
        yield folder, name


def discard(name: str) -> None:
    """Remove a kept upload that turned out to be known already, or was deleted; raises ``StorageAway``."""
    with suppress(FileMissing), asking_storage():
        upload_storage().delete(name)


def _write_below(root: Path, uploaded: UploadedFile[Any]) -> str:
    """Write an upload to a generated name, at which it appears whole."""
    from datasync.ingest.read import sniff  # noqa: PLC0415 - brings polars along

    folder = Path(f"{timezone.now():%Y/%m}")
    (root / folder).mkdir(parents=True, exist_ok=True)
    draft = root / folder / f".{uuid.uuid4().hex}.part"
    try:
        _write(uploaded, draft)
        final = folder / f"{uuid.uuid4().hex}{_EXTENSIONS[sniff(draft)]}"
        draft.rename(root / final)
    except BaseException as error:
        with suppress(FileNotFoundError):
            draft.unlink()
        if isinstance(error, OSError) and error.errno in FULL:
            raise DiskFull from error
        raise
    return final.as_posix()


def _write(uploaded: UploadedFile[Any], path: Path) -> None:
    limit = settings.UPLOAD_LIMIT_BYTES
    size = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as stream:
        for chunk in uploaded.chunks():
            size += len(chunk)
            if size > limit:
                raise TooLarge(found=f"over {limit:,} bytes", limit=f"{limit:,} bytes")
            stream.write(chunk)
    if not size:
        raise EmptyFile(found="zero bytes")
