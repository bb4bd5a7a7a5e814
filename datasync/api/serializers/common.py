"""Parts that files and tasks share: errors and remarks as they are stored, in the language of the request."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.runs.waiting_words import Happened, Next, WaitsFor
from datasync.runs.words import error_in_words, remark_in_words


class LastError(serializers.Serializer[Any]):
    """Why the last attempt failed, in the language of the request."""

    code = serializers.CharField()
    message = serializers.CharField()
    recovery = serializers.CharField()

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any] | None:  # type: ignore[override]
        """Translate what is stored by code and parameters; an empty document is no error."""
        return error_in_words(instance) if instance else None


class Warned(serializers.Serializer[Any]):
    """A remark that stopped nothing."""

    code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """The remark beside the file that it is of, in the language of the request."""
        return remark_in_words(instance)


class Said(serializers.Serializer[Any]):
    """A code that never changes, its sentence in the language of the request, and the time that it is about."""

    code = serializers.CharField()
    message = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class Waiting(serializers.Serializer[Any]):
    """Why it is not further: what it waits for, what happened last, and what happens next."""

    waits_for = Said(help_text=f"`at`: until when, where that is known. Codes: {', '.join(WaitsFor.values)}.")
    last = Said(help_text=f"Codes: {', '.join(Happened.values)}.")
    next = Said(help_text=f"`at`: when, where that is known. Codes: {', '.join(Next.values)}.")


class RowCounts(serializers.Serializer[Any]):
    """Rows: ``read`` is the sum of all others once a file is finished."""

    read = serializers.IntegerField()
    inserted = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    stale = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    totals = serializers.IntegerField()
    duplicates = serializers.IntegerField()
