"""Starting a remap: the files concerned become items of a task that workers take up like any other."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from datasync.access import Sight
from datasync.audit import record
from datasync.choices import AuditAction, TaskKind, TaskState
from datasync.exceptions import FileBusy, NotInRange
from datasync.models import HeaderTemplate, SyncProgressTask, SyncTaskFile
from datasync.runs.admission import admit, hold_owner
from datasync.runs.deadline import deadline_of, deadline_to_store, require_deadline
from datasync.runs.dispatch import dispatch
from datasync.runs.pick import HIGHEST_PRIORITY
from datasync.runs.remap.preview import RemapPreview, remap_preview
from datasync.runs.remap.selection import Concerned, concerned, published_template

__all__ = ["RemapPreview", "StartedRemap", "remap_preview", "start_remap"]
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class StartedRemap:
    """The task, and the files that are left out because something else is being done with them."""

    task: SyncProgressTask
    busy_file_ids: tuple[int, ...] = ()


def start_remap(
    template_id: int,
    *,
    owner: AbstractBaseUser | None,
    sight: Sight,
    priority: int = 5,
    deadline_seconds: int | None = None,
    file_ids: Collection[int] | None = None,
    parent: SyncProgressTask | None = None,
) -> StartedRemap | None:
    """Type the stored rows of a published template again, of all files or of these; None where it has none.

    ``parent`` is the task that this one is a retry of. Without ``deadline_seconds`` it has no deadline: large files
    come back to the queue in between, and begin anew when they are left out.

    Raises ``TemplateNotFound``, ``TemplateNotInUse``, ``InvalidRequest`` for a number out of range, ``FileBusy`` where
    all files concerned are busy, and ``LimitedToShops``.
    """
    sight.require_everything()
    if isinstance(priority, bool) or not isinstance(priority, int) or not 1 <= priority <= HIGHEST_PRIORITY:
        raise NotInRange(name="priority", least=1, most=HIGHEST_PRIORITY)
    require_deadline(deadline_seconds)
    template = published_template(template_id)
    found = [one for one in concerned(template) if file_ids is None or one.file_id in file_ids]
    if not found:
        return None
    with transaction.atomic():
        hold_owner(owner)
        task = SyncProgressTask.objects.create(
            task_id=f"remap_{template.pk}_{uuid.uuid4().hex[:8]}",
            celery_task_id=str(uuid.uuid4()),
            kind=TaskKind.REMAP,
            state=TaskState.QUEUED,
            owner_id=owner.pk if owner else None,
            priority=priority,
            options={"template_id": template.pk},
            parent=parent,
            deadline_at=deadline_to_store(deadline_seconds),
            total_files=len(found),
        )
        task.deadline_at = deadline_of(task, deadline_seconds)
        taken = _take(task, template, found)
        if not taken:
            raise FileBusy(task_id=_task_of(found[0].file_id))
        if len(taken) != task.total_files:
            task.total_files = len(taken)
            task.save(update_fields=["total_files"])
        admit(task, owner=owner, files=task.total_files)
        record(
            AuditAction.REMAP_STARTED,
            actor=owner,
            template=template,
            rows=sum(one.rows for one in found if one.file_id in taken),
            detail={"task_id": task.task_id, "files": len(taken)},
        )
        transaction.on_commit(partial(dispatch, task))
    return StartedRemap(task, tuple(one.file_id for one in found if one.file_id not in taken))


def _take(task: SyncProgressTask, template: HeaderTemplate, found: list[Concerned]) -> set[int]:
    """Make items of the files; the partial unique index leaves out those that are in some task already.

    A file's own state stays: it is not read, and a deleted one must not come back.
    """
    items = (
        SyncTaskFile(
            task=task,
            file_id=one.file_id,
            position=position,
            file_sha256=one.content_sha256,
            template=template,
            rows_expected=one.rows,
        )
        for position, one in enumerate(found)
    )
    SyncTaskFile.objects.bulk_create(items, batch_size=_AT_ONCE, ignore_conflicts=True)
    return set(SyncTaskFile.objects.filter(task=task).values_list("file_id", flat=True))


def _task_of(file_id: int) -> str:
    active = SyncTaskFile.objects.filter(file_id=file_id).order_by("-pk")
    return active.values_list("task__task_id", flat=True).first() or ""
