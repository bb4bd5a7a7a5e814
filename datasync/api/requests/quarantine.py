"""What the calls of the quarantine take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.access import Sight
from datasync.api.requests.sync import LARGEST_ID
from datasync.catalog.selectors import file_by_id
from datasync.choices import DomainChoice, QuarantineState
from datasync.quarantine.export import FORMATS
from datasync.quarantine.notes import LONGEST_NOTE
from datasync.quarantine.selectors import Filters
from datasync.quarantine.values import LONGEST
from datasync.reasons import Reason
from datasync.runs.selectors import task_for
from erp.api.pagination import PagedQuery
from erp.api.serializers import (
    QueryInteger,
    QuerySerializer,
    StrictBoolean,
    StrictInteger,
    StrictSerializer,
    StrictText,
)

MOST_IDS = 1_000
REASONS = [(reason.value, reason.value) for reason in Reason]


class RowQuery(QuerySerializer):
    """Filters of quarantined rows."""

    file_id = QueryInteger(min_value=1, max_value=LARGEST_ID, required=False)
    task_id = serializers.CharField(max_length=64, required=False, help_text="The task that quarantined the rows.")
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    reason = serializers.ChoiceField(REASONS, required=False, help_text="Any of a row's reason codes.")
    state = serializers.ChoiceField(QuarantineState.choices, required=False)
    platform = serializers.CharField(max_length=32, required=False)
    shop = serializers.CharField(max_length=100, required=False, help_text="The platform's id of the shop.")
    search = serializers.CharField(max_length=200, required=False, help_text="Part of a file's name or of a cell.")


class PagedRowQuery(RowQuery, PagedQuery):
    """Filters of quarantined rows, in numbered pages."""


class ListRowQuery(PagedRowQuery):
    """Filters of quarantined rows, in numbered pages or in cursor pages."""

    page = QueryInteger(min_value=1, max_value=1_000_000, required=False, help_text="Counted from 1; 1 by default.")
    cursor = serializers.CharField(
        max_length=2000, required=False, allow_blank=True,
        help_text="Cursor pages instead of numbered ones: blank for the first, then `next_cursor`.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One kind of page."""
        if "cursor" in attrs and "page" in attrs:
            raise serializers.ValidationError({"cursor": _("Give either a page or a cursor.")})
        return super().validate(attrs)


class ExportRowQuery(RowQuery):
    """Which rows to download, and how."""

    format = serializers.ChoiceField(FORMATS, default="xlsx", help_text="csv: rows of files with one header only.")


class RowFilter(StrictSerializer):
    """Rows by what they are; at least one condition."""

    file_id = StrictInteger(min_value=1, max_value=LARGEST_ID, required=False)
    task_id = StrictText(max_length=64, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    reason = serializers.ChoiceField(REASONS, required=False)
    state = serializers.ChoiceField(QuarantineState.choices, required=False)
    platform = StrictText(max_length=32, required=False)
    shop = StrictText(max_length=100, required=False)
    search = StrictText(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing said by mistake must not mean everything."""
        if not attrs:
            raise serializers.ValidationError(_("Name at least one condition."))
        return attrs


class Selection(StrictSerializer):
    """Rows by id, or by what they are."""

    ids = serializers.ListField(
        child=StrictInteger(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_IDS, required=False
    )
    filter = RowFilter(required=False)
    dry_run = StrictBoolean(default=False, help_text="Say what would happen, and change nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two ways."""
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"ids": _("Give either ids or a filter.")})
        return attrs


class ReleaseRows(Selection):
    """Release rows."""

    note = StrictText(max_length=LONGEST_NOTE, default="", allow_blank=True, help_text="Kept in the audit.")


class DiscardRows(Selection):
    """Discard rows."""

    note = StrictText(max_length=LONGEST_NOTE, help_text="Why; it stays with the rows.")


class CorrectRows(Selection):
    """One correction for all rows with the same problem."""

    header = StrictText(max_length=500, help_text="The column as the file names it, or `#3` for the third one.")
    replacement = StrictText(
        max_length=LONGEST, allow_null=True, allow_blank=True, help_text="What the cell should hold; blank: nothing."
    )
    code = serializers.ChoiceField(REASONS, required=False, help_text="Only rows with this reason in the column.")
    value = StrictText(
        max_length=LONGEST, required=False, allow_blank=True, help_text="Only rows whose cell holds this text now."
    )


class CorrectRow(StrictSerializer):
    """What cells of one row should hold."""

    values = serializers.DictField(
        child=StrictText(max_length=LONGEST, allow_null=True, allow_blank=True),
        required=False,
        help_text="By header, or by place (`#3`) where headers are equal; null or blank: a blank cell.",
    )
    confirmed = StrictBoolean(
        default=False, help_text="What only the reader of the file doubted is right as it stands."
    )
    dry_run = StrictBoolean(default=False, help_text="Say what would still be wrong, and change nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something must be said of the row."""
        if not attrs.get("values") and not attrs["confirmed"]:
            raise serializers.ValidationError({"values": _("Give at least one value, or confirm the row.")})
        return attrs


class CorrectionSheet(StrictSerializer):
    """An exported sheet, corrected."""

    file = serializers.FileField(allow_empty_file=True, max_length=255, help_text="xlsx or csv.")
    dry_run = serializers.BooleanField(default=False, help_text="Say what would be taken, and change nothing.")


def filters_of(asked: Mapping[str, Any], *, user: User, ids: list[int] | None = None) -> Filters:
    """What to look for. Raises ``FileNotFound`` and ``TaskNotFound`` for what would otherwise only look empty."""
    sight = Sight.of(user)
    if "file_id" in asked:
        file_by_id(asked["file_id"], sight=sight)
    if "task_id" in asked:
        task_for(user, asked["task_id"], sight=sight)
    plural = {"file_ids": "file_id", "domains": "domain", "reasons": "reason", "states": "state"}
    plural |= {"platforms": "platform", "shops": "shop"}
    named = {name: [asked[one]] for name, one in plural.items() if one in asked}
    return Filters(ids=ids or (), task_id=asked.get("task_id", ""), search=asked.get("search", ""), **named)
