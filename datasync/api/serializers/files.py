"""Files: explicit fields, in the names of the contract. No path of a disk, no row content."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from datasync.api.serializers.common import LastError
from datasync.api.serializers.mapping import SuggestedMapping, TemplateMatch
from datasync.catalog.description import FIELD_NAMES
from datasync.catalog.selectors import template_status
from datasync.choices import FileState
from datasync.models import CatalogFile, Shop
from erp.api.serializers import ChoiceLabel


class ShopBrief(serializers.ModelSerializer[Shop]):
    """Whose file it is."""

    class Meta:
        model = Shop
        fields = ("shop_id", "name", "region", "currency")
        read_only_fields = fields


class FileSummary(serializers.ModelSerializer[CatalogFile]):
    """A file as lists show it."""

    platform = serializers.CharField(source="platform_id", allow_null=True)
    source_platform = serializers.CharField(source="source_platform_id", allow_null=True)
    shop = ShopBrief(allow_null=True)
    status = serializers.ChoiceField(FileState.choices, source="state")
    status_label = ChoiceLabel(FileState, source="state")
    template = serializers.SerializerMethodField()
    template_status = serializers.SerializerMethodField()
    rows = serializers.DictField(child=serializers.IntegerField(), help_text="Counts of the last sync.")
    last_error = LastError(allow_null=True)

    class Meta:
        model = CatalogFile
        fields: tuple[str, ...] = (
            "id",
            "original_name",
            "storage_name",
            "size",
            "sha256",
            "format",
            "platform",
            "source_platform",
            "shop",
            "account",
            "domain",
            "sub_domain",
            "granularity",
            "period_start",
            "period_end",
            "collected_at",
            "template",
            "template_status",
            "status",
            "status_label",
            "rows",
            "last_error",
            "first_seen_at",
            "modified_at",
            "synced_at",
        )
        read_only_fields = fields

    def get_template(self, file: CatalogFile) -> str | None:
        """The template's name, such as ``shopee/shopee/orders/daily v2``."""
        return str(file.template) if file.template_id else None

    def get_template_status(self, file: CatalogFile) -> str:
        """``matched``, ``missing`` or ``update_required``."""
        return template_status(file)


class FileDetail(FileSummary):
    """A file with everything that is known of it, except its rows."""

    header = serializers.ListField(child=serializers.CharField(allow_blank=True))
    description_sources = serializers.SerializerMethodField()
    template_match = TemplateMatch(source="match", allow_null=True)
    suggested_mapping = SuggestedMapping(source="suggestion", allow_null=True)

    class Meta(FileSummary.Meta):
        fields = (
            *FileSummary.Meta.fields,
            "encoding",
            "sheet",
            "header_row",
            "header",
            "template_match",
            "suggested_mapping",
            "description_sources",
            "profiled_rows",
        )
        read_only_fields = fields

    def get_description_sources(self, file: CatalogFile) -> dict[str, str]:
        """Who said so, by field."""
        return {name: source for name, source in file.description_sources.items() if name in FIELD_NAMES}


class StoredRowsHint(serializers.Serializer[Any]):
    """Rows that a sync of the file under its old description left."""

    rows = serializers.IntegerField()
    delete_impact = serializers.CharField(help_text="Where to see which rows these are.")


class DescribedFile(FileDetail):
    """A file whose description was corrected. Rows stored under the old one stay there until it is synced again."""

    stored_rows = serializers.SerializerMethodField()

    class Meta(FileDetail.Meta):
        fields = (*FileDetail.Meta.fields, "stored_rows")
        read_only_fields = fields

    @extend_schema_field(StoredRowsHint(allow_null=True))
    def get_stored_rows(self, file: CatalogFile) -> dict[str, Any] | None:
        """How many there are, and where to look; null when there are none."""
        rows = self.context.get("stored_rows", 0)
        return {"rows": rows, "delete_impact": reverse("file-delete-impact", args=(file.pk,))} if rows else None


class ColumnProfile(serializers.Serializer[Any]):
    """What one column holds, in the rows that were looked at."""

    header = serializers.CharField(allow_blank=True)
    type = serializers.ChoiceField(["empty", "integer", "decimal", "percent", "datetime", "date", "text"])
    empty = serializers.FloatField(help_text="Percent of the rows.")
    distinct = serializers.IntegerField()
    min = serializers.JSONField(allow_null=True, help_text="Smallest number, first date or text.")
    max = serializers.JSONField(allow_null=True)
    examples = serializers.ListField(child=serializers.CharField(), help_text="At most 5.")


class FileProfile(serializers.Serializer[CatalogFile]):
    """What the columns of a file hold. Types are described, not decided: a sync types cells by the template."""

    file_id = serializers.IntegerField(source="pk")
    file_name = serializers.CharField(source="original_name")
    header_row = serializers.IntegerField(allow_null=True, help_text="Counted from 0.")
    profiled_rows = serializers.IntegerField()
    columns = ColumnProfile(source="profile", many=True)


class UploadedFile(serializers.Serializer[Any]):
    """What became of one uploaded file: a catalogue entry or an error."""

    name = serializers.CharField()
    file = FileDetail(allow_null=True)
    error = LastError(allow_null=True)


class NamedReason(serializers.Serializer[Any]):
    """Why something in a folder was left out."""

    name = serializers.CharField()
    reason = serializers.CharField()


class Refreshed(serializers.Serializer[Any]):
    """Files by what became of them in a scan."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    renamed = serializers.IntegerField()
    returned = serializers.IntegerField(help_text="Missing before, there again.")
    duplicates = serializers.IntegerField()
    growing = serializers.IntegerField(help_text="Still being written; the next scan takes them.")
    busy = serializers.IntegerField(help_text="Being synced at this moment.")
    deleted = serializers.IntegerField(help_text="Deleted by a person, and left alone.")
    missing = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    needs_description = serializers.IntegerField()
    errors = NamedReason(many=True)  # type: ignore[assignment]
