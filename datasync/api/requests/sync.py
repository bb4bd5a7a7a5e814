"""What the calls take: every field with its type, default and limits; anything else is refused."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.choices import DomainChoice, Granularity, SubDomain
from datasync.runs.deadline import LEAST_SECONDS, MOST_SECONDS
from erp.api.serializers import StrictBoolean, StrictInteger, StrictSerializer, StrictText

LARGEST_ID = 2**63 - 1
MOST_FILES = 1000
MOST_UPLOADS = 100
_LONGEST_PERIOD_HOURS = 24 * 366 * 10


def _priority() -> StrictInteger:
    return StrictInteger(min_value=1, max_value=10, default=5, help_text="1 to 10; 10 goes first.")


def deadline_field(*, otherwise: str = "as long as the installation says, usually 1,800") -> StrictInteger:
    return StrictInteger(
        min_value=LEAST_SECONDS,
        max_value=MOST_SECONDS,
        required=False,
        help_text="Seconds from now. Files that no worker has begun by then are left out, as NOT_STARTED, and can be "
        f"retried. Left out: {otherwise}.",
    )


class Flags(StrictSerializer):
    """How the files are treated."""

    only_with_template = StrictBoolean(default=True, help_text="Leave out files that no published template fits.")
    allow_quarantine = StrictBoolean(default=True, help_text="Put bad rows aside; false refuses such a file whole.")


class SingleSync(Flags):
    """Sync one file."""

    file_id = StrictInteger(min_value=1, max_value=LARGEST_ID)
    use_template_header_row = StrictBoolean(default=True, help_text="Else the header row is looked for.")
    priority = _priority()
    deadline_seconds = deadline_field()


class BatchSync(Flags):
    """Sync what is pending, by filter."""

    platform = StrictText(
        max_length=32, default=None, allow_null=True, allow_blank=True, help_text="`*` or nothing: all platforms."
    )
    domains = serializers.ListField(
        child=serializers.ChoiceField(DomainChoice.choices), default=list, max_length=len(DomainChoice)
    )
    granularities = serializers.ListField(
        child=serializers.ChoiceField(Granularity.choices), default=list, max_length=len(Granularity)
    )
    since_hours = StrictInteger(min_value=1, max_value=_LONGEST_PERIOD_HOURS, default=None, allow_null=True)
    limit = StrictInteger(min_value=1, max_value=MOST_FILES, default=100)
    priority = _priority()
    deadline_seconds = deadline_field()

    def validate_platform(self, value: str | None) -> str | None:
        """One word for "all platforms"."""
        return None if value in {"", "*", None} else value


class ChosenSync(Flags):
    """Sync chosen files."""

    file_ids = serializers.ListField(
        child=StrictInteger(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_FILES
    )
    use_template_header_row = StrictBoolean(default=True, help_text="Else the header row is looked for.")
    priority = _priority()
    deadline_seconds = deadline_field()

    def validate_file_ids(self, value: list[int]) -> list[int]:
        """Each file once."""
        if len(set(value)) < len(value):
            raise serializers.ValidationError(_("Name each file once."))
        return value


class EverySync(StrictSerializer):
    """Sync everything pending that has a template."""

    priority = _priority()
    deadline_seconds = deadline_field()


class Retry(StrictSerializer):
    """Sync files of a task once more."""

    only_failed = StrictBoolean(default=True, help_text="False: those that were stopped or not started too.")
    deadline_seconds = deadline_field(otherwise="as long as the task had that is retried")


class PreviewOptions(StrictSerializer):
    """Look into a file."""

    file_id = StrictInteger(min_value=1, max_value=LARGEST_ID)
    header_row = StrictInteger(min_value=0, max_value=100, default=0, help_text="Counted from 0.")


class Uploads(StrictSerializer):
    """Files, and what the uploader knows of them; it holds for all files of the request."""

    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=255), min_length=1, max_length=MOST_UPLOADS
    )
    platform = serializers.CharField(max_length=32, required=False)
    source_platform = serializers.CharField(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    sub_domain = serializers.ChoiceField(SubDomain.choices, required=False)
    granularity = serializers.ChoiceField(Granularity.choices, required=False)
    shop_id = serializers.CharField(max_length=100, required=False)
    account = serializers.CharField(max_length=200, required=False)
    period_start = serializers.DateField(required=False)
    period_end = serializers.DateField(required=False)
    collected_at = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A sub-domain belongs to services only; a period does not end before it begins."""
        if attrs.get("sub_domain") and attrs.get("domain") != DomainChoice.SERVICES:
            raise serializers.ValidationError({"sub_domain": _("Only the domain services has sub-domains.")})
        start, end = attrs.get("period_start"), attrs.get("period_end")
        if start and end and end < start:
            raise serializers.ValidationError({"period_end": _("The period ends before it begins.")})
        return attrs
