"""How the header of a file fits a template, and what its columns may mean."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.mapping.match import Outcome


def _headers(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(allow_blank=True), help_text=help_text)


def _pairs(help_text: str) -> serializers.ListField:
    pair = serializers.ListField(child=serializers.CharField(allow_blank=True), min_length=2, max_length=2)
    return serializers.ListField(child=pair, help_text=help_text)


class Contradiction(serializers.Serializer[Any]):
    """A column whose cells are not what the template says."""

    header = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    examples = serializers.ListField(child=serializers.CharField())


class Differences(serializers.Serializer[Any]):
    """How a header differs from its template."""

    added = _headers("In the file, not in the template.")
    missing = _headers("In the template, not in the file.")
    missing_required = _headers("Missing, and without them the file cannot be synced.")
    renamed = _pairs("Known rewordings: template, file.")
    likely_renamed = _pairs("Worth a look: template, file.")
    moved = _headers("In another place.")
    currency_changes = _pairs("The same but for the currency: template, file.")
    contradictions = Contradiction(many=True)


class TemplateMatch(serializers.Serializer[Any]):
    """The template that fits a header best; ``binding`` gives its column for each position in the file."""

    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    template = serializers.CharField(allow_null=True)
    score = serializers.FloatField()
    binding = serializers.DictField(child=serializers.IntegerField())

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any] | None:  # type: ignore[override]
        """An empty document is no match."""
        return super().to_representation(instance) if instance else None


class SuggestedColumn(serializers.Serializer[Any]):
    """What one column may be, how sure that is, and why."""

    position = serializers.IntegerField()
    header = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    kind = serializers.CharField()
    format = serializers.CharField()
    confidence = serializers.FloatField()
    reason = serializers.CharField()


class SuggestedMapping(serializers.Serializer[Any]):
    """A mapping that waits for a click. ``sure``: what identifies a row is beyond doubt."""

    header_row = serializers.IntegerField()
    sheet = serializers.CharField(allow_null=True)
    domain = serializers.CharField()
    domain_confidence = serializers.FloatField()
    sure = serializers.BooleanField()
    identity = serializers.ListField(child=serializers.CharField())
    ordinal = serializers.BooleanField(help_text="Equal lines are numbered.")
    number_format = serializers.CharField()
    totals_on_every_line = serializers.BooleanField(
        allow_null=True, help_text="Of orders: where an order's totals stand; null where the sample does not show it."
    )
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a person should look at.")
    columns = SuggestedColumn(many=True)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any] | None:  # type: ignore[override]
        """An empty document is no suggestion."""
        return super().to_representation(instance) if instance else None


class Preview(serializers.Serializer[Any]):
    """A look into a file, and how it fits its template. Rows are counted from 0, ``first_row_number`` from 1."""

    file_id = serializers.IntegerField()
    file_name = serializers.CharField()
    format = serializers.CharField()
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    sheet = serializers.CharField()
    sheets = serializers.ListField(child=serializers.CharField())
    header_row = serializers.IntegerField()
    detected_header_row = serializers.IntegerField(allow_null=True)
    headers = _headers("In the order of the columns.")
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_blank=True)), help_text="At most 100."
    )
    first_row_number = serializers.IntegerField(help_text="Of the first of the rows, as the spreadsheet shows it.")
    template_id = serializers.IntegerField(allow_null=True)
    template_match = TemplateMatch(source="match", allow_null=True)
    differences = Differences(allow_null=True)
    suggested_mapping = SuggestedMapping(source="suggestion", allow_null=True)
