"""Delete files, and bring deleted ones back.

A deleted file keeps its row, because facts and audit refer to it; every list and every door treats it as gone. Rows
that it wrote last go with it where that was asked; the values that an older export had before do not come back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from datasync.access import Sight
from datasync.at_hand import at_hand
from datasync.audit import Act, record, record_each
from datasync.catalog import records, removal
from datasync.catalog.impact import Impact, chosen_ids, impacts_of, none_found
from datasync.catalog.services import verify_unchanged
from datasync.choices import FILE_ACTIVE, ITEM_ACTIVE, AuditAction, FileState, RowsFate
from datasync.exceptions import DataNotFound, FileBeingDeleted, FileBusy, FileNotFound, LimitedToShops, NotDeleted
from datasync.mapping.store import shelf
from datasync.models import CatalogFile, SyncTaskFile

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_HERE = Q(removing__gt="") | ~Q(state=FileState.DELETED)
"""Files that can be deleted with or without rows; an unfinished deletion can be gone on with."""
_LARGEST_ID = 2**63 - 1
_MOST_FILES_AT_ONCE = 50
"""Of files with which something goes: each costs some statements of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What became of files that were to be deleted.

    ``impacts`` is what hung on each when it was marked. ``removed_rows`` are facts that are gone by now,
    ``handed_over_rows`` those that newer exports have now; unless ``finished``, a worker goes on. Of a dry run they are
    what would be.
    """

    impacts: tuple[Impact, ...]
    rows: RowsFate
    missing_file_ids: tuple[int, ...] = ()
    busy_file_ids: tuple[int, ...] = ()
    removed_rows: int = 0
    handed_over_rows: int = 0
    finished: bool = True
    dry_run: bool = False


def delete_file(
    *,
    file_id: int,
    rows: RowsFate,
    actor: AbstractBaseUser | None,
    sight: Sight,
    dry_run: bool = False,
    here: bool = False,
) -> Deletion:
    """Delete one file; raises ``FileNotFound`` or ``FileBusy``. The rest is as with ``delete_files``."""
    if not 0 < file_id <= _LARGEST_ID:
        raise FileNotFound(what=file_id)
    try:
        return delete_files(file_ids=[file_id], rows=rows, actor=actor, sight=sight, dry_run=dry_run, here=here)
    except DataNotFound:
        raise FileNotFound(what=file_id) from None


def delete_files(
    *,
    file_ids: Collection[int],
    rows: RowsFate,
    actor: AbstractBaseUser | None,
    sight: Sight,
    dry_run: bool = False,
    here: bool = False,
    progress: removal.Progress | None = None,
) -> Deletion:
    """Delete files; those that are being synced, and ids that are no file's, are named and left out.

    With their rows go files too that were deleted without them before. More than ``DELETE_AT_ONCE_ROWS`` rows are
    removed by a worker, unless ``here``. A file whose deletion was interrupted is gone on with, the way that was asked
    for first. Raises ``WrongNumberOfFiles``, ``DataNotFound`` when none of the files exists, ``FileBusy`` when all that
    do are busy, and ``LimitedToShops`` where rows of shops out of sight would go.
    """
    wanted = chosen_ids(file_ids)
    found = CatalogFile.objects.filter(sight.files(), pk__in=wanted).defer("profile", "header", "match", "suggestion")
    if rows != RowsFate.DELETE:
        found = found.filter(_HERE)
    if dry_run:
        impacts, busy = _weighed(found, wanted, rows=rows, sight=sight)
        removed = _foreseen(impacts, rows)
    else:
        with transaction.atomic():
            impacts, busy = _weighed(found.select_for_update(of=("self",)), wanted, rows=rows, sight=sight)
            _mark(impacts, rows=rows, actor=actor)
        removed = _remove(impacts, here=here, progress=progress)
    return Deletion(
        impacts=tuple(impacts),
        rows=rows,
        missing_file_ids=tuple(pk for pk in wanted if pk not in {*busy, *(impact.file.pk for impact in impacts)}),
        busy_file_ids=tuple(busy),
        removed_rows=removed.rows,
        handed_over_rows=removed.handed_over,
        finished=removed.finished,
        dry_run=dry_run,
    )


def restore_file(*, file_id: int, actor: AbstractBaseUser | None, sight: Sight) -> CatalogFile:
    """Bring a deleted file back as one that was never synced; rows that were deleted come back by syncing it.

    Raises ``FileNotFound``, ``NotDeleted``, ``FileBeingDeleted``, and ``FileMissing`` or ``FileChanged`` when its bytes
    are not there any more, as those of an upload never are.
    """
    with transaction.atomic():
        file = CatalogFile.objects.select_for_update(of=("self",)).filter(sight.files(), pk=file_id).first()
        if file is None:
            raise FileNotFound(what=file_id)
        if file.state != FileState.DELETED:
            raise NotDeleted(file_id=file_id)
        if file.removing:
            raise FileBeingDeleted(file_id=file_id)
        with at_hand(file):
            verify_unchanged(file, file.content_sha256)
        for name, value in records.standing(file, shelf=shelf()).items():
            setattr(file, name, value)
        file.save(update_fields=["state", "last_error"])
        record(AuditAction.FILE_RESTORED, actor=actor, file=file)
    return file


def _weighed(
    found: QuerySet[CatalogFile], wanted: Sequence[int], *, rows: RowsFate, sight: Sight
) -> tuple[list[Impact], list[int]]:
    """The impacts of those of the files that can be deleted, and the ids of those that are busy."""
    files = list(found.order_by("pk"))
    if not files:
        raise none_found(wanted)
    active = SyncTaskFile.objects.filter(file__in=files, state__in=ITEM_ACTIVE).order_by()
    tasks = dict(active.values_list("file_id", "task__task_id"))
    busy = [file.pk for file in files if file.pk in tasks or file.state in FILE_ACTIVE]
    if len(busy) == len(files):
        raise FileBusy(task_id=tasks.get(busy[0], ""))
    left_out = set(busy)
    impacts = impacts_of([file for file in files if file.pk not in left_out], sight=sight)
    impacts = [impact for impact in impacts if not _is_gone(impact)]
    if not impacts and not busy:
        raise none_found(wanted)
    if rows == RowsFate.DELETE and not all(impact.in_sight for impact in impacts):
        raise LimitedToShops
    return impacts, busy


def _is_gone(impact: Impact) -> bool:
    """Whether the file was deleted before and left nothing."""
    return impact.file.state == FileState.DELETED and not impact.file.removing and impact.is_empty


def _mark(impacts: Sequence[Impact], *, rows: RowsFate, actor: AbstractBaseUser | None) -> None:
    """Take the files out of the catalogue; from here on the deletion finishes, whatever happens to this process."""
    fresh = [impact for impact in impacts if not impact.file.removing]
    goes = rows == RowsFate.DELETE
    record_each(
        AuditAction.FILE_DELETED,
        actor=actor,
        acts=[
            Act(
                file=impact.file,
                rows=impact.rows - impact.handed_over if goes else 0,
                detail={
                    "rows": rows.value,
                    "name": impact.file.original_name,
                    "state": impact.file.state,
                    "stored_rows": impact.rows,
                    "handed_over": {str(heir.file_id): heir.rows for heir in impact.heirs} if goes else {},
                },
            )
            for impact in fresh
        ],
    )
    values: dict[str, Any] = {"state": FileState.DELETED, "removing": rows.value, "last_error": {}}
    values |= {"rows": {}} if goes else {}
    CatalogFile.objects.filter(pk__in=[impact.file.pk for impact in fresh]).update(**values)
    for impact in fresh:
        for name, value in values.items():
            setattr(impact.file, name, value)


def _foreseen(impacts: Sequence[Impact], rows: RowsFate) -> removal.Removed:
    """What would become of the rows of the files."""
    going = [impact for impact in impacts if (impact.file.removing or rows) == RowsFate.DELETE]
    handed_over = sum(impact.handed_over for impact in going)
    return removal.Removed(sum(impact.rows for impact in going) - handed_over, handed_over, finished=True)


def _remove(impacts: Sequence[Impact], *, here: bool, progress: removal.Progress | None) -> removal.Removed:
    """Remove what goes with the files, or have a worker do it."""
    going = [impact for impact in impacts if impact.file.removing == RowsFate.DELETE and not impact.is_empty]
    heavy = sum(impact.rows + impact.quarantined for impact in going) > settings.DELETE_AT_ONCE_ROWS
    if not here and (heavy or len(going) > _MOST_FILES_AT_ONCE):
        transaction.on_commit(removal.ring_for_removal)
        return removal.Removed()
    removed = removal.remove([impact.file for impact in impacts], wait=here, progress=progress)
    if not removed.finished:
        transaction.on_commit(removal.ring_for_removal)
    return removed
