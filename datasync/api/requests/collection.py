"""What accounts and component versions can be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework import serializers

from datasync.choices import AccountState, VersionState
from datasync.collection.selectors import ACCOUNT_ORDERINGS, VERSION_ORDERINGS
from erp.api.pagination import PagedQuery
from erp.api.serializers import QueryInteger, QuerySerializer

_MOST_HOURS = 24 * 365


def _ordering(names: Sequence[str], *, default: str) -> serializers.ChoiceField:
    choices = [*names, *(f"-{name}" for name in names)]
    told = "A leading `-` turns it round; what has no value comes last."
    return serializers.ChoiceField(choices, default=default, help_text=told)


class AccountQuery(PagedQuery):
    """Filters of the accounts."""

    platform = serializers.CharField(max_length=32, required=False)
    state = serializers.ChoiceField(AccountState.choices, required=False)
    shop = serializers.CharField(max_length=100, required=False, help_text="The platform's id of a shop it reaches.")
    search = serializers.CharField(max_length=200, required=False, help_text="Part of the account's name.")
    ordering = _ordering(ACCOUNT_ORDERINGS, default="platform")


class AccountStatsQuery(QuerySerializer):
    """What the figures are about."""

    platform = serializers.CharField(max_length=32, required=False)
    stale_hours = QueryInteger(
        min_value=1, max_value=_MOST_HOURS, default=24,
        help_text="From how many hours without collecting an account counts as stale.",
    )  # fmt: skip


class ComponentVersionQuery(PagedQuery):
    """Filters of the component versions."""

    component = serializers.CharField(max_length=100, required=False)
    platform = serializers.CharField(
        max_length=32, required=False, help_text="Versions of this platform, and those that are for all."
    )
    state = serializers.ChoiceField(VersionState.choices, required=False)
    search = serializers.CharField(max_length=200, required=False, help_text="Part of the component's name or version.")
    ordering = _ordering(VERSION_ORDERINGS, default="component")
