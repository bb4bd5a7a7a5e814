"""Templates, what publishing them does, and in what they differ."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import LastError
from datasync.api.serializers.mapping import Contradiction, Differences, SuggestedMapping
from datasync.choices import FileState, TemplateOrigin, TemplateState
from datasync.mapping.compare import VERDICTS
from datasync.mapping.loading import ImportAction
from datasync.mapping.match import Outcome
from datasync.models import HeaderTemplate, TemplateColumn
from erp.api.serializers import ChoiceLabel


class TemplateSummary(serializers.ModelSerializer[HeaderTemplate]):
    """A template as lists show it."""

    name = serializers.CharField(source="__str__")
    platform = serializers.CharField(source="platform_id")
    source_platform = serializers.CharField(source="source_platform_id")
    state = serializers.ChoiceField(TemplateState.choices)
    state_label = ChoiceLabel(TemplateState, source="state")
    origin = serializers.ChoiceField(TemplateOrigin.choices)
    number_format = serializers.CharField(help_text="`dot` (1,203.60) or `comma` (1.203,60).")
    identity = serializers.ListField(child=serializers.CharField())
    column_count = serializers.SerializerMethodField()
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = HeaderTemplate
        fields: tuple[str, ...] = (
            "id",
            "name",
            "platform",
            "source_platform",
            "domain",
            "sub_domain",
            "granularity",
            "variant",
            "version",
            "state",
            "state_label",
            "origin",
            "header_row",
            "number_format",
            "identity",
            "column_count",
            "notes",
            "created_at",
            "created_by",
            "published_at",
        )
        read_only_fields = fields

    def get_column_count(self, row: HeaderTemplate) -> int:
        """How many columns it has: counted along in lists, else those that are at hand."""
        counted = vars(row).get("column_count")
        return len(row.columns.all()) if counted is None else int(counted)

    def get_created_by(self, row: HeaderTemplate) -> str | None:
        """Who made it; null: it came along, or somebody at the command line did."""
        return row.created_by.get_username() if row.created_by else None


class Column(serializers.ModelSerializer[TemplateColumn]):
    """What a template says of one column; ``field`` null: kept with the original row only."""

    field = serializers.SerializerMethodField()
    aliases = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = TemplateColumn
        fields = ("position", "header", "field", "kind", "format", "required", "aliases")
        read_only_fields = fields

    def get_field(self, column: TemplateColumn) -> str | None:
        """The standard field."""
        return column.field or None


class TemplateDetail(TemplateSummary):
    """A template with its columns. Rows are counted from 0."""

    columns = Column(many=True)

    class Meta(TemplateSummary.Meta):
        fields = (
            *TemplateSummary.Meta.fields,
            "header_rows",
            "data_row",
            "sheet",
            "ordinal",
            "totals_on_every_line",
            "columns",
        )
        read_only_fields = fields


class Publication(serializers.Serializer[Any]):
    """What publishing a draft does, or would do."""

    dry_run = serializers.BooleanField()
    template = TemplateSummary()
    archived = TemplateSummary(many=True, help_text="The versions that it replaces.")
    files = serializers.IntegerField(help_text="Files not synced yet that get it.")
    losing = serializers.IntegerField(
        help_text="Files not synced yet that fitted a replaced version, and fit none now."
    )
    deferred = serializers.IntegerField(help_text="Files not synced yet that a worker looks at afterwards.")


class Archival(serializers.Serializer[Any]):
    """What archiving a template does, or would do."""

    dry_run = serializers.BooleanField()
    template = TemplateSummary()
    pending_files = serializers.IntegerField(help_text="Files not synced yet that lose it.")
    rematched = serializers.IntegerField(help_text="Of those: they get another published template that fits.")
    deferred = serializers.IntegerField(help_text="Of those: a worker looks at them afterwards.")
    other_variants = serializers.IntegerField(help_text="Published templates of the family that are left.")


class Suggested(serializers.Serializer[Any]):
    """A mapping for a header that nobody knew, and the template if it was published."""

    file_id = serializers.IntegerField()
    suggested_mapping = SuggestedMapping()
    hindrance = LastError(allow_null=True, help_text="Why it cannot be published as it is.")
    template = TemplateSummary(allow_null=True)


class JudgedContradiction(Contradiction):
    """A column whose values are not what the template says, and why."""

    reason = serializers.CharField()


class ComparedHeaders(Differences):
    """In what a header differs from a template's."""

    contradictions = JudgedContradiction(many=True)


class Change(serializers.Serializer[Any]):
    """Something that two templates state differently: a text, a number, true or false, a list of texts, or nothing."""

    name = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class ColumnChange(serializers.Serializer[Any]):
    """A column of both templates that is read in another way."""

    header = serializers.CharField(allow_blank=True)
    changes = Change(many=True)


class Comparison(serializers.Serializer[Any]):
    """How a template or file, ``after``, differs from the template ``before``."""

    before = serializers.CharField()
    after = serializers.CharField()
    verdict = serializers.ChoiceField(
        sorted(set(VERDICTS.values())), help_text="What a sync under `before` makes of a file with `after`'s header."
    )
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    match_rate = serializers.FloatField(help_text="How much of both headers is shared, 0 to 1.")
    same_values = serializers.BooleanField(
        allow_null=True, help_text="Of two templates: both read the same values from the same cells."
    )
    differences = ComparedHeaders()
    settings = Change(many=True, help_text="Of two templates only.")
    columns = ColumnChange(many=True, help_text="Of two templates only.")


class ImportedTemplate(serializers.Serializer[Any]):
    """What became, or would become, of one template of a file."""

    name = serializers.CharField()
    action = serializers.ChoiceField([action.value for action in ImportAction])
    template = TemplateSummary(
        source="row", allow_null=True, help_text="Null in a dry run, unless there is nothing to do."
    )


class ExportedTemplate(serializers.Serializer[Any]):
    """A template as the text of a file that ``import`` takes."""

    template_id = serializers.IntegerField()
    file_name = serializers.CharField()
    text = serializers.CharField()


class RecheckedFile(serializers.Serializer[Any]):
    """A file that a published template fits now."""

    file_id = serializers.IntegerField()
    name = serializers.CharField()
    template_id = serializers.IntegerField()
    template = serializers.CharField()
    status = serializers.ChoiceField(FileState.choices, source="state")


class Rechecked(serializers.Serializer[Any]):
    """What a second look at the waiting files came to, or would come to."""

    looked_at = serializers.IntegerField()
    pending = serializers.IntegerField(help_text="Got a template and can be synced.")
    needs_description = serializers.IntegerField(help_text="Got a template; something else is open.")
    still_waiting = serializers.IntegerField(help_text="No published template fits.")
    gone = serializers.IntegerField(help_text="No longer where they were.")
    unread = serializers.IntegerField(help_text="Of those still waiting: a template may stand in another place.")
    deferred = serializers.IntegerField(help_text="Left to a worker; in a dry run not looked at.")
    files = RecheckedFile(many=True, help_text="The first hundred that got a template.")
