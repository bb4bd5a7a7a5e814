"""Parts that files and tasks share: errors and remarks as they are stored, in the language of the request."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from datasync.exceptions import error_classes
from erp.api.errors import message_of


class TranslatedText(serializers.CharField):
    """A sentence that was stored in English."""

    def to_representation(self, value: str) -> str:
        """The sentence in the language of the request."""
        return gettext(value) if value else ""


class LastError(serializers.Serializer[Any]):
    """Why the last attempt failed, in the language of the request."""

    code = serializers.CharField()
    message = serializers.CharField()
    recovery = serializers.CharField()

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any] | None:  # type: ignore[override]
        """Translate what is stored by code and parameters; an empty document is no error."""
        return translated_error(instance) if instance else None


class Warned(serializers.Serializer[Any]):
    """A remark that stopped nothing."""

    code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """The remark as stored, its text in the language of the request."""
        return instance | {"message": gettext(instance["message"])} if instance.get("message") else instance


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


def translated_error(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored error in the active language; its English text where its code or parameters no longer fit."""
    code, message = stored.get("code", ""), stored.get("message", "")
    cls = error_classes().get(code)
    if cls is not None:
        with suppress(KeyError, TypeError, ValueError):
            message = message_of(cls(**stored.get("params", {})))
    return {"code": code, "message": message, "recovery": gettext(stored.get("recovery", ""))}
