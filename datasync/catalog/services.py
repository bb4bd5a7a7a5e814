"""The catalogue's services: scan folders, take single files and uploads, correct a description, find a file again."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, InterfaceError, transaction
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING, Sight
from datasync.at_hand import path_of
from datasync.audit import record
from datasync.catalog import correct, removal, side_file, uploads
from datasync.catalog.again import look_again
from datasync.catalog.cataloguer import Catalogued, Cataloguer, Outcome
from datasync.catalog.describe import Knowledge
from datasync.catalog.description import Description
from datasync.catalog.exceptions import FileGrowing
from datasync.catalog.scan import ScanResult, scan_roots
from datasync.catalog.walk import Found, is_unfinished, printable, refusal
from datasync.choices import AuditAction
from datasync.disk import UPLOADS, Stamp, fingerprint, identity_hash, root_key
from datasync.exceptions import (
    FileBusy,
    FileChanged,
    FileDeleted,
    FileMissing,
    InvalidRequest,
    StorageAway,
    UnsupportedFormat,
)
from datasync.mapping.loading import ensure_platforms
from datasync.mapping.store import shelf
from datasync.models import CatalogFile, SyncTaskFile

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = [
    "Description",
    "ScanResult",
    "catalogue_path",
    "describe_file",
    "ensure_platforms",
    "look_again",
    "path_of",
    "profiled",
    "scan",
    "store_upload",
    "verify_unchanged",
]

_SECONDS_FOR_DELETIONS = 5.0
_AUDITED = tuple(name for name in correct.FIELDS if name != "shop")


def scan(
    *,
    sight: Sight,
    roots: Sequence[Path] | None = None,
    progress: Callable[[ScanResult], None] | None = None,
    actor: AbstractBaseUser | None = None,  # noqa: ARG001 - every door says who asked
) -> ScanResult:
    """Bring the catalogue up to date with the configured roots, or with folders inside them.

    Deletions that were interrupted are gone on with first, for a moment here, then by a worker. ``progress`` is called
    after every chunk of files. Raises ``InvalidRequest`` for a folder outside the roots, and ``LimitedToShops``.
    """
    sight.require_everything()
    finished = False
    with suppress(StorageAway):  # what is scanned does not lie there
        finished = removal.finish_deletions(seconds=_SECONDS_FOR_DELETIONS, wait=False)
    if not finished:
        removal.ring_for_removal()
    return scan_roots(roots=roots, progress=progress)


def catalogue_path(
    path: Path,
    *,
    root: Path | None = None,
    description: Description | None = None,
    actor: AbstractBaseUser | None = None,
) -> CatalogFile:
    """Catalogue one file of a configured root; the same content elsewhere gives the row that is known already.

    Raises ``InvalidRequest`` outside the roots, ``FileMissing``, ``UnsupportedFormat``, ``FileGrowing``, ``FileBusy``,
    and ``FileDeleted`` for what a person deleted.
    """
    inside, name = _inside(path, [root] if root else settings.DATA_ROOTS)
    cataloguer = Cataloguer(
        root=inside,
        key=root_key(inside),
        knowledge=Knowledge.now(shelf(), settings.COLLECTION_TIME_ZONE, sight=EVERYTHING),
        told=description,
        uploaded_by_id=actor.pk if actor and description else None,
    )
    return _row_of(cataloguer, cataloguer.process([_found(inside, name)])[0])


def store_upload(
    *,
    uploaded: UploadedFile[Any],
    sight: Sight,
    description: Description | None = None,
    actor: AbstractBaseUser | None = None,
) -> CatalogFile:
    """Keep and catalogue an uploaded file; the same content of the same shop gives the row that is known already.

    A deleted file with that content is pending again. Raises ``InvalidRequest`` for a file that is said to be of a shop
    out of sight; ``TooLarge``, ``EmptyFile``, ``UnsupportedFormat``, ``EncryptedFile``, ``DiskFull`` and the like
    before anything is kept. Whatever fails later, no file is kept that the catalogue does not know, as long as the
    storage can be told to drop it.
    """
    knowledge = Knowledge.now(shelf(), settings.COLLECTION_TIME_ZONE, sight=sight)
    told = description or Description()
    unknown = {code for code in (told.platform, told.source_platform) if code} - knowledge.platforms
    if unknown:
        raise InvalidRequest(detail=_("Unknown platform: %(codes)s.") % {"codes": ", ".join(sorted(unknown))})
    with uploads.kept(uploaded) as (folder, name):
        cataloguer = Cataloguer(
            root=folder,
            key=UPLOADS,
            knowledge=knowledge,
            told=told,
            name=uploads.original_name(uploaded),
            uploaded_by_id=actor.pk if actor else None,
            wait_for_growth=False,
            restores=True,
        )
        try:
            done = cataloguer.process([_found(folder, name)])[0]
        except BaseException:
            _discard_unknown(name)
            raise
    row = _row_of(cataloguer, done)
    if row.storage_name != name or row.root != UPLOADS:
        uploads.discard(name)
    if done.restored:
        record(AuditAction.FILE_RESTORED, actor=actor, file=row)
    return row


def _discard_unknown(name: str) -> None:
    """Remove an upload that has no row; a database that does not say so may have it."""
    with suppress(DatabaseError, InterfaceError):
        if not CatalogFile.objects.filter(root=UPLOADS, storage_name=name).exists():
            uploads.discard(name)


@transaction.atomic
def describe_file(
    file: CatalogFile, *, sight: Sight, actor: AbstractBaseUser | None = None, **fields: correct.Value
) -> CatalogFile:
    """Correct fields of a file's description, as ``correct.describe_file`` says; what changes is written down."""
    before = described_as(CatalogFile.objects.select_related("shop").select_for_update(of=("self",)).get(pk=file.pk))
    described = correct.describe_file(file, sight=sight, **fields)
    changed = {
        name: {"from": before[name], "to": value}
        for name, value in described_as(described).items()
        if value != before[name]
    }
    if changed:
        record(AuditAction.FILE_DESCRIBED, actor=actor, file=described, detail={"changed": changed})
    return described


def described_as(file: CatalogFile) -> dict[str, str | None]:
    """A file's description as the audit keeps it."""
    told = {name: getattr(file, f"{name}_id" if name.endswith("platform") else name) for name in _AUDITED}
    shown = {name: None if value is None else str(value) for name, value in told.items()}
    return shown | {"shop": file.shop.shop_id if file.shop else None}


def profiled(file: CatalogFile) -> CatalogFile:
    """The file with its columns' profile; one without is looked into again.

    Raises ``FileMissing``, or the ``FileError`` that says why it cannot be read.
    """
    if not file.profile:
        look_again(file)
    return file


def verify_unchanged(file: CatalogFile, sha256: str) -> None:
    """Raise ``FileChanged`` or ``FileMissing`` unless the file still holds the bytes with that hash.

    ``sha256`` is the file's ``content_sha256`` or its ``sha256``. As long as size and time of the last change are
    those that the catalogue saw, the bytes are not read again. An upload that is kept elsewhere has to be at hand.
    """
    if sha256 not in {file.content_sha256, file.sha256}:
        raise FileChanged
    path = path_of(file)
    try:
        if Stamp.of(path.stat()) == Stamp(file.size, file.modified_at):
            return
        content = fingerprint(path).content_sha256
    except OSError:
        raise FileMissing from None
    shop_id = file.shop.shop_id if file.shop else ""
    whole = identity_hash(platform=file.platform_id or "", shop_id=shop_id, content_sha256=content)
    if sha256 not in {content, whole}:
        raise FileChanged


def _inside(path: Path, roots: Sequence[Path]) -> tuple[Path, str]:
    """The configured root that holds a file, and the file's name below it, without a link on the way."""
    wanted = Path(os.path.abspath(path))  # noqa: PTH100 - links must stay as they are written
    for root in roots:
        if root in settings.DATA_ROOTS and wanted.is_relative_to(root) and wanted != root:
            real = wanted.parent.resolve()
            if real != root.resolve() / wanted.parent.relative_to(root):
                break
            return root, wanted.relative_to(root).as_posix()
    told = _("%(path)s is not inside a configured root (DATA_ROOTS).") % {"path": printable(str(path))}
    raise InvalidRequest(detail=told)


def _found(root: Path, name: str) -> Found:
    """One file as a scan would find it."""
    path = root / name
    try:
        status = path.lstat()
    except (OSError, ValueError):
        raise FileMissing from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsupportedFormat(found="something that is no regular file")
    if is_unfinished(path.name):
        raise FileGrowing
    if reason := refusal(name):
        raise UnsupportedFormat(found=reason)
    for beside in (path.with_name(side) for side in side_file.names_of(path.name)):
        try:
            side = beside.lstat()
        except OSError:
            continue
        stamp = f"{side.st_size}:{side.st_mtime_ns}"
        return Found(name, Stamp.of(status), beside.relative_to(root).as_posix(), stamp)
    return Found(name, Stamp.of(status))


def _row_of(cataloguer: Cataloguer, done: Catalogued) -> CatalogFile:
    if done.outcome is Outcome.GROWING:
        raise FileGrowing
    if done.outcome is Outcome.REFUSED:
        raise UnsupportedFormat(found=done.reason)
    if done.outcome is Outcome.DELETED:
        raise FileDeleted(file_id=done.row_id)
    if done.outcome is Outcome.BUSY:
        active = SyncTaskFile.objects.filter(file_id=done.row_id).order_by("-id").select_related("task").first()
        raise FileBusy(task_id=active.task.task_id if active else "")
    rows = CatalogFile.objects.select_related("shop")
    if done.row_id is not None:
        return rows.get(pk=done.row_id)
    return rows.get(root=cataloguer.key, storage_name=done.found.name)
