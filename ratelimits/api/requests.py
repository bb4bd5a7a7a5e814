"""What the calls take."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from erp.api.pagination import PagedQuery
from erp.api.serializers import (
    QueryInteger,
    QuerySerializer,
    StrictBoolean,
    StrictInteger,
    StrictSerializer,
    StrictText,
)
from ratelimits.events.models import KEY_LENGTH
from ratelimits.events.selectors import LEAST_THRESHOLD, MOST_THRESHOLD, USUAL_THRESHOLD
from ratelimits.limits.choices import MOST_PER_MINUTE, Scope

MOST_EVENTS = 1000


class QueryDay(serializers.DateField):
    """A day as ``2026-03-06``; the other forms of ISO 8601 are none."""

    def to_internal_value(self, value: Any) -> date:
        """Take the one form only."""
        day: date = super().to_internal_value(value)
        if day.isoformat() != value:
            self.fail("invalid", format="YYYY-MM-DD")
        return day


class StatsQuery(QuerySerializer):
    """Which day."""

    date = QueryDay(required=False, help_text="A day such as 2026-03-06, in the installation's time zone; else today.")


class EventsQuery(QuerySerializer):
    """How much of the log, and of whom."""

    limit = QueryInteger(
        min_value=1, max_value=MOST_EVENTS, default=100, help_text=f"The newest so many, at most {MOST_EVENTS}."
    )
    key = serializers.CharField(
        max_length=KEY_LENGTH, required=False, help_text="Of this caller alone: `user:7` or `ip:203.0.113.9`."
    )
    scope = serializers.ChoiceField(Scope.choices, required=False, help_text="Of this scope alone.")


class AnomaliesQuery(PagedQuery):
    """From when on it is unusual."""

    threshold = QueryInteger(
        min_value=LEAST_THRESHOLD,
        max_value=MOST_THRESHOLD,
        default=USUAL_THRESHOLD,
        help_text=f"Refusals within the last hour, {LEAST_THRESHOLD} or more; whoever had more than that is listed.",
    )


class RulesQuery(PagedQuery):
    """Filters of the rules."""

    default_page_size = 200

    tier = serializers.CharField(max_length=20, required=False, help_text="Of this tier alone.")
    scope = serializers.ChoiceField(Scope.choices, required=False, help_text="Of this scope alone.")


class ChangedRule(StrictSerializer):
    """What to change of a rule; what is not named stays."""

    tier = StrictText(max_length=20, required=False, help_text="A role, another group's name, or `anonymous`.")
    scope = serializers.ChoiceField(Scope.choices, required=False)
    endpoint = StrictText(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Blank: the whole scope. Else the name of a call, which is then counted on its own as well.",
    )
    per_minute = StrictInteger(min_value=1, max_value=MOST_PER_MINUTE, required=False)
    enabled = StrictBoolean(required=False)
    note = StrictText(max_length=200, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be said."""
        if not attrs:
            raise serializers.ValidationError(_("Name at least one field."))
        return attrs


class NewRule(ChangedRule):
    """A rule: of whom, where, and how often."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The same fields, of which these have to be named."""
        fields = super().get_fields()
        for name in ("tier", "scope", "per_minute"):
            fields[name].required = True
        return fields
