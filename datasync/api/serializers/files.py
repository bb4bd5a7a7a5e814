"""Files: explicit fields, in the names of the contract. No path of a disk, no row content."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import LastError
from datasync.api.serializers.mapping import SuggestedMapping, TemplateMatch
from datasync.catalog.description import FIELD_NAMES
from datasync.choices import FileState
from datasync.mapping.match import Outcome
from datasync.models import CatalogFile, Shop


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
    status_label = serializers.CharField(source="get_state_display")
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
        outcome = vars(file)["outcome"] if "outcome" in vars(file) else file.match.get("outcome")
        if file.state == FileState.TEMPLATE_UPDATE_REQUIRED or outcome == Outcome.BLOCKED:
            return "update_required"
        return "matched" if file.template_id else "missing"


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
    missing = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    needs_description = serializers.IntegerField()
    errors = NamedReason(many=True)  # type: ignore[assignment]
