"""What the calls about files take, beside uploads."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.api.requests.sync import LARGEST_ID, MOST_FILES
from datasync.choices import DomainChoice, Granularity, RowsFate, SubDomain
from erp.api.serializers import QueryFlag, QuerySerializer, StrictBoolean, StrictInteger, StrictSerializer, StrictText


def _text(most: int, help_text: str = "") -> StrictText:
    return StrictText(max_length=most, required=False, allow_blank=True, allow_null=True, help_text=help_text)


def _choice(choices: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices, required=False, allow_blank=True, allow_null=True)


class _Day(serializers.DateField):
    """A day; null or an empty text clears the field."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take an empty text for null."""
        return super().run_validation(None if data == "" else data)


class _Moment(serializers.DateTimeField):
    """A moment; null or an empty text clears the field."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take an empty text for null."""
        return super().run_validation(None if data == "" else data)


_MAY_BE_NULL = ("period_start", "period_end", "collected_at")


class DescribeFile(StrictSerializer):
    """Correct what is known of a file. Only the fields that are named change; null or an empty text clears one."""

    platform = _text(32)
    source_platform = _text(32, "Who exported it: an ERP, or the platform itself.")
    shop_id = _text(100, "The platform's id of the shop.")
    domain = _choice(DomainChoice.choices)
    sub_domain = _choice(SubDomain.choices)
    granularity = _choice(Granularity.choices)
    account = _text(200)
    period_start = _Day(required=False, allow_null=True)
    period_end = _Day(required=False, allow_null=True)
    collected_at = _Moment(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be said."""
        if not attrs:
            raise serializers.ValidationError(_("Name at least one field to correct."))
        return {name: "" if value is None and name not in _MAY_BE_NULL else value for name, value in attrs.items()}


class DeleteQuery(QuerySerializer):
    """How to delete a file."""

    rows = serializers.ChoiceField(
        RowsFate.choices, default=RowsFate.KEEP.value, help_text="What becomes of the rows that the file wrote last."
    )
    dry_run = QueryFlag(default=False, help_text="Only say what would happen.")


class ChosenFiles(StrictSerializer):
    """Files by id."""

    file_ids = serializers.ListField(
        child=StrictInteger(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_FILES
    )

    def validate_file_ids(self, value: list[int]) -> list[int]:
        """Each file once."""
        if len(set(value)) < len(value):
            raise serializers.ValidationError(_("Name each file once."))
        return value


class DeleteFiles(ChosenFiles):
    """Delete files."""

    rows = serializers.ChoiceField(
        RowsFate.choices, default=RowsFate.KEEP.value, help_text="What becomes of the rows that the files wrote last."
    )
    dry_run = StrictBoolean(default=False, help_text="Only say what would happen.")
