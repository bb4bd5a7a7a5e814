"""What hangs on files, and what became of those that were to be deleted."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.catalog.deletion import Deletion
from datasync.catalog.impact import Impact
from datasync.choices import RowsFate


class StoredRows(serializers.Serializer[Any]):
    """Rows of one domain and shop that the file wrote last."""

    in_sight = serializers.BooleanField(
        help_text="False: the rows of all shops that are kept from you, together; their number is all that is told."
    )
    domain = serializers.CharField()
    platform = serializers.CharField()
    shop_id = serializers.CharField(help_text="The platform's id of the shop; blank where there is none.")
    shop_name = serializers.CharField()
    granularity = serializers.CharField()
    period_start = serializers.DateField(allow_null=True)
    period_end = serializers.DateField(allow_null=True)
    rows = serializers.IntegerField()
    rows_of_older_exports = serializers.IntegerField(source="older")


class HandedOver(serializers.Serializer[Any]):
    """Rows that would become those of a newer export, which confirmed them."""

    file_id = serializers.IntegerField(
        source="told_id", allow_null=True, help_text="Null: an export that is kept from you; its name is blank."
    )
    file_name = serializers.CharField()
    rows = serializers.IntegerField()


class QuarantinedCounts(serializers.Serializer[Any]):
    """The file's quarantined rows."""

    undecided = serializers.IntegerField()
    decided = serializers.IntegerField(help_text="Released or discarded.")


class DeleteImpact(serializers.Serializer[Impact]):
    """What hangs on a file."""

    file_id = serializers.IntegerField(source="file.pk")
    file_name = serializers.CharField(source="file.original_name")
    status = serializers.CharField(source="file.state")
    rows = serializers.IntegerField(help_text="Rows whose last writer is this file.")
    handed_over = serializers.IntegerField(
        help_text="Of them, rows that a newer export confirmed: they do not go, they become that export's."
    )
    handed_over_to = HandedOver(source="heirs", many=True)
    rows_of_older_exports = serializers.IntegerField(
        help_text="Of them, rows that an older export had before; its values do not come back by themselves."
    )
    by_scope = StoredRows(source="stored", many=True)
    quarantined = QuarantinedCounts(source="*")
    confirmations = serializers.IntegerField(help_text="Rows of other exports that this file repeated unchanged.")
    removes_bytes = serializers.BooleanField(help_text="An upload's bytes go; a file in a scanned folder stays there.")


class BatchImpact(serializers.Serializer[Any]):
    """What hangs on several files."""

    files = DeleteImpact(many=True)
    missing_file_ids = serializers.ListField(child=serializers.IntegerField())
    rows = serializers.IntegerField(help_text="Of all files together.")
    handed_over = serializers.IntegerField(help_text="Of them, to exports that are none of these files.")
    rows_of_older_exports = serializers.IntegerField()


class DeletedFiles(serializers.Serializer[Deletion]):
    """What became of files that were to be deleted."""

    files = serializers.SerializerMethodField()
    missing_file_ids = serializers.ListField(child=serializers.IntegerField())
    busy_file_ids = serializers.ListField(child=serializers.IntegerField())
    rows = serializers.ChoiceField(RowsFate.choices)
    dry_run = serializers.BooleanField()
    finished = serializers.BooleanField(help_text="False: the rows are removed in the background.")
    removed_rows = serializers.IntegerField(help_text="Removed by now; of a dry run: that would be.")
    handed_over_rows = serializers.IntegerField(
        help_text="Rows that newer exports confirmed, and that are theirs now; of a dry run: that would be."
    )

    def get_files(self, deletion: Deletion) -> list[int]:
        """The ids of the files that are deleted."""
        return [impact.file.pk for impact in deletion.impacts]


def batch_impact(impacts: list[Impact], missing: tuple[int, ...]) -> dict[str, Any]:
    """The answer for several files."""
    return {
        "files": impacts,
        "missing_file_ids": missing,
        "rows": sum(impact.rows for impact in impacts),
        "handed_over": sum(impact.handed_over for impact in impacts),
        "rows_of_older_exports": sum(impact.rows_of_older_exports for impact in impacts),
    }
