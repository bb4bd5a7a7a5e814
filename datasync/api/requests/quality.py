"""What the calls about lost rows take."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.api.requests.sync import LARGEST_ID
from datasync.choices import DomainChoice
from datasync.quality.alerts import Subject
from erp.api.pagination import PagedQuery
from erp.api.serializers import QueryInteger


class QueryPercent(serializers.FloatField):
    """A share in a query string: plain digits with a decimal point; ``nan``, ``1e2`` and ``5%`` are none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, **options)

    def to_internal_value(self, data: Any) -> float:
        """Take plain digits only."""
        if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class LossQuery(PagedQuery):
    """Whose rows: of one file, one task or one domain; of all when none is named. Platform and shop narrow them."""

    file_id = QueryInteger(min_value=1, max_value=LARGEST_ID, required=False)
    task_id = serializers.SlugField(max_length=64, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    platform = serializers.CharField(max_length=32, required=False)
    shop = serializers.CharField(max_length=100, required=False, help_text="The platform's id of the shop.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One question at a time; a shop's id means something on its own platform only."""
        named = [name for name in ("file_id", "task_id", "domain") if name in attrs]
        if len(named) > 1:
            raise serializers.ValidationError(dict.fromkeys(named, _("Name one of file_id, task_id and domain.")))
        if "shop" in attrs and "platform" not in attrs:
            raise serializers.ValidationError({"platform": _("Name the shop's platform too.")})
        return super().validate(attrs)


def _usual_threshold() -> float:
    percent: float = settings.LOSS_ALERT_PERCENT
    return percent


class AlertQuery(LossQuery):
    """What lost more than is tolerated."""

    threshold = QueryPercent(
        required=False, help_text="Percent of the rows read; what lost more is shown. Usually 5.0."
    )
    subject = serializers.ChoiceField(
        [subject.value for subject in Subject], default=Subject.TASK.value, help_text="What the list is of."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in the installation's own threshold."""
        attrs.setdefault("threshold", _usual_threshold())
        return super().validate(attrs)
