"""What became of a task that was cancelled, and the task that a retry made."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.tasks import Submitted
from datasync.choices import TaskState
from datasync.models import SyncProgressTask


class FilesOfTask(serializers.Serializer[Any]):
    """How many files, and the first thousand of them."""

    files = serializers.IntegerField()
    file_ids = serializers.ListField(child=serializers.IntegerField())


class Cancelled(serializers.Serializer[Any]):
    """A cancelled task as it stands. ``status`` is ``cancelling`` until the last file in hand has stopped."""

    task_id = serializers.CharField(source="task.task_id")
    celery_task_id = serializers.CharField(source="task.celery_task_id")
    status = serializers.ChoiceField(TaskState.choices, source="task.state")
    stopped = FilesOfTask(help_text="Nothing of these is written; they are as before the task.")
    finished = FilesOfTask(help_text="These had ended before, synced or not, and stay so.")
    stopping = FilesOfTask(help_text="These are in hand, and stop within seconds unless they are done before.")


class Retried(Submitted):
    """The task that a retry made, the task that it is a retry of, and the files that it leaves out.

    The context has ``busy_file_ids``.
    """

    retry_of = serializers.CharField(source="parent.task_id")
    busy_file_ids = serializers.SerializerMethodField(
        help_text="Files that were in other tasks when the retry was made; it does not sync them."
    )

    class Meta(Submitted.Meta):
        fields = (*Submitted.Meta.fields, "retry_of", "busy_file_ids")
        read_only_fields = fields

    def get_busy_file_ids(self, _task: SyncProgressTask) -> list[int]:
        """What the service said beside the task."""
        return list(self.context["busy_file_ids"])
