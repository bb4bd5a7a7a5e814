"""Submitting: what was asked for becomes rows in one transaction, then turns are given."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from datasync.access import EVERYTHING, Sight
from datasync.catalog.selectors import pending_files, present_files
from datasync.choices import FILE_ACTIVE, FileState, TaskKind, TaskState
from datasync.exceptions import (
    DataNotFound,
    FileBusy,
    FileNotFound,
    NeedsDescription,
    NotInRange,
    Undescribed,
    WrongNumberOfFiles,
)
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs.admission import admit, foresee, hold_owner
from datasync.runs.deadline import deadline_of, deadline_to_store, require_deadline, seconds_given
from datasync.runs.dispatch import dispatch
from datasync.runs.pick import HIGHEST_PRIORITY
from datasync.runs.taking import take_chosen, take_found
from erp.compiled import compiled

MOST_FILES = 1000
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Flags:
    """How the files of a task are to be treated."""

    only_with_template: bool = True
    allow_quarantine: bool = True
    use_template_header_row: bool = True


_FLAG_NAMES = tuple(flag.name for flag in fields(Flags))


@dataclass(frozen=True, slots=True)
class _Terms:
    """For whom a task is, how urgent, and how long it has: None is as long as ``BATCH_DEADLINE_SECONDS`` says."""

    owner: AbstractBaseUser | None
    priority: int
    deadline_seconds: int | None

    def __post_init__(self) -> None:
        _require_whole_number("priority", self.priority, least=1, most=HIGHEST_PRIORITY)
        require_deadline(self.deadline_seconds)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The files that a task will have, unless others take them. ``number`` None: those ``foreseen``, to be counted.

    Over those foreseen, very many or one, the task is refused before anything of it is made.
    """

    number: int | None = None
    foreseen: QuerySet[CatalogFile] | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of chosen files; ``repeated``: of an earlier request, so that the task may have come far."""

    task: SyncProgressTask
    missing_file_ids: tuple[int, ...] = ()
    busy_file_ids: tuple[int, ...] = ()
    repeated: bool = field(default=False, compare=False)


def submit_single(
    *,
    file_id: int,
    owner: AbstractBaseUser | None,
    sight: Sight,
    priority: int = 5,
    deadline_seconds: int | None = None,
    **flags: bool,
) -> SyncProgressTask:
    """Queue one file. Raises ``FileNotFound``, ``FileBusy`` with the task that has it, or ``InvalidRequest``.

    For whoever is limited to shops a file without one is not described enough: its rows may be of any shop.
    """
    _require_whole_number("file_id", file_id, least=1, most=_LARGEST_ID)
    file = _loadable_file(file_id, sight=sight)
    task = _submit(
        partial(take_chosen, file_ids=(file_id,), sight=sight),
        _Wanted(0 if file.state in FILE_ACTIVE else 1, foreseen=CatalogFile.objects.filter(pk=file_id)),
        kind=TaskKind.SINGLE,
        prefix=f"single_file_{file_id}",
        terms=_Terms(owner, priority, deadline_seconds),
        flags=flags,
    )
    if task is None:
        _loadable_file(file_id, sight=sight)
        raise _busy([file_id])
    return task


def _loadable_file(file_id: int, *, sight: Sight) -> CatalogFile:
    """The file; raises ``FileNotFound``, or ``Undescribed`` where something of it is still to be said."""
    file = _judged(sight).filter(pk=file_id).first() if sight.limited else _any_judged.first(file_id)
    if file is None:
        raise FileNotFound(what=file_id)
    if file.state == FileState.NEEDS_DESCRIPTION:
        raise Undescribed(**{**NeedsDescription().params, **file.last_error.get("params", {})})
    if not sight.may_load(file):
        raise Undescribed(missing="shop")
    return file


def _judged(sight: Sight) -> QuerySet[CatalogFile]:
    return present_files(sight=sight).only("state", "last_error", "shop")


@compiled
def _any_judged(file_id: int) -> QuerySet[CatalogFile]:
    return _judged(EVERYTHING).filter(pk=file_id)


def submit_batch(  # noqa: PLR0913 - each narrows the choice in another way
    *,
    owner: AbstractBaseUser | None,
    sight: Sight,
    platform: str | None = None,
    domains: Collection[str] = (),
    granularities: Collection[str] = (),
    since_hours: int | None = None,
    limit: int = 100,
    priority: int = 5,
    deadline_seconds: int | None = None,
    **flags: bool,
) -> SyncProgressTask | None:
    """Queue up to ``limit`` pending files that fit the filters; None when nothing is pending.

    Files without a template wait for a person; unless ``only_with_template`` is false they take no place.
    """
    _require_whole_number("limit", limit, least=1, most=MOST_FILES)
    files = pending_files(
        sight=sight,
        platform=None if platform in {None, "", "*"} else platform,
        domains=domains,
        granularities=granularities,
        since_hours=since_hours,
        with_template_only=flags.get("only_with_template", True),
    )
    options = {
        "platform": platform,
        "domains": sorted(domains),
        "granularities": sorted(granularities),
        "since_hours": since_hours,
        "limit": limit,
    }
    take = partial(take_found, files=files, limit=limit, sight=sight)
    return _submit(
        take,
        _Wanted(foreseen=files[:limit]),
        kind=TaskKind.BATCH,
        terms=_Terms(owner, priority, deadline_seconds),
        flags=flags,
        options=options,
    )


def submit_by_ids(
    *,
    file_ids: Sequence[int],
    owner: AbstractBaseUser | None,
    sight: Sight,
    priority: int = 5,
    deadline_seconds: int | None = None,
    **flags: bool,
) -> Submission:
    """Queue chosen files; missing and busy ones are named.

    For whoever is limited to shops, files without one are missing too. Raises ``DataNotFound`` when none of them
    exists, ``FileBusy`` when all that exist are busy.
    """
    wanted = tuple(dict.fromkeys(file_ids))
    if not 1 <= len(wanted) <= MOST_FILES:
        raise WrongNumberOfFiles(most=MOST_FILES)
    for file_id in wanted:
        _require_whole_number("file_ids", file_id, least=1, most=_LARGEST_ID)
    nothing = DataNotFound(what=", ".join(map(str, wanted[:10])))
    existing = _loadable(wanted, sight=sight)
    if not existing:
        raise nothing
    task = _submit(
        partial(take_chosen, file_ids=existing, sight=sight),
        _Wanted(len(existing)),
        kind=TaskKind.BATCH_BY_IDS,
        terms=_Terms(owner, priority, deadline_seconds),
        flags=flags,
    )
    busy, gone = _left_out(task, existing, sight=sight)
    if task is None:
        raise _busy(busy) if busy else nothing
    there = {*existing} - {*gone}
    missing = tuple(file_id for file_id in wanted if file_id not in there)
    return Submission(task=task, missing_file_ids=missing, busy_file_ids=busy)


def submit_all(
    *, owner: AbstractBaseUser | None, sight: Sight, priority: int = 5, deadline_seconds: int | None = None
) -> SyncProgressTask | None:
    """Queue every pending file that has a template; None when there is none."""
    files = pending_files(sight=sight, with_template_only=True)
    take = partial(take_found, files=files, limit=None, sight=sight)
    return _submit(
        take,
        _Wanted(foreseen=files),
        kind=TaskKind.BATCH_ALL,
        terms=_Terms(owner, priority, deadline_seconds),
        flags={},
    )


def submit_again(
    parent: SyncProgressTask, *, file_ids: Sequence[int], sight: Sight, deadline_seconds: int | None = None
) -> Submission | None:
    """Queue files of a task that has ended once more, treated as they were and for the same person.

    Without ``deadline_seconds`` it has as long as the other had. Files that are in other tasks by now are named;
    raises ``FileBusy`` where all of them are. None where none is there any more.
    """
    given = seconds_given(parent) if deadline_seconds is None else deadline_seconds
    task = _submit(
        partial(take_chosen, file_ids=file_ids, sight=sight),
        _Wanted(len(file_ids)),
        kind=TaskKind(parent.kind),
        prefix=f"single_file_{file_ids[0]}" if parent.kind == TaskKind.SINGLE else "batch",
        terms=_Terms(parent.owner, parent.priority, given),
        flags={name: getattr(parent, name) for name in _FLAG_NAMES},
        parent=parent,
    )
    busy, _gone = _left_out(task, file_ids, sight=sight)
    if task is None and busy:
        raise _busy(busy)
    return Submission(task=task, busy_file_ids=busy) if task else None


def _submit(
    take: Callable[[SyncProgressTask], int],
    wanted: _Wanted,
    *,
    kind: TaskKind,
    terms: _Terms,
    flags: dict[str, bool],
    prefix: str = "batch",
    options: dict[str, Any] | None = None,
    parent: SyncProgressTask | None = None,
) -> SyncProgressTask | None:
    """The task over those of the wanted files that nobody is syncing; None, and no task, where there are none."""
    chosen, owner = Flags(**flags), terms.owner
    seconds = terms.deadline_seconds or settings.BATCH_DEADLINE_SECONDS
    with transaction.atomic():
        hold_owner(owner)
        number, asked = wanted.number or 0, 0
        if wanted.foreseen is not None and owner is not None:
            number = asked = wanted.foreseen.count() if wanted.number is None else wanted.number
            foresee(wanted.foreseen, number=asked, owner=owner)
        task = SyncProgressTask.objects.create(
            task_id=f"{prefix}_{uuid.uuid4().hex[:8]}",
            celery_task_id=str(uuid.uuid4()),
            kind=kind,
            state=TaskState.QUEUED,
            owner_id=owner.pk if owner else None,
            priority=terms.priority,
            only_with_template=chosen.only_with_template,
            allow_quarantine=chosen.allow_quarantine,
            use_template_header_row=chosen.use_template_header_row,
            options=options or {},
            parent=parent,
            deadline_at=deadline_to_store(seconds),
            total_files=number,
        )
        task.deadline_at = deadline_of(task, seconds)
        taken = take(task)
        if not taken:
            SyncProgressTask.objects.filter(pk=task.pk).delete()
            return None
        if taken != number:
            task.total_files = taken
            task.save(update_fields=["total_files"])
        admit(task, owner=owner, files=task.total_files, foreseen=asked)
        transaction.on_commit(partial(dispatch, task))
    return task


def _loadable(file_ids: Sequence[int], *, sight: Sight) -> list[int]:
    """Those of the files that are there, and whose rows may be stored."""
    present = present_files(sight=sight).filter(sight.files_to_load(), pk__in=file_ids)
    found = set(present.values_list("pk", flat=True))
    return [file_id for file_id in file_ids if file_id in found]


def _left_out(
    task: SyncProgressTask | None, file_ids: Sequence[int], *, sight: Sight
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those of the files that the task, None: no task, did not get: which others have, and which are gone.

    These were deleted, or left the sight, while the task was made.
    """
    if task is not None and task.total_files == len(file_ids):
        return (), ()
    taken = set(task.items.values_list("file_id", flat=True)) if task else set()
    left = [file_id for file_id in file_ids if file_id not in taken]
    busy = _loadable(left, sight=sight)
    return tuple(busy), tuple(file_id for file_id in left if file_id not in busy)


def _busy(file_ids: Sequence[int]) -> FileBusy:
    """All the files are busy: name the task that has the first, or had it a moment ago."""
    latest = SyncTaskFile.objects.filter(file_id=file_ids[0]).order_by("-pk")
    return FileBusy(task_id=latest.values_list("task__task_id", flat=True).first() or "")


def _require_whole_number(name: str, value: object, *, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise NotInRange(name=name, least=least, most=most)
