"""Tasks: what was accepted, how far it is, what it came to."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import LastError, RowCounts, Waiting, Warned
from datasync.choices import ItemState, TaskKind, TaskState
from datasync.models import SyncProgressTask
from datasync.runs.words import error_in_words, summary
from erp.api.serializers import ChoiceLabel


class Submitted(serializers.ModelSerializer[SyncProgressTask]):
    """A task just accepted. ``fallback``: the broker is away, and the web does what it can until it is back."""

    status = serializers.CharField(source="state")
    processed_files = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()

    class Meta:
        model = SyncProgressTask
        fields: tuple[str, ...] = (
            "task_id",
            "celery_task_id",
            "status",
            "total_files",
            "processed_files",
            "fallback",
            "message",
        )
        read_only_fields = fields

    def get_processed_files(self, task: SyncProgressTask) -> int:
        """Files that are done, in whatever way."""
        return processed_files(task)

    def get_message(self, task: SyncProgressTask) -> str:
        """What there is to say of the task; often nothing."""
        return summary(task)


class NothingPending(serializers.Serializer[Any]):
    """There was nothing to sync: no task."""

    task_id = serializers.CharField(allow_null=True)
    celery_task_id = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    total_files = serializers.IntegerField()
    processed_files = serializers.IntegerField()
    fallback = serializers.BooleanField()
    message = serializers.CharField(allow_blank=True)


class SubmittedByIds(serializers.Serializer[Any]):
    """A task just accepted, and the files that it leaves out."""

    task_id = serializers.CharField()
    celery_task_id = serializers.CharField()
    status = serializers.CharField()
    total_files = serializers.IntegerField()
    processed_files = serializers.IntegerField()
    fallback = serializers.BooleanField()
    message = serializers.CharField()
    missing_file_ids = serializers.ListField(child=serializers.IntegerField())
    busy_file_ids = serializers.ListField(child=serializers.IntegerField())


class TaskSummary(serializers.ModelSerializer[SyncProgressTask]):
    """A task as the history shows it."""

    type = serializers.CharField(source="kind")
    status = serializers.CharField(source="state")
    status_label = ChoiceLabel(TaskState, source="state")
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    message = serializers.SerializerMethodField()
    processed_files = serializers.SerializerMethodField()

    class Meta:
        model = SyncProgressTask
        fields = (
            "task_id",
            "celery_task_id",
            "type",
            "status",
            "status_label",
            "owner",
            "priority",
            "total_files",
            "processed_files",
            "succeeded_files",
            "failed_files",
            "skipped_files",
            "rows_read",
            "rows_inserted",
            "rows_updated",
            "rows_unchanged",
            "rows_stale",
            "rows_quarantined",
            "rows_per_second",
            "message",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_processed_files(self, task: SyncProgressTask) -> int:
        """Files that are done, in whatever way."""
        return processed_files(task)

    def get_message(self, task: SyncProgressTask) -> str:
        """What there is to say of the task; often nothing."""
        return summary(task)


class FileCounts(serializers.Serializer[Any]):
    """Files of a task."""

    total = serializers.IntegerField()
    processed = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()


class CurrentFile(serializers.Serializer[Any]):
    """A file that a worker is reading at this moment."""

    file_id = serializers.IntegerField()
    file = serializers.CharField()
    rows_read = serializers.IntegerField()
    rows_expected = serializers.IntegerField(allow_null=True)


class FileError(LastError):
    """Why one file of a task failed."""

    file_id = serializers.IntegerField()
    file = serializers.CharField()

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """The translated error beside the file that it is of."""
        return {"file_id": instance["file_id"], "file": instance["file"]} | error_in_words(instance)


class FileResult(serializers.Serializer[Any]):
    """What came of one file of a task."""

    file_id = serializers.IntegerField()
    file = serializers.CharField()
    status = serializers.ChoiceField(ItemState.choices)
    attempt = serializers.IntegerField()
    rows = RowCounts()
    error = LastError(allow_null=True)
    warnings = Warned(many=True)
    waiting = Waiting()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)


class LiveProgress(serializers.Serializer[Any]):
    """How far a task is, without its files."""

    task_id = serializers.CharField()
    celery_task_id = serializers.CharField()
    type = serializers.ChoiceField(TaskKind.choices, source="kind")
    status = serializers.ChoiceField(TaskState.choices)
    message = serializers.CharField()
    priority = serializers.IntegerField()
    files = FileCounts()
    rows = RowCounts()
    current_file = serializers.CharField(allow_null=True)
    current_files = CurrentFile(many=True)
    file_progress = serializers.FloatField(help_text="Per cent of the files that are done.")
    row_progress = serializers.FloatField(help_text="Per cent of the rows, as far as their number is known.")
    rows_per_second = serializers.FloatField(allow_null=True)
    eta_seconds = serializers.FloatField(allow_null=True)
    errors = FileError(many=True)  # type: ignore[assignment]
    warnings = Warned(many=True)
    quality_check = serializers.DictField()
    waiting = Waiting()
    created_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField(
        allow_null=True, help_text="Files that no worker has begun by then are left out; they can be retried."
    )
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class Progress(LiveProgress):
    """How far a task is, with a page of its files."""

    results = FileResult(many=True)


class Advance(serializers.Serializer[Any]):
    """Progress in two numbers, per cent."""

    file_progress = serializers.FloatField()
    row_progress = serializers.FloatField()


class TaskResult(serializers.Serializer[Any]):
    """What a finished task came to."""

    task_id = serializers.CharField()
    status = serializers.ChoiceField(TaskState.choices)
    files = FileCounts()
    rows = RowCounts()


class CeleryStatus(serializers.Serializer[Any]):
    """A task in Celery's words. ``successful`` is null until it is ready."""

    state = serializers.ChoiceField(["PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"])
    ready = serializers.BooleanField()
    successful = serializers.BooleanField(allow_null=True)
    result = TaskResult(allow_null=True)
    error = serializers.CharField(allow_null=True)
    progress = Advance()


def processed_files(task: SyncProgressTask) -> int:
    """Files of a task that are done, in whatever way."""
    return task.succeeded_files + task.failed_files + task.skipped_files
