"""Make an archive: claimed by a conditional UPDATE, written to disk as it is read, ended once.

A file that has nothing to give is named with the reason in ``not included.txt``; the others do not suffer from it.
"""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from datasync.catalog.selectors import present_files
from datasync.choices import EXPORT_UNFINISHED, ExportKind, ExportState
from datasync.exceptions import FencedOut, FileMissing, SyncError, TooLarge, error_classes
from datasync.exports import members, storage
from datasync.exports.exceptions import ExportFailed, ExportInterrupted, NothingToExport
from datasync.exports.services import MOST_ATTEMPTS, Requested, clean_exports, request_export
from datasync.models import ExportArchive

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
LEASE_SECONDS = 120
_BEAT_SECONDS = 10.0
_LEFT_OUT = "not included.txt"
_MOST_REASONS = 3


def make_export(export_id: int) -> None:
    """Make one archive, unless somebody else does or did. Only a database that is away lets an exception out."""
    archive = ExportArchive.objects.select_related("owner").filter(pk=export_id).first()
    if archive is None:
        return
    reader = members.Reader.of(archive.owner)
    waiting = Q(state=ExportState.QUEUED) | Q(state=ExportState.RUNNING, lease_until__lt=Now())
    claimed = ExportArchive.objects.filter(waiting, pk=export_id, attempt__lt=MOST_ATTEMPTS).update(
        state=ExportState.RUNNING,
        attempt=F("attempt") + 1,
        done_files=0,
        lease_until=_lease(),
        seen_shops=reader.sight.seen_shops,
    )
    if not claimed:
        return
    archive.refresh_from_db()
    try:
        _write(archive, reader)
    except (OperationalError, InterfaceError):
        raise
    except FencedOut:
        logger.warning("Export %s was taken over by another worker", archive.pk)
    except Exception as error:  # the boundary: whatever happens, the archive gets an end
        if not isinstance(error, SyncError):
            logger.exception("Export %s failed", archive.pk)
        _end(archive, state=ExportState.FAILED, error=_told(error).document)
    clean_exports()


def export_here(*, file_ids: Sequence[int], what: ExportKind, owner: AbstractBaseUser | None, path: Path) -> Requested:
    """Make an archive in this process and copy it to ``path``; it is kept as long as any other.

    ``path`` holds a whole archive or what it held before. Raises what ``request_export`` does, and the error with which
    an archive ends that cannot be made.
    """
    sight = members.Reader.of(owner).sight
    requested = request_export(file_ids=file_ids, what=what, owner=owner, sight=sight, here=True)
    archive = requested.archive
    make_export(archive.pk)
    archive.refresh_from_db()
    if archive.state != ExportState.READY:
        kind = error_classes().get(archive.error.get("code", ""), ExportFailed)
        raise kind(**archive.error.get("params", {}))
    storage.copy(archive.storage_name, path)
    return requested


def _write(archive: ExportArchive, reader: members.Reader) -> None:
    with storage.draft() as (stream, path):
        beat = Beat(archive)
        left_out: list[str] = []
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as bundle:
            for number, pk in enumerate(archive.file_ids, start=1):
                left_out += _add_file(bundle, pk, what=archive.what, reader=reader, beat=lambda: beat(stream.tell()))
                beat.done = number
            if len(left_out) == len(archive.file_ids):
                raise NothingToExport(reasons="; ".join(left_out[:_MOST_REASONS]))
            if left_out:
                bundle.writestr(_LEFT_OUT, "\n".join(left_out) + "\n")
        stream.flush()
        size = stream.tell()
        name = storage.keep(path)
        expires = timezone.now() + timedelta(hours=settings.EXPORT_URL_HOURS)
        ended = partial(_end, archive, state=ExportState.READY, storage_name=name, size=size, expires_at=expires)
        if not ended(done_files=len(archive.file_ids)):
            storage.remove(name)


def _add_file(
    bundle: zipfile.ZipFile, pk: int, *, what: str, reader: members.Reader, beat: members.Beat
) -> Iterator[str]:
    """Add what a file has to give; yields why it is left out, where it is."""
    files = present_files(sight=reader.sight).select_related("shop")
    file = files.defer("profile", "header", "match", "suggestion").filter(pk=pk).first()
    if file is None:
        yield f"{pk}: deleted"
        return
    beat()
    try:
        added = _MAKERS[ExportKind(what)](bundle, file, beat, reader)
    except FileMissing as error:
        yield f"{members.safe_name(file)}: {error.message}"
        return
    if not added:
        yield f"{members.safe_name(file)}: no such rows"


_MAKERS = {
    ExportKind.ORIGINALS: members.add_original,
    ExportKind.CLEANED: members.add_cleaned,
    ExportKind.QUARANTINE: members.add_quarantined,
}


class Beat:
    """Keeps the lease and the progress while an archive is written, and its size within bounds."""

    def __init__(self, archive: ExportArchive) -> None:
        self.done = 0
        self._archive = archive
        self._last = time.monotonic()

    def __call__(self, size: int) -> None:
        """Raises ``TooLarge``, or ``FencedOut`` when another worker has taken over."""
        if size > settings.EXPORT_MOST_BYTES:
            raise TooLarge(found=f"over {settings.EXPORT_MOST_BYTES:,} bytes", limit=f"{settings.EXPORT_MOST_BYTES:,}")
        if time.monotonic() - self._last < _BEAT_SECONDS:
            return
        self._last = time.monotonic()
        if not _held(self._archive).update(lease_until=_lease(), done_files=self.done):
            raise FencedOut


def _held(archive: ExportArchive) -> QuerySet[ExportArchive]:
    """The archive as long as this attempt is the one that makes it."""
    return ExportArchive.objects.filter(pk=archive.pk, attempt=archive.attempt, state__in=EXPORT_UNFINISHED)


def _end(archive: ExportArchive, *, state: ExportState, **values: Any) -> bool:
    return bool(_held(archive).update(state=state, finished_at=Now(), lease_until=None, **values))


def _lease() -> Any:
    return Now() + timedelta(seconds=LEASE_SECONDS)


def _told(error: Exception) -> SyncError:
    """The expected error that is shown; a bug shows nothing of itself."""
    if isinstance(error, SoftTimeLimitExceeded):
        return ExportInterrupted(attempts=1)
    return error if isinstance(error, SyncError) else ExportFailed()
