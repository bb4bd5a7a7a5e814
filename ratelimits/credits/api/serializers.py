"""What the calls answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ratelimits.credits.choices import EntryKind
from ratelimits.credits.models import CreditEntry


class CreditEnd(serializers.Serializer[Any]):
    """Credits that end, and when."""

    amount = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class CreditBalance(serializers.Serializer[Any]):
    """What a person may still have synced: a row a credit."""

    balance = serializers.IntegerField(help_text="Without what has ended.")
    required = serializers.BooleanField(help_text="Whether a submit without credits is refused.")  # type: ignore[assignment]
    ends = CreditEnd(many=True, help_text="The next 20, soonest first.")


class CreditLine(serializers.ModelSerializer[CreditEntry]):
    """One line of the ledger; it never changes.

    ``tasks`` of the context are the ids that may be told; where it is not given, none are kept back.
    """

    kind = serializers.ChoiceField(EntryKind.choices)
    amount = serializers.IntegerField(help_text="Negative where it takes.")
    uncovered = serializers.IntegerField(help_text="Rows synced beyond the balance; nobody owes them.")
    balance_after = serializers.IntegerField()
    key = serializers.SerializerMethodField()
    task_id = serializers.SerializerMethodField()
    by = serializers.CharField(help_text="Who granted.")
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When these credits end; of those that were used or given back, the last."
    )

    class Meta:
        model = CreditEntry
        fields = (
            "id", "at", "kind", "amount", "uncovered", "balance_after", "key", "task_id", "note", "by", "expires_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_key(self, entry: CreditEntry) -> str | None:
        """What it is for; null where that is a task out of sight."""
        return entry.key if self._is_told(entry) else None

    def get_task_id(self, entry: CreditEntry) -> str | None:
        """The task that it is about, if that is in sight."""
        return (entry.task or None) if self._is_told(entry) else None

    def _is_told(self, entry: CreditEntry) -> bool:
        return not entry.task or entry.task in self.context.get("tasks", {entry.task})
