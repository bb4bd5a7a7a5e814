"""Submitting: what was asked for becomes rows in one transaction, then the bell is rung.

The partial unique index ``item_one_active_per_file`` decides alone whether a file is busy, whoever asks at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from datasync.catalog.selectors import pending_files
from datasync.choices import FileState, ItemState, TaskKind, TaskState
from datasync.exceptions import DataNotFound, FileBusy, FileNotFound, InvalidRequest, NeedsDescription
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs.errors import error_document
from datasync.runs.publish import publish

HIGHEST_PRIORITY = 10
MOST_FILES = 1000
_LARGEST_ID = 2**63 - 1

NOT_RUNG = "Queued. The broker did not answer, so the work starts when it is back."


class Chosen(NamedTuple):
    """What a submit needs to know of a file: a thousand of them are cheaper than a thousand models."""

    pk: int
    content_sha256: str
    state: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Flags:
    """How the files of a task are to be treated."""

    only_with_template: bool = True
    allow_quarantine: bool = True
    use_template_header_row: bool = True


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of chosen files."""

    task: SyncProgressTask
    missing_file_ids: tuple[int, ...] = ()
    busy_file_ids: tuple[int, ...] = ()


def submit_single(
    *, file_id: int, owner: AbstractBaseUser | None, priority: int = 5, **flags: bool
) -> SyncProgressTask:
    """Queue one file. Raises ``FileNotFound``, ``FileBusy`` with the running task, or ``InvalidRequest``."""
    _require_whole_number("file_id", file_id, least=1, most=_LARGEST_ID)
    files = _chosen(CatalogFile.objects.filter(pk=file_id))
    if not files:
        raise FileNotFound(what=file_id)
    if files[0].state == FileState.NEEDS_DESCRIPTION:
        missing = NeedsDescription()
        raise InvalidRequest(detail=f"{missing.message} {missing.recovery}")
    task, busy = _submit(
        files, kind=TaskKind.SINGLE, prefix=f"single_file_{file_id}", owner=owner, priority=priority, flags=flags
    )
    if task is None:
        raise FileBusy(task_id=_running_task(busy[0]))
    return task


def submit_batch(
    *,
    owner: AbstractBaseUser | None,
    platform: str | None = None,
    domains: Collection[str] = (),
    granularities: Collection[str] = (),
    since_hours: int | None = None,
    limit: int = 100,
    priority: int = 5,
    **flags: bool,
) -> SyncProgressTask | None:
    """Queue up to ``limit`` pending files that fit the filters; None when nothing is pending."""
    _require_whole_number("limit", limit, least=1, most=MOST_FILES)
    files = pending_files(
        platform=None if platform in {None, "", "*"} else platform,
        domains=domains,
        granularities=granularities,
        since_hours=since_hours,
        with_template_only=False,
    )
    chosen = _chosen(files[:limit])
    options = {
        "platform": platform,
        "domains": sorted(domains),
        "granularities": sorted(granularities),
        "since_hours": since_hours,
        "limit": limit,
    }
    return _submit(chosen, kind=TaskKind.BATCH, owner=owner, priority=priority, flags=flags, options=options)[0]


def submit_by_ids(
    *, file_ids: Sequence[int], owner: AbstractBaseUser | None, priority: int = 5, **flags: bool
) -> Submission:
    """Queue chosen files; missing and busy ones are named.

    Raises ``DataNotFound`` when none of them exists, ``FileBusy`` when all that exist are busy.
    """
    wanted = tuple(dict.fromkeys(file_ids))
    if not 1 <= len(wanted) <= MOST_FILES:
        raise InvalidRequest(detail=f"file_ids must name between 1 and {MOST_FILES} files.")
    for file_id in wanted:
        _require_whole_number("file_ids", file_id, least=1, most=_LARGEST_ID)
    found = {file.pk: file for file in _chosen(CatalogFile.objects.filter(pk__in=wanted))}
    if not found:
        raise DataNotFound(what=", ".join(map(str, wanted[:10])))
    files = [found[file_id] for file_id in wanted if file_id in found]
    task, busy = _submit(files, kind=TaskKind.BATCH_BY_IDS, owner=owner, priority=priority, flags=flags)
    if task is None:
        raise FileBusy(task_id=_running_task(busy[0]))
    missing = tuple(file_id for file_id in wanted if file_id not in found)
    return Submission(task=task, missing_file_ids=missing, busy_file_ids=busy)


def submit_all(*, owner: AbstractBaseUser | None, priority: int = 5) -> SyncProgressTask | None:
    """Queue every pending file that has a template; None when there is none."""
    files = pending_files(platform=None, domains=(), granularities=(), since_hours=None, with_template_only=True)
    return _submit(_chosen(files), kind=TaskKind.BATCH_ALL, owner=owner, priority=priority, flags={})[0]


def _submit(
    files: Sequence[Chosen],
    *,
    kind: TaskKind,
    owner: AbstractBaseUser | None,
    priority: int,
    flags: dict[str, bool],
    prefix: str = "batch",
    options: dict[str, Any] | None = None,
) -> tuple[SyncProgressTask | None, tuple[int, ...]]:
    """The task over those of the files that nobody is syncing, and the ids of the busy ones. No task without files."""
    _require_whole_number("priority", priority, least=1, most=HIGHEST_PRIORITY)
    chosen = Flags(**flags)
    if not files:
        return None, ()
    with transaction.atomic():
        if owner is not None:
            _lock_owner(owner)
        task = SyncProgressTask.objects.create(
            task_id=f"{prefix}_{uuid.uuid4().hex[:8]}",
            celery_task_id=str(uuid.uuid4()),
            kind=kind,
            state=TaskState.QUEUED,
            owner_id=owner.pk if owner else None,
            priority=priority,
            only_with_template=chosen.only_with_template,
            allow_quarantine=chosen.allow_quarantine,
            use_template_header_row=chosen.use_template_header_row,
            options=options or {},
        )
        taken = _take_files(task, files)
        busy = tuple(file.pk for file in files if file.pk not in taken)
        if not taken:
            task.delete()
            return None, busy
        SyncProgressTask.objects.filter(pk=task.pk).update(total_files=len(taken))
        task.total_files = len(taken)
        transaction.on_commit(partial(_ring, task))
    return task, busy


def _chosen(files: QuerySet[CatalogFile]) -> list[Chosen]:
    return [Chosen(*values) for values in files.values_list(*Chosen._fields)]


def _take_files(task: SyncProgressTask, files: Sequence[Chosen]) -> set[int]:
    """Create the items that the index allows, in the order of ids, so that two batches cannot lock each other."""
    undescribed = error_document(NeedsDescription())
    items = [
        SyncTaskFile(
            task_id=task.pk,
            file_id=file.pk,
            position=position,
            file_sha256=file.content_sha256,
            rows_expected=(file.rows or {}).get("read") or None,
            state=ItemState.SKIPPED if file.state == FileState.NEEDS_DESCRIPTION else ItemState.QUEUED,
            error=undescribed if file.state == FileState.NEEDS_DESCRIPTION else {},
        )
        for position, file in enumerate(files)
    ]
    SyncTaskFile.objects.bulk_create(sorted(items, key=lambda item: item.file_id), ignore_conflicts=True)
    states = dict(SyncTaskFile.objects.filter(task=task).values_list("file_id", "state"))
    queued = [file_id for file_id, state in states.items() if state == ItemState.QUEUED]
    CatalogFile.objects.filter(pk__in=queued).update(state=FileState.QUEUED)
    return set(states)


def _lock_owner(owner: AbstractBaseUser) -> None:
    """One submit of a person at a time: what counts their active tasks counts under this lock."""
    list(get_user_model().objects.select_for_update().filter(pk=owner.pk).values_list("pk"))


def _ring(task: SyncProgressTask) -> None:
    """Publish as many messages as the window allows. Without a broker the task stays queued, and says so."""
    messages = max(1, min(settings.BATCH_WINDOW, task.total_files))
    if not publish(task, messages=messages, first_id=task.celery_task_id):
        task.message = NOT_RUNG
        SyncProgressTask.objects.filter(pk=task.pk, state=TaskState.QUEUED).update(message=NOT_RUNG)


def _running_task(file_id: int) -> str:
    active = SyncTaskFile.objects.filter(file_id=file_id, state__in=(ItemState.QUEUED, ItemState.PROCESSING))
    return active.values_list("task__task_id", flat=True).first() or ""


def _require_whole_number(name: str, value: object, *, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidRequest(detail=f"{name} must be a whole number between {least} and {most}.")
