"""What the calls answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratelimits.events.choices import Level
from ratelimits.events.models import RateLimitEvent
from ratelimits.limits.choices import Scope
from ratelimits.limits.models import RateRule


class Rule(serializers.ModelSerializer[RateRule]):
    """How often the people of a tier may ask in a scope, or, with an endpoint, for one call."""

    class Meta:
        model = RateRule
        fields = ("id", "tier", "scope", "endpoint", "per_minute", "enabled", "note")
        read_only_fields = fields


class CallerCount(serializers.Serializer[Any]):
    """Whom a limit counts, and how often it was refused."""

    key = serializers.CharField(help_text="`user:` with an id, or `ip:` with an address; `*` is everybody else.")
    user_id = serializers.IntegerField(allow_null=True)
    username = serializers.CharField(allow_null=True)
    refused = serializers.IntegerField()


class PathCount(serializers.Serializer[Any]):
    """How often a path was refused."""

    path = serializers.CharField(
        help_text="A call's, such as `/api/auth/tokens/<int:token_id>`; `*` is every other one."
    )
    refused = serializers.IntegerField()


class DayCount(serializers.Serializer[Any]):
    """How often anything was refused on a day."""

    date = serializers.DateField()
    refused = serializers.IntegerField()


class RefusalStats(serializers.Serializer[Any]):
    """The figures of a day."""

    date = serializers.DateField()
    refused = serializers.IntegerField(help_text="Requests.")
    callers = serializers.IntegerField(help_text="How many different ones.")
    paths = serializers.IntegerField(help_text="How many different ones.")
    by_key = CallerCount(many=True, help_text="The 100 refused most.")
    by_path = PathCount(many=True, help_text="The 100 refused most.")
    days = DayCount(many=True, help_text="Every day of which something is kept, the oldest first.")


class ClearedStats(serializers.Serializer[Any]):
    """What was forgotten."""

    date = serializers.DateField()
    cleared = serializers.IntegerField(help_text="Counts, each of one caller at one path.")


class Event(serializers.ModelSerializer[RateLimitEvent]):
    """What one caller was refused at one path, which is a call's, within one minute.

    Address and agent are as the caller sent them, cut.
    """

    username = serializers.CharField(source="user.username", default=None, allow_null=True)
    user_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = RateLimitEvent
        fields = (
            "id", "at", "last_at", "times", "key", "user_id", "username", "address", "method", "path", "scope", "tier",
            "detail", "agent",
        )  # fmt: skip
        read_only_fields = fields


class Anomaly(serializers.Serializer[Any]):
    """A caller who was refused unusually often within the last hour."""

    key = serializers.CharField()
    user_id = serializers.IntegerField(allow_null=True)
    username = serializers.CharField(allow_null=True)
    refused = serializers.IntegerField()
    level = serializers.ChoiceField(Level.choices, help_text="Critical from twice the threshold on.")
    paths = serializers.IntegerField(help_text="How many different ones.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class Allowance(serializers.Serializer[Any]):
    """What is left of one limit at this moment."""

    scope = serializers.ChoiceField(Scope.choices)
    tier = serializers.CharField(help_text="Whose limit it is: in each scope the most generous of your tiers.")
    limit = serializers.IntegerField()
    window_seconds = serializers.IntegerField(help_text="The limit holds for any span of so many seconds.")
    remaining = serializers.IntegerField()
    reset_at = serializers.DateTimeField(help_text="When the next place gets free; where all are, now.")


class MyLimits(serializers.Serializer[Any]):
    """Whom the limits count you as, and what is left to you."""

    key = serializers.CharField()
    tier = serializers.CharField(help_text="In the scope `default`.")
    limits = Allowance(many=True)
