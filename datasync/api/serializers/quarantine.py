"""Quarantined rows, what people did about them, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from datasync.access import Sight, may_see
from datasync.choices import QuarantineState
from datasync.exceptions import SyncError
from datasync.models import AuditEntry, QuarantinedRow
from datasync.quarantine import enter, values
from datasync.quarantine.selectors import changes_of, history
from datasync.quarantine.sheet import OUTCOMES
from erp.api.errors import message_of


def _counts(title: str, names: Iterable[str]) -> type[serializers.Serializer[Any]]:
    """A serializer of a number for each name."""
    return type(title, (serializers.Serializer,), {name: serializers.IntegerField(default=0) for name in names})


class Trouble(serializers.Serializer[Any]):
    """An expected error, in the language of the request."""

    code = serializers.CharField()
    message = serializers.CharField()
    recovery = serializers.CharField()

    def to_representation(self, instance: SyncError) -> dict[str, Any]:
        """The error in words."""
        return {"code": instance.code, "message": message_of(instance), "recovery": gettext(instance.recovery)}


class RowReason(serializers.Serializer[Any]):
    """Why a row is not trusted; a blank header means the row as a whole."""

    header = serializers.CharField()
    code = serializers.CharField()
    value = serializers.CharField()


class RowSummary(serializers.Serializer[QuarantinedRow]):
    """A quarantined row in a list."""

    id = serializers.IntegerField()
    file_id = serializers.IntegerField()
    file = serializers.CharField(source="file.original_name")
    task_id = serializers.SerializerMethodField(help_text="Null where the task is somebody else's.")
    platform = serializers.CharField(source="file.platform_id", allow_null=True)
    shop_id = serializers.CharField(source="file.shop.shop_id", default=None, allow_null=True)
    domain = serializers.CharField()
    sheet_row = serializers.IntegerField(help_text="As the spreadsheet shows it.")
    state = serializers.ChoiceField(QuarantineState.choices)
    reasons = RowReason(many=True)
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)

    def get_task_id(self, row: QuarantinedRow) -> str | None:
        """The task that quarantined the row, for those who may see it; the context names the ``user``."""
        task, user = row.item.task if row.item else None, self.context["user"]
        return task.task_id if task is not None and may_see(user, task, sight=Sight.of(user)) else None


class Cell(serializers.Serializer[Any]):
    """One cell. ``column`` names it where headers are equal."""

    column = serializers.CharField(help_text="Its place, such as `#3`.")
    header = serializers.CharField()
    value = serializers.CharField(allow_null=True, help_text="As it stood in the file.")
    is_corrected = serializers.BooleanField()
    corrected = serializers.CharField(allow_null=True, help_text="What it should hold.")


class Act(serializers.Serializer[AuditEntry]):
    """What a person did about the row."""

    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_name", help_text="Blank: the command line.")
    action = serializers.CharField()
    note = serializers.CharField()
    changes = serializers.ListField(child=serializers.DictField(), help_text="Cells before and after.")

    def to_representation(self, instance: AuditEntry) -> dict[str, Any]:
        """The entry, with the changes of this row alone."""
        shown = ("at", "actor_name", "action", "note")
        at, actor, action, note = (getattr(instance, name) for name in shown)
        changes = changes_of(instance, self.context["sheet_row"])
        return {"at": at, "actor": actor, "action": action, "note": note, "changes": changes}


class RowDetail(RowSummary):
    """A quarantined row with its cells and its history."""

    template_id = serializers.IntegerField(allow_null=True)
    cells = serializers.SerializerMethodField()
    record_key = serializers.UUIDField(allow_null=True, help_text="The fact that a released row became.")
    outcome = serializers.CharField(help_text="What the loader did with a released row.")
    note = serializers.CharField()
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    history = serializers.SerializerMethodField()

    def get_cells(self, row: QuarantinedRow) -> list[dict[str, Any]]:
        """Every cell under its header."""
        given = values.corrections(row)
        return [
            {
                "column": f"#{position + 1}",
                "header": header,
                "value": value,
                "is_corrected": position in given,
                "corrected": given.get(position),
            }
            for position, (header, value) in enumerate(zip(row.header_set.headers, values.original(row), strict=True))
        ]

    def get_history(self, row: QuarantinedRow) -> list[dict[str, Any]]:
        """Newest first, a hundred at most."""
        entries: Any = history(row)
        return list(Act(entries, many=True, context={"sheet_row": row.sheet_row}).data)


class CorrectedRow(serializers.Serializer[Any]):
    """A row after a correction."""

    row = RowDetail()
    changed = serializers.IntegerField(help_text="Cells that the correction changed.")
    reasons = RowReason(many=True, help_text="What is still wrong with it; empty: it can be released.")
    hindrance = Trouble(allow_null=True, help_text="Why it cannot be said what is wrong.")


class RefusedFile(serializers.Serializer[Any]):
    """A file whose rows could not be worked on."""

    file_id = serializers.IntegerField()
    error = Trouble()


class Reached(serializers.Serializer[Any]):
    """Which rows were not reached."""

    dry_run = serializers.BooleanField()
    already_decided = serializers.IntegerField()
    missing_ids = serializers.ListField(child=serializers.IntegerField())
    busy_file_ids = serializers.ListField(child=serializers.IntegerField())
    refused_files = RefusedFile(many=True)


class KeptRow(serializers.Serializer[Any]):
    """A row that stays in quarantine, with its reasons of today."""

    id = serializers.IntegerField()
    file_id = serializers.IntegerField()
    sheet_row = serializers.IntegerField()
    reasons = RowReason(many=True)


class ReleasedRows(Reached):
    """What became of rows that were to be released."""

    released = serializers.IntegerField()
    outcomes = _counts("ReleaseOutcomes", enter.OUTCOMES)()
    rejected = serializers.IntegerField(help_text="Rows that are still not trusted.")
    kept = KeptRow(many=True, help_text="The first thousand of them.")


class DiscardedRows(Reached):
    """What became of rows that were to be discarded."""

    discarded = serializers.IntegerField()


class CorrectedRows(Reached):
    """What one correction of many rows did."""

    corrected = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Rows without the column, the reason or the value.")


class ImportedRow(serializers.Serializer[Any]):
    """What became of one row of the sheet."""

    sheet = serializers.CharField()
    row = serializers.IntegerField(help_text="In the sheet, as the spreadsheet shows it.")
    id = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField(help_text="One of the names in `counts`.")
    columns = serializers.ListField(child=serializers.CharField(), help_text="The columns that were corrected.")


class ImportedSheet(serializers.Serializer[Any]):
    """What became of a sheet that came back."""

    dry_run = serializers.BooleanField()
    counts = _counts("ImportOutcomes", OUTCOMES)()
    refused = serializers.IntegerField(help_text="Rows that keep the sheet from being taken; 0 once it was taken.")
    rows = ImportedRow(
        many=True, help_text="The first thousand that are not simply unchanged; refused ones come first."
    )
    ignored_sheets = serializers.ListField(child=serializers.CharField())
    unknown_columns = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class ShopFigure(serializers.Serializer[Any]):
    """Rows of one shop."""

    platform = serializers.CharField(allow_null=True)
    shop_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    rows = serializers.IntegerField()


class FileFigure(serializers.Serializer[Any]):
    """Rows of one file."""

    file_id = serializers.IntegerField()
    file = serializers.CharField()
    rows = serializers.IntegerField()


class QuarantineFigures(serializers.Serializer[Any]):
    """How many rows stand in quarantine."""

    total = serializers.IntegerField()
    oldest = serializers.DateTimeField(allow_null=True, help_text="Since when the oldest undecided row waits.")
    states = serializers.DictField(child=serializers.IntegerField())
    domains = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.IntegerField(), help_text="A row counts once for each reason.")
    platforms = serializers.DictField(child=serializers.IntegerField())
    shops = ShopFigure(many=True)
    files = FileFigure(many=True, help_text="The twenty with the most rows.")


class QuarantineFile(FileFigure):
    """A file with rows in quarantine."""

    file_state = serializers.CharField()
    oldest = serializers.DateTimeField()
    states = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.IntegerField())
