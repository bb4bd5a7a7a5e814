"""What the calls on templates take."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.api.requests.sync import LARGEST_ID
from datasync.choices import DomainChoice, Granularity, SubDomain, TemplateState
from datasync.fields import Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.rematch import MOST_AT_ONCE
from datasync.mapping.template import LAST_DATA_ROW, LAST_HEADER_ROW, MOST_HEADER_ROWS
from datasync.mapping.template_file import MOST_TEMPLATE_BYTES
from erp.api.pagination import PagedQuery
from erp.api.serializers import QuerySerializer, StrictBoolean, StrictInteger, StrictSerializer, StrictText

MOST_COLUMNS = 2_000
_NAMES = 64


class TemplateQuery(PagedQuery):
    """Filters of the templates."""

    platform = serializers.CharField(max_length=32, required=False)
    source_platform = serializers.CharField(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    sub_domain = serializers.ChoiceField(SubDomain.choices, required=False)
    granularity = serializers.ChoiceField(Granularity.choices, required=False)
    state = serializers.ChoiceField(TemplateState.choices, required=False)
    variant = serializers.CharField(max_length=_NAMES, required=False)
    search = serializers.CharField(
        max_length=200, required=False, help_text="Part of a variant's name, of a header or of the notes."
    )


class ColumnBody(StrictSerializer):
    """What a template says of one column. Its kind follows from the field."""

    position = StrictInteger(min_value=0, required=False, help_text="Where it is given: the place in the list.")
    header = StrictText(max_length=500, allow_blank=True, trim_whitespace=False)
    field = StrictText(max_length=_NAMES, allow_null=True, allow_blank=True, required=False)
    kind = serializers.ChoiceField([kind.value for kind in Kind], required=False)
    format = StrictText(max_length=100, allow_blank=True, required=False, help_text="Of dates: strptime, or `auto`.")
    required = StrictBoolean(required=False)  # type: ignore[assignment]
    aliases = serializers.ListField(
        child=StrictText(max_length=500, trim_whitespace=False), max_length=100, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A format that is not given follows from the kind; a blank one says nothing else."""
        if attrs.get("format") == "":
            attrs.pop("format")
        return attrs


class TemplateBody(StrictSerializer):
    """A template, whole: the content of a template file."""

    platform = StrictText(max_length=32)
    source_platform = StrictText(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices)
    sub_domain = serializers.ChoiceField(SubDomain.choices, required=False, allow_blank=True)
    granularity = serializers.ChoiceField(Granularity.choices)
    variant = StrictText(max_length=_NAMES, required=False)
    header_row = StrictInteger(min_value=0, max_value=LAST_HEADER_ROW, required=False, help_text="Counted from 0.")
    header_rows = StrictInteger(min_value=1, max_value=MOST_HEADER_ROWS, required=False)
    data_row = StrictInteger(min_value=1, max_value=LAST_DATA_ROW, required=False, allow_null=True)
    sheet = StrictText(max_length=255, required=False, allow_null=True, allow_blank=True)
    number_format = serializers.ChoiceField([one.value for one in NumberFormat], required=False)
    ordinal = StrictBoolean(required=False)
    totals_on_every_line = StrictBoolean(required=False)
    identity = serializers.ListField(child=StrictText(max_length=_NAMES), max_length=50)
    columns = serializers.ListField(child=ColumnBody(), min_length=1, max_length=MOST_COLUMNS)
    notes = StrictText(max_length=10_000, required=False, allow_blank=True)

    def validate_columns(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A position that is given says what the list says."""
        wrong = next((at for at, column in enumerate(value) if column.get("position", at) != at), None)
        if wrong is not None:
            raise serializers.ValidationError(_("The columns have to stand in the order of their positions."))
        return value


class TemplateChanges(TemplateBody):
    """Parts of a template; what is not named stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, partial=True, **kwargs)


class DryRun(StrictSerializer):
    """Whether it is only to be said what would happen."""

    dry_run = StrictBoolean(default=False, help_text="Change nothing; say what would happen.")


class SuggestOptions(StrictSerializer):
    """Suggest a mapping for a file's header."""

    file_id = StrictInteger(min_value=1, max_value=LARGEST_ID)
    publish = StrictBoolean(default=False, help_text="Publish it unchanged; staff only.")


class CompareOptions(StrictSerializer):
    """Compare a template with another, or with a file."""

    template_id = StrictInteger(min_value=1, max_value=LARGEST_ID)
    other_id = StrictInteger(min_value=1, max_value=LARGEST_ID, required=False, help_text="Another template.")
    file_id = StrictInteger(min_value=1, max_value=LARGEST_ID, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one thing to compare with."""
        if ("other_id" in attrs) == ("file_id" in attrs):
            raise serializers.ValidationError({"other_id": _("Name either another template or a file.")})
        return attrs


class ImportOptions(StrictSerializer):
    """A template file."""

    file = serializers.FileField(max_length=255)
    publish = serializers.BooleanField(default=False, help_text="Publish at once; else they become drafts.")
    dry_run = serializers.BooleanField(default=False, help_text="Check it, and say what would be made.")

    def validate_file(self, value: UploadedFile[Any]) -> UploadedFile[Any]:
        """A template is a page or two of text."""
        if value.size is None or value.size > MOST_TEMPLATE_BYTES:
            raise serializers.ValidationError(_("A template file has at most 1 MB."))
        return value


class ExportQuery(QuerySerializer):
    """As what the file comes."""

    format = serializers.ChoiceField(["toml", "json"], default="toml", help_text="`json`: the text in the envelope.")


class RecheckOptions(DryRun):
    """Which of the waiting files look again; nothing: all of them."""

    file_ids = serializers.ListField(
        child=StrictInteger(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_AT_ONCE, required=False
    )
    platform = StrictText(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)

    def validate_file_ids(self, value: list[int]) -> list[int]:
        """Each file once."""
        if len(set(value)) < len(value):
            raise serializers.ValidationError(_("Name each file once."))
        return value
