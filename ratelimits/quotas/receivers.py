"""Where other applications ask this room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.dispatch import receiver

from datasync.signals import before_submit
from ratelimits.quotas.services import require_quota


@receiver(before_submit, dispatch_uid="ratelimits.quotas")
def refuse_beyond_quota(
    *, task: Model | None, owner: AbstractBaseUser | None, files: int, rows: Callable[[], int], **_: Any
) -> None:
    """Refuse a task that goes beyond its owner's quota; one without an owner has none."""
    if owner is not None:
        require_quota(owner=owner, task_pk=task.pk if task else None, files=files, rows=rows)
