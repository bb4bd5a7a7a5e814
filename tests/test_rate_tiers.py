"""Whose limit is which: the issue's table, and the best of a person's tiers."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from ratelimits.limits.choices import Scope
from ratelimits.limits.selectors import allowance, rules_of
from ratelimits.models import RateRule
from ratelimits.windows.shared import SharedWindow
from tests.api import owner
from tests.rates import SCOPES, TABLE, allow, limiter, put_into

__all__ = ["limiter", "owner"]
pytestmark = pytest.mark.django_db


def limits(user: User | None) -> dict[str, tuple[str, int]]:
    """Tier and limit in each scope."""
    found = [allowance(rules_of(user), user=user, scope=scope) for scope in Scope]
    return {one.scope.value: (one.tier, one.per_minute) for one in found}


def of_tier(tier: str) -> dict[str, tuple[str, int]]:
    return {scope: (tier, per_minute) for scope, per_minute in zip(SCOPES, TABLE[tier], strict=True)}


@pytest.mark.parametrize("tier", [tier for tier in TABLE if tier != "anonymous"])
def test_each_tier_has_the_limits_of_the_table(limiter: SharedWindow, owner: User, tier: str) -> None:
    assert limits(put_into(owner, tier)) == of_tier(tier)


def test_the_table() -> None:
    assert TABLE == {
        "admin": (200, 100, 20), "manager": (150, 80, 15), "finance": (120, 30, 10), "premium": (100, 50, 10),
        "operator": (100, 50, 10), "normal": (60, 30, 5), "anonymous": (30, 10, 3),
    }  # fmt: skip


def test_tiers_of_nobody_of_anybody_and_of_superusers(limiter: SharedWindow, owner: User) -> None:
    assert limits(None) == of_tier("anonymous")
    assert limits(owner) == of_tier("normal")
    assert limits(put_into(owner, "people of the night")) == of_tier("normal")
    owner.is_superuser = True
    assert limits(owner) == of_tier("admin")


def test_the_best_of_several_tiers_counts_in_each_scope(limiter: SharedWindow, owner: User) -> None:
    put_into(owner, "finance", "operator", "normal")
    assert limits(owner) == {"default": ("finance", 120), "data_sync": ("operator", 50), "auth": ("operator", 10)}


def test_a_tier_may_be_less_than_normal(limiter: SharedWindow, owner: User) -> None:
    put_into(owner, "slow")
    allow(2, tier="slow")
    assert limits(owner)["default"] == ("slow", 2)
    assert limits(owner)["auth"] == ("normal", 5)


def test_without_rules_the_built_in_ones_hold(limiter: SharedWindow, owner: User) -> None:
    put_into(owner, "manager")
    RateRule.objects.filter(tier="manager").update(enabled=False)
    assert limits(owner) == of_tier("normal")
    RateRule.objects.all().delete()
    owner.is_superuser = True
    assert limits(owner) == of_tier("normal")
    assert limits(None) == of_tier("anonymous")
