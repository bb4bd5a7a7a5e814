"""A remap as it was started, or as it would go."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import LastError
from datasync.runs.remap.preview import RemapPreview


class RemapDifference(serializers.Serializer[Any]):
    """A value that would change."""

    field = serializers.CharField()
    header = serializers.CharField()
    stored = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class RemapSample(serializers.Serializer[Any]):
    """A stored row that would change, by its row in the file that wrote it last."""

    sheet_row = serializers.IntegerField()
    identity = serializers.DictField()
    differences = RemapDifference(many=True)


class FileLeftOut(serializers.Serializer[Any]):
    """A file whose rows the template cannot type."""

    file_id = serializers.IntegerField()
    file = serializers.CharField()
    error = LastError()


class PreviewOfRemap(serializers.Serializer[RemapPreview]):
    """What a remap would do. ``files`` and ``rows`` are all that is concerned, the rest is of ``rows_sampled``."""

    template_id = serializers.IntegerField()
    template = serializers.CharField()
    files = serializers.IntegerField()
    rows = serializers.IntegerField()
    busy_file_ids = serializers.ListField(child=serializers.IntegerField())
    rows_sampled = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    merged = serializers.IntegerField(help_text="Rows that become one with another row.")
    quarantined = serializers.IntegerField(help_text="Rows kept as they are, and shown in quarantine.")
    quarantined_by_reason = serializers.DictField(child=serializers.IntegerField())
    refused_files = FileLeftOut(many=True)
    samples = RemapSample(many=True)


class Remap(serializers.Serializer[Any]):
    """The task, or with ``dry_run`` the preview."""

    task_id = serializers.CharField(allow_null=True)
    celery_task_id = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    total_files = serializers.IntegerField()
    processed_files = serializers.IntegerField()
    fallback = serializers.BooleanField()
    message = serializers.CharField()
    busy_file_ids = serializers.ListField(child=serializers.IntegerField())
    preview = PreviewOfRemap(allow_null=True)
