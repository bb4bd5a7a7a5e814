"""What the calls answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratelimits.quotas.choices import Source
from ratelimits.quotas.models import LIMITS, UserQuota


class Limit(serializers.Serializer[Any]):
    """A limit and who decided it."""

    limit = serializers.IntegerField(allow_null=True, help_text="Null: without bound.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        Source.choices,
        help_text="Who decides: the person's own limit, staff being unlimited, the tier, or the installation.",
    )
    tier = serializers.CharField(allow_null=True, help_text="The tier, where one decides.")


class ActiveTask(serializers.Serializer[Any]):
    """A task that counts."""

    task_id = serializers.CharField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    eta_seconds = serializers.FloatField(allow_null=True, help_text="Null while it cannot be told.")


class Quota(serializers.Serializer[Any]):
    """What a person may have and has."""

    max_active_tasks = Limit(source="limits.max_active_tasks")
    max_files_per_task = Limit(source="limits.max_files_per_task")
    max_rows_per_day = Limit(source="limits.max_rows_per_day")
    active = serializers.IntegerField(help_text="Active tasks.")
    active_tasks = ActiveTask(source="tasks", many=True, help_text="The oldest 100 in sight.")
    rows_today = serializers.IntegerField(
        help_text="Rows read by tasks that ended today, and those to be expected of active ones."
    )
    eta_seconds = serializers.FloatField(
        allow_null=True, help_text="In how many seconds a task is likely to end; null while that cannot be told."
    )


class OwnQuota(serializers.ModelSerializer[UserQuota]):
    """The limits that a person has of their own; null: the tier or the installation decides."""

    user_id = serializers.IntegerField()
    username = serializers.CharField(source="user.username")
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)

    class Meta:
        model = UserQuota
        fields = ("user_id", "username", *LIMITS, "changed_at", "changed_by")
        read_only_fields = fields


class UserStanding(Quota):
    """What a person may have and has, and what of it was set for them alone."""

    user_id = serializers.IntegerField(source="user.pk")
    username = serializers.CharField(source="user.username")
    own = OwnQuota(allow_null=True)
