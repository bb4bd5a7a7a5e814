"""Tasks of a person and limits on them, for the tests of quotas."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from datasync.choices import TASK_TERMINAL, ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from ratelimits.models import UserQuota
from tests.runs_support import make_file


def make_task(owner: User | None, *, state: str = TaskState.QUEUED, **fields: Any) -> SyncProgressTask:
    """A task without files; one that has ended did so now."""
    if state in TASK_TERMINAL:
        fields.setdefault("finished_at", timezone.now())
    return SyncProgressTask.objects.create(
        task_id=f"batch_{uuid.uuid4().hex[:8]}", celery_task_id=str(uuid.uuid4()), owner=owner, state=state,
        kind="batch", **fields,
    )  # fmt: skip


def make_item(task: SyncProgressTask, *, state: str = ItemState.QUEUED, **fields: Any) -> SyncTaskFile:
    """A file of the task."""
    return SyncTaskFile.objects.create(task=task, file=make_file(), state=state, file_sha256="0" * 64, **fields)


def limit(user: User, **limits: int) -> UserQuota:
    """Limits of a person's own."""
    return UserQuota.objects.create(user=user, **limits)


def limit_tier(name: str, **limits: int) -> Group:
    """A tier with limits, to which a person may be added."""
    tier, _ = Group.objects.get_or_create(name=name)
    UserQuota.objects.create(tier=tier, **limits)
    return tier
