"""What a sync would do: counts, the file's state afterwards, and some rows of each outcome."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import LastError, RowCounts, Warned
from datasync.choices import FileState


class RehearsedRemark(Warned):
    """A remark that would stop nothing."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The remark as it would be stored, in the language of the request."""
        return super().to_representation(instance.document)


class CellReason(serializers.Serializer[Any]):
    """Why a row cannot be trusted; a blank header means the whole row."""

    header = serializers.CharField()
    code = serializers.CharField()
    value = serializers.CharField()


class ValueDifference(serializers.Serializer[Any]):
    """A value that an update changes; a blank field means a column that is kept in the original row only."""

    field = serializers.CharField()
    header = serializers.CharField()
    stored = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class RehearsedRow(serializers.Serializer[Any]):
    """A row that would be loaded; ``sheet_row`` is as the spreadsheet shows it."""

    sheet_row = serializers.IntegerField()
    identity = serializers.DictField(child=serializers.JSONField(allow_null=True))
    values = serializers.DictField(child=serializers.JSONField(allow_null=True), help_text="By standard field.")


class RehearsedUpdate(RehearsedRow):
    """A row that would be overwritten."""

    differences = ValueDifference(many=True)


class RehearsedReject(serializers.Serializer[Any]):
    """A row that would be quarantined; ``cells`` stand in the order of ``headers``."""

    sheet_row = serializers.IntegerField()
    reasons = CellReason(many=True)
    cells = serializers.ListField(child=serializers.CharField(allow_null=True))


class RehearsedSamples(serializers.Serializer[Any]):
    """At most 20 rows of each outcome, the first of the sheet."""

    inserted = RehearsedRow(many=True)
    updated = RehearsedUpdate(many=True)
    unchanged = RehearsedRow(many=True)
    stale = RehearsedRow(many=True)
    quarantined = RehearsedReject(many=True)


class DryRunResult(serializers.Serializer[Any]):
    """What a sync of the file would come to at this moment. With an ``error`` nothing would be loaded."""

    file_id = serializers.IntegerField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(FileState.choices, source="state", help_text="Of the file afterwards.")
    status_label = serializers.CharField(source="state.label")
    error = LastError(allow_null=True)
    rows = RowCounts(source="counts")
    rejected_by_reason = serializers.DictField(child=serializers.IntegerField())
    warnings = RehearsedRemark(many=True)
    template_id = serializers.IntegerField(allow_null=True)
    period_start = serializers.DateField(allow_null=True, help_text="First day that the trusted rows cover.")
    period_end = serializers.DateField(allow_null=True)
    headers = serializers.ListField(child=serializers.CharField(allow_blank=True))
    samples = RehearsedSamples()
