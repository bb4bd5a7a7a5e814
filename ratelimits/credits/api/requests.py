"""What the calls take."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from erp.api.pagination import CursorQuery
from erp.api.serializers import StrictInteger, StrictSerializer, StrictText
from ratelimits.credits.choices import EntryKind
from ratelimits.credits.models import LONGEST_NOTE
from ratelimits.credits.services import LONGEST_GRANT_KEY, MOST_CREDITS


class StrictMoment(serializers.DateTimeField):
    """A JSON string with an ISO date and time; a number is none."""

    def to_internal_value(self, value: Any) -> datetime:
        """Take strings only."""
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        return super().to_internal_value(value)


class Grant(StrictSerializer):
    """Credits for a person."""

    amount = StrictInteger(min_value=1, max_value=MOST_CREDITS, help_text="A credit is a row synced.")
    key = StrictText(
        min_length=1,
        max_length=LONGEST_GRANT_KEY,
        help_text="A name of your own for this grant: sent again with it, it is granted once.",
    )
    note = StrictText(max_length=LONGEST_NOTE, required=False, allow_blank=True, default="", help_text="What for.")
    expires_at = StrictMoment(
        required=False, allow_null=True, default=None, help_text="When what is left of it ends; null: never."
    )


class EntryQuery(CursorQuery):
    """Filters of the ledger."""

    kind = serializers.ChoiceField(EntryKind.choices, required=False)
    task_id = serializers.CharField(max_length=64, required=False)
