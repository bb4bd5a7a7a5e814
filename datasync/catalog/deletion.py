"""Delete files, and bring deleted ones back.

A deleted file keeps its row, because facts and audit refer to it; every list and every door treats it as gone. Rows
that it wrote last go with it where that was asked; the values that an older export had before do not come back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from datasync.audit import record
from datasync.catalog import records, removal
from datasync.catalog.impact import Impact, chosen_ids, impacts_of, none_found
from datasync.catalog.services import verify_unchanged
from datasync.choices import FILE_ACTIVE, ITEM_ACTIVE, AuditAction, FileState, RowsFate
from datasync.exceptions import DataNotFound, FileBeingDeleted, FileBusy, FileNotFound, NotDeleted
from datasync.mapping.store import shelf
from datasync.models import CatalogFile, SyncTaskFile

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_HERE = Q(removing__gt="") | ~Q(state=FileState.DELETED)
"""Files that can be deleted; an unfinished deletion can be gone on with."""
_LARGEST_ID = 2**63 - 1
_MOST_FILES_AT_ONCE = 50
"""Of files whose rows go with them: each costs some twenty statements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What became of files that were to be deleted.

    ``impacts`` is what hung on each when it was marked. ``removed_rows`` are facts that are gone by now; unless
    ``finished``, a worker goes on.
    """

    impacts: tuple[Impact, ...]
    rows: RowsFate
    missing_file_ids: tuple[int, ...] = ()
    busy_file_ids: tuple[int, ...] = ()
    removed_rows: int = 0
    finished: bool = True
    dry_run: bool = False


def delete_file(
    *, file_id: int, rows: RowsFate, actor: AbstractBaseUser | None, dry_run: bool = False, here: bool = False
) -> Deletion:
    """Delete one file; raises ``FileNotFound`` or ``FileBusy``. The rest is as with ``delete_files``."""
    if not 0 < file_id <= _LARGEST_ID:
        raise FileNotFound(what=file_id)
    try:
        return delete_files(file_ids=[file_id], rows=rows, actor=actor, dry_run=dry_run, here=here)
    except DataNotFound:
        raise FileNotFound(what=file_id) from None


def delete_files(
    *,
    file_ids: Collection[int],
    rows: RowsFate,
    actor: AbstractBaseUser | None,
    dry_run: bool = False,
    here: bool = False,
    progress: removal.Progress | None = None,
) -> Deletion:
    """Delete files; those that are being synced, and ids that are no file's, are named and left out.

    More than ``DELETE_AT_ONCE_ROWS`` rows are removed by a worker, unless ``here``. A file whose deletion was
    interrupted is gone on with, the way that was asked for first. Raises ``WrongNumberOfFiles``, ``DataNotFound`` when
    none of the files exists, and ``FileBusy`` when all that do are busy.
    """
    wanted = chosen_ids(file_ids)
    found = CatalogFile.objects.filter(_HERE, pk__in=wanted).defer("profile", "header", "match", "suggestion")
    if dry_run:
        impacts, busy = _weighed(found, wanted)
    else:
        with transaction.atomic():
            impacts, busy = _weighed(found.select_for_update(of=("self",)), wanted)
            for impact in impacts:
                _mark(impact, rows=rows, actor=actor)
    deletion = partial(
        Deletion,
        impacts=tuple(impacts),
        rows=rows,
        missing_file_ids=tuple(pk for pk in wanted if pk not in {*busy, *(impact.file.pk for impact in impacts)}),
        busy_file_ids=tuple(busy),
        dry_run=dry_run,
    )
    if dry_run:
        return deletion()
    removed, finished = _remove(impacts, here=here, progress=progress)
    return deletion(removed_rows=removed, finished=finished)


def restore_file(*, file_id: int, actor: AbstractBaseUser | None) -> CatalogFile:
    """Bring a deleted file back as one that was never synced; rows that were deleted come back by syncing it.

    Raises ``FileNotFound``, ``NotDeleted``, ``FileBeingDeleted``, and ``FileMissing`` or ``FileChanged`` when its bytes
    are not there any more, as those of an upload never are.
    """
    with transaction.atomic():
        file = CatalogFile.objects.select_for_update(of=("self",)).filter(pk=file_id).first()
        if file is None:
            raise FileNotFound(what=file_id)
        if file.state != FileState.DELETED:
            raise NotDeleted(file_id=file_id)
        if file.removing:
            raise FileBeingDeleted(file_id=file_id)
        verify_unchanged(file, file.content_sha256)
        for name, value in records.standing(file, shelf=shelf()).items():
            setattr(file, name, value)
        file.save(update_fields=["state", "last_error"])
        record(AuditAction.FILE_RESTORED, actor=actor, file=file)
    return file


def _weighed(found: QuerySet[CatalogFile], wanted: Sequence[int]) -> tuple[list[Impact], list[int]]:
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
    return impacts_of([file for file in files if file.pk not in left_out]), busy


def _mark(impact: Impact, *, rows: RowsFate, actor: AbstractBaseUser | None) -> None:
    """Take the file out of the catalogue; from here on the deletion finishes, whatever happens to this process."""
    file = impact.file
    if file.state == FileState.DELETED:
        return
    goes = rows == RowsFate.DELETE
    record(
        AuditAction.FILE_DELETED,
        actor=actor,
        file=file,
        rows=impact.rows if goes else 0,
        detail={"rows": rows.value, "name": file.original_name, "state": file.state, "stored_rows": impact.rows},
    )
    file.state, file.removing, file.last_error = FileState.DELETED, rows.value, {}
    if goes:
        file.rows = {}
    file.save(update_fields=["state", "removing", "last_error", "rows"])


def _remove(impacts: Sequence[Impact], *, here: bool, progress: removal.Progress | None) -> tuple[int, bool]:
    """Remove what goes with the files, or have a worker do it: how many facts went, and whether all is gone."""
    heavy = [impact.rows for impact in impacts if impact.rows and impact.file.removing == RowsFate.DELETE]
    if not here and (sum(heavy) > settings.DELETE_AT_ONCE_ROWS or len(heavy) > _MOST_FILES_AT_ONCE):
        transaction.on_commit(removal.ring_for_removal)
        return 0, False
    removed, finished = 0, True
    for impact in impacts:
        count, done = removal.remove(impact.file, wait=here, progress=progress)
        removed += count
        finished = finished and done
    if not finished:
        transaction.on_commit(removal.ring_for_removal)
    return removed, finished
