"""Where rows went, and where too many were lost."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.api.serializers.common import RowCounts
from datasync.choices import DomainChoice
from datasync.quality.alerts import Subject


class Quarantine(serializers.Serializer[Any]):
    """The quarantined rows: open and corrected ones can still become data.

    ``judged_again`` were replaced by a later sync of their file, or went with it: of a last sync there are none.
    """

    open = serializers.IntegerField()
    corrected = serializers.IntegerField()
    discarded = serializers.IntegerField()
    judged_again = serializers.IntegerField()


class RowFlow(serializers.Serializer[Any]):
    """Where the rows are now: ``read`` is the sum of the other counts, ``lost`` is what did not become data."""

    files = serializers.IntegerField()
    rows = RowCounts()
    quarantine = Quarantine()
    released = serializers.IntegerField(help_text="Once quarantined, counted in `rows` as what they became.")
    balanced = serializers.BooleanField()
    lost = serializers.IntegerField()
    lost_percent = serializers.FloatField(help_text="Of the rows read.")
    undecided = serializers.IntegerField()
    undecided_percent = serializers.FloatField(help_text="Of the rows read.")


class FlowPart(RowFlow):
    """The rows of one file, or of one domain where no file is named."""

    file_id = serializers.IntegerField(allow_null=True)
    file = serializers.CharField(allow_null=True)
    domain = serializers.ChoiceField(DomainChoice.choices, allow_blank=True)


class LossAnalysis(serializers.Serializer[Any]):
    """The rows of what was asked for, whole and in parts."""

    flow = RowFlow()
    parts = FlowPart(many=True)


class LossAlert(RowFlow):
    """One task, file or domain that lost more than the threshold."""

    subject = serializers.ChoiceField([subject.value for subject in Subject])
    task_id = serializers.CharField(allow_null=True)
    file_id = serializers.IntegerField(allow_null=True)
    file = serializers.CharField(allow_null=True)
    domain = serializers.CharField(allow_null=True)
    synced_at = serializers.DateTimeField(allow_null=True)
    recovery_suggestion = serializers.CharField()


class AboveThreshold(serializers.Serializer[Any]):
    """How many lost more than the threshold."""

    task = serializers.IntegerField()
    file = serializers.IntegerField()
    domain = serializers.IntegerField()


class LossAlerts(serializers.Serializer[Any]):
    """What lost more than the threshold: how many of each kind, and a page of the kind asked for."""

    threshold = serializers.FloatField()
    above = AboveThreshold()
    alerts = LossAlert(many=True)
