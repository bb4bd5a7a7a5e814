"""What the figures of the catalogue can be asked for."""

from __future__ import annotations

from rest_framework import serializers

from datasync.choices import DomainChoice
from datasync.mapping.coverage import Coverage
from erp.api.pagination import PagedQuery


class CoverageQuery(PagedQuery):
    """Filters of the families."""

    platform = serializers.CharField(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    status = serializers.ChoiceField([status.value for status in Coverage], required=False)
