"""Keep an uploaded file: streamed to disk under a generated name, its own name kept as text only."""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from datasync.catalog.shops import clean
from datasync.exceptions import EmptyFile, TooLarge
from datasync.ingest.plan import FileFormat

_EXTENSIONS = {format_: f".{format_.value}" for format_ in FileFormat}


def original_name(uploaded: UploadedFile[Any]) -> str:
    """The last part of the name that the uploader's machine gave the file."""
    last = re.split(r"[/\\]", uploaded.name or "")[-1]
    return clean(last, 500) or "upload"


def keep(uploaded: UploadedFile[Any]) -> str:
    """Write an upload below ``UPLOAD_DIR`` and return its name there.

    Raises ``TooLarge``, ``EmptyFile``, or what its first bytes say against it; then nothing is left behind.
    """
    from datasync.ingest.read import sniff  # noqa: PLC0415 - brings polars along

    folder = Path(f"{timezone.now():%Y/%m}")
    (settings.UPLOAD_DIR / folder).mkdir(parents=True, exist_ok=True)
    draft = settings.UPLOAD_DIR / folder / f".{uuid.uuid4().hex}.part"
    try:
        _write(uploaded, draft)
        final = folder / f"{uuid.uuid4().hex}{_EXTENSIONS[sniff(draft)]}"
        draft.rename(settings.UPLOAD_DIR / final)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    return final.as_posix()


def discard(name: str) -> None:
    """Remove a kept upload that turned out to be known already."""
    with suppress(FileNotFoundError):
        (settings.UPLOAD_DIR / name).unlink()


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
