"""Archives as the API shows them."""

from __future__ import annotations

from rest_framework import serializers

from datasync.api.serializers.common import LastError
from datasync.choices import ExportState
from datasync.exports.services import download_url
from datasync.models import ExportArchive
from erp.api.serializers import ChoiceLabel


class Export(serializers.ModelSerializer[ExportArchive]):
    """An archive that was asked for, and how far it is; ``person_id`` in the context is who is given its link."""

    status = serializers.ChoiceField(ExportState.choices, source="state")
    status_label = ChoiceLabel(ExportState, source="state")
    files = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    size = serializers.IntegerField(allow_null=True, help_text="In bytes, once it is ready.")
    error = LastError(allow_null=True)
    download_url = serializers.SerializerMethodField()

    class Meta:
        model = ExportArchive
        fields: tuple[str, ...] = (
            "id",
            "what",
            "status",
            "status_label",
            "files",
            "progress",
            "size",
            "error",
            "created_at",
            "finished_at",
            "expires_at",
            "download_url",
        )
        read_only_fields = fields

    def get_files(self, archive: ExportArchive) -> int:
        """How many files were asked for."""
        return len(archive.file_ids)

    def get_progress(self, archive: ExportArchive) -> float:
        """Percent of the files."""
        return round(100 * archive.done_files / max(len(archive.file_ids), 1), 1)

    def get_download_url(self, archive: ExportArchive) -> str | None:
        """A link that needs no sign-in and expires with the archive; null unless it is ready."""
        return download_url(archive, person_id=self.context["person_id"])


class RequestedExport(Export):
    """An archive, and the ids that are no file's."""

    missing_file_ids = serializers.SerializerMethodField()

    class Meta(Export.Meta):
        fields = (*Export.Meta.fields, "missing_file_ids")
        read_only_fields = fields

    def get_missing_file_ids(self, archive: ExportArchive) -> list[int]:  # noqa: ARG002 - DRF's signature
        """They are left out."""
        return list(self.context.get("missing_file_ids", ()))
