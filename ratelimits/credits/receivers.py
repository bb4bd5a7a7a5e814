"""Where data sync asks this room, and where it is told what a sync came to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.dispatch import receiver

from datasync.runs.synced import syncs_files
from datasync.signals import before_submit, sync_finished
from ratelimits.credits.charging import charge_task
from ratelimits.credits.services import require_credits


@receiver(before_submit, dispatch_uid="ratelimits.credits")
def refuse_without_credits(*, task: Model | None, owner: AbstractBaseUser | None, **_: Any) -> None:
    """Where credits are required, refuse a sync whose owner has none; one without an owner needs none."""
    if settings.CREDITS_REQUIRED and owner is not None and (task is None or syncs_files(task)):
        require_credits(owner)


@receiver(sync_finished, dispatch_uid="ratelimits.credits")
def charge(*, task: Any, **_: Any) -> None:
    """Charge what the task synced, unless it is nobody's. What fails here is charged by the clock."""
    if task.owner_id is not None:
        charge_task(task.task_id)
