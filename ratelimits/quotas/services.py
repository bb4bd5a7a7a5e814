"""Refusing what goes beyond a person's quota, and saying what the quota is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User

from datasync.access import Sight
from datasync.exceptions import (
    NoTasksAllowed,
    TooManyActiveTasks,
    TooManyFilesInTask,
    TooManyRowsInTask,
    TooManyRowsToday,
)
from datasync.runs.usage import active_count, rows_since
from ratelimits.quotas.exceptions import QuotaNotFound
from ratelimits.quotas.models import LIMITS, UserQuota
from ratelimits.quotas.selectors import day_of, limits_of, named_tasks, nearest_end

WAIT_SECONDS = 30.0
"""When to try again where it cannot be told when a task ends."""


def require_quota(*, owner: AbstractBaseUser, task_pk: int | None, files: int, rows: Callable[[], int]) -> None:
    """Refuse a task that goes beyond what its owner may have.

    Raises a ``QuotaExceeded``, which says when trying again may help, once completed the tasks that are active, too;
    or where trying again never helps a ``TaskBeyondQuota``.
    The transaction holds the owner's row, so that what is counted stays as it is until the task is accepted. The task
    may be in the database already; it does not count against itself. ``rows`` are to be expected of it. Nothing is
    written, so that nothing can leak: a task gives its place back by ending, however it ends.
    """
    limits = limits_of(owner)
    for name in LIMITS:
        if getattr(limits, name).limit == 0:
            raise NoTasksAllowed(name=name)
    if (most := limits.max_files_per_task.limit) is not None and files > most:
        raise TooManyFilesInTask(files=files, limit=most)
    if (most := limits.max_active_tasks.limit) is not None:
        _require_free_place(owner, task_pk, most)
    if (most := limits.max_rows_per_day.limit) is not None:
        _require_rows_left(owner, task_pk, most, rows())


def set_own_limits(
    user: User,
    *,
    by: AbstractBaseUser,
    max_active_tasks: int | None = None,
    max_files_per_task: int | None = None,
    max_rows_per_day: int | None = None,
) -> UserQuota:
    """Give the person limits of their own; None leaves one to the tier or the installation."""
    limits = {
        "max_active_tasks": max_active_tasks,
        "max_files_per_task": max_files_per_task,
        "max_rows_per_day": max_rows_per_day,
    }
    quota, _made = UserQuota.objects.update_or_create(user=user, defaults={**limits, "changed_by_id": by.pk})
    return quota


def clear_own_limits(user: User) -> None:
    """Let the tier and the installation decide again. Raises ``QuotaNotFound`` where they do already."""
    deleted, _by_model = UserQuota.objects.filter(user=user).delete()
    if not deleted:
        raise QuotaNotFound(what=user.get_username())


def _require_free_place(owner: AbstractBaseUser, task_pk: int | None, most: int) -> None:
    active = active_count(owner, besides=task_pk)
    if active >= most:
        look_up = partial(_what_is_active, owner, task_pk, most)
        raise TooManyActiveTasks(active=active, limit=most, wait=WAIT_SECONDS, look_up=look_up)


def _what_is_active(owner: AbstractBaseUser, task_pk: int | None, most: int) -> dict[str, Any]:
    """The tasks that a person may wait for or cancel, and how long it may take until one ends.

    It is a moment later: where one has ended meanwhile, trying again helps at once.
    """
    tasks = named_tasks(owner, sight=Sight.of(owner), besides=task_pk)
    told: dict[str, Any] = {"active_task_ids": [one.task_id for one in tasks]}
    if active_count(owner, besides=task_pk) < most:
        told["wait"] = 1.0
    elif (end := nearest_end(tasks)) is not None:
        told |= {"eta_seconds": end, "wait": max(1.0, end)}
    return told


def _require_rows_left(owner: AbstractBaseUser, task_pk: int | None, most: int, expected: int) -> None:
    """A file of which nothing is known passes as long as anything is left of the day's rows."""
    if expected > most:
        raise TooManyRowsInTask(rows=expected, limit=most)
    day = day_of(owner)
    used = rows_since(owner, day.begin, besides=task_pk)
    wanted = used + expected
    if used >= most or wanted > most:
        raise TooManyRowsToday(rows=wanted, limit=most, used=used, wait=day.seconds_left)
