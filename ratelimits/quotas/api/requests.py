"""What the calls take."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from erp.api.pagination import PagedQuery
from erp.api.serializers import StrictInteger, StrictSerializer

_MOST = 2**31 - 1
_MOST_ROWS = 10**12


def _limit(help_text: str, most: int = _MOST) -> StrictInteger:
    return StrictInteger(min_value=0, max_value=most, required=False, allow_null=True, help_text=help_text)


class OwnLimits(StrictSerializer):
    """Limits of one person. One that is null or not given is decided by the tier or the installation."""

    max_active_tasks = _limit("Tasks that may be active at a time; 0 allows none.")
    max_files_per_task = _limit("Files that one task may have.")
    max_rows_per_day = _limit("Rows that may be read from midnight to midnight.", _MOST_ROWS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be said; saying nothing is what DELETE is for."""
        if all(value is None for value in attrs.values()):
            raise serializers.ValidationError(_("Name at least one limit; DELETE clears them all."))
        return attrs


class QuotaQuery(PagedQuery):
    """Filters of the list."""

    search = serializers.CharField(max_length=150, required=False, help_text="Part of the user name.")
