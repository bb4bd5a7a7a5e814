"""What a person may have, and what they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from datasync.access import Sight
from datasync.runs.selectors import seconds_to_go
from datasync.runs.usage import active_count, active_tasks_of, rows_since
from erp.compiled import compiled
from ratelimits.quotas.choices import Source
from ratelimits.quotas.exceptions import UserNotFound
from ratelimits.quotas.models import UserQuota

MOST_LISTED = 100
"""How many active tasks are named, of those in sight; all are counted."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of something a person may have, None without bound, and who says so; ``tier`` names the tier."""

    limit: int | None
    source: Source
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of a person."""

    max_active_tasks: Limit
    max_files_per_task: Limit
    max_rows_per_day: Limit


@dataclass(frozen=True, slots=True)
class Day:
    """The time from midnight to midnight, and how much of it is to come."""

    begin: datetime
    seconds_left: float


@dataclass(frozen=True, slots=True)
class ActiveTask:
    """A task that counts; ``eta_seconds`` is None while it cannot be told."""

    task_id: str
    status: str
    created_at: datetime
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may have and has; ``own`` are the limits set for them alone.

    ``eta_seconds`` is when the first of the tasks named is likely to end.
    """

    user: User
    own: UserQuota | None
    limits: Limits
    active: int
    tasks: Sequence[ActiveTask]
    rows_today: int

    @property
    def eta_seconds(self) -> float | None:
        """In how many seconds a task is likely to end; None while that cannot be told."""
        return nearest_end(self.tasks)


def person_with(user_id: int) -> User:
    """The person with this id. Raises ``UserNotFound``."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserNotFound(what=user_id)
    return user


def own_quotas(*, search: str = "") -> QuerySet[UserQuota]:
    """The limits that persons have of their own, by name."""
    quotas = UserQuota.objects.exclude(user=None).select_related("user", "changed_by").order_by("user__username")
    return quotas.filter(user__username__icontains=search) if search else quotas


def has_own_limits(user_id: int) -> bool:
    """Whether limits were set for this person, who need not exist."""
    return User.objects.filter(pk=user_id, quota__isnull=False).exists()


def limits_of(user: AbstractBaseUser) -> Limits:
    """What the person may have, in one statement."""
    own, tiers = _quotas_of(user)
    return _decided(user, own, tiers)


def standing_of(user: User, *, sight: Sight) -> Standing:
    """What the person may have and has, in seven statements, however much that is; tasks in sight are named."""
    own, tiers = _quotas_of(user)
    return Standing(
        user=user,
        own=own,
        limits=_decided(user, own, tiers),
        active=active_count(user),
        tasks=named_tasks(user, sight=sight),
        rows_today=rows_since(user, day_of(user).begin),
    )


def named_tasks(user: AbstractBaseUser, *, sight: Sight, besides: int | None = None) -> list[ActiveTask]:
    """The person's active tasks but one, as far as they are in sight, oldest first, as many as are named.

    Two statements.
    """
    tasks = active_tasks_of(user, besides=besides).filter(sight.tasks())[:MOST_LISTED]
    seconds = seconds_to_go(tasks)
    return [ActiveTask(task.task_id, task.state, task.created_at, seconds[task.pk]) for task in tasks]


def nearest_end(tasks: Sequence[ActiveTask]) -> float | None:
    """In how many seconds the first of the tasks is likely to end; None while that cannot be told of any."""
    return min((task.eta_seconds for task in tasks if task.eta_seconds is not None), default=None)


def day_of(user: AbstractBaseUser) -> Day:
    """Today in the installation's time zone, by the database's clock: those of the web hosts may differ."""
    now = timezone.localtime(
        User.objects.filter(pk=user.pk).values_list(Now(), flat=True).get(), timezone.get_default_timezone()
    )
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = begin + timedelta(days=1)
    return Day(begin=begin, seconds_left=end.timestamp() - now.timestamp())


def _quotas_of(user: AbstractBaseUser) -> tuple[UserQuota | None, list[UserQuota]]:
    """The person's own limits, and those of their tiers."""
    found = _quotas_for(user.pk)
    own = next((quota for quota in found if quota.tier is None), None)
    return own, [quota for quota in found if quota.tier is not None]


@compiled
def _quotas_for(user_id: int) -> QuerySet[UserQuota]:
    tiers = User.groups.through.objects.filter(user_id=user_id).values("group_id")
    return UserQuota.objects.filter(Q(user_id=user_id) | Q(tier__in=tiers)).select_related("tier")


def _decided(user: AbstractBaseUser, own: UserQuota | None, tiers: Sequence[UserQuota]) -> Limits:
    defaults = {"max_active_tasks": settings.QUOTA_ACTIVE_TASKS}

    def limit(name: str) -> Limit:
        if own is not None and (most := own.limits[name]) is not None:
            return Limit(most, Source.USER)
        if getattr(user, "is_staff", False):
            return Limit(None, Source.STAFF)
        named = [(quota.limits[name], str(quota.tier)) for quota in tiers if quota.limits[name] is not None]
        if named:
            most, tier = max(named)
            return Limit(most, Source.TIER, tier)
        return Limit(defaults.get(name), Source.DEFAULT)

    return Limits(limit("max_active_tasks"), limit("max_files_per_task"), limit("max_rows_per_day"))
