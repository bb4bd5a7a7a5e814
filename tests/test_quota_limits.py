"""Who decides a limit: the person's own, then the tier's, then the installation's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from ratelimits.models import UserQuota
from ratelimits.quotas.choices import Source
from ratelimits.quotas.selectors import Limit, limits_of
from tests.quotas import limit, limit_tier
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def test_the_installation_decides_where_nobody_else_does(ana: User, settings: Any) -> None:
    settings.QUOTA_ACTIVE_TASKS = 7
    limits = limits_of(ana)
    assert limits.max_active_tasks == Limit(7, Source.DEFAULT)
    assert limits.max_files_per_task == limits.max_rows_per_day == Limit(None, Source.DEFAULT)


def test_each_limit_is_decided_for_itself(ana: User) -> None:
    ana.groups.add(limit_tier("operator", max_active_tasks=20, max_files_per_task=50))
    limit(ana, max_active_tasks=3)
    limits = limits_of(ana)
    assert limits.max_active_tasks == Limit(3, Source.USER)
    assert limits.max_files_per_task == Limit(50, Source.TIER, "operator")
    assert limits.max_rows_per_day == Limit(None, Source.DEFAULT)


def test_of_several_tiers_the_most_generous_counts(ana: User) -> None:
    ana.groups.add(
        limit_tier("normal", max_active_tasks=5, max_rows_per_day=100),
        limit_tier("premium", max_active_tasks=50),
        Group.objects.create(name="silent"),
    )
    limit_tier("admin", max_active_tasks=500)
    limits = limits_of(ana)
    assert limits.max_active_tasks == Limit(50, Source.TIER, "premium")
    assert limits.max_rows_per_day == Limit(100, Source.TIER, "normal")


def test_none_at_all_is_a_limit_too(ana: User) -> None:
    limit(ana, max_active_tasks=0)
    assert limits_of(ana).max_active_tasks == Limit(0, Source.USER)


def test_staff_have_only_limits_of_their_own(ana: User) -> None:
    ana.is_staff = True
    ana.save()
    ana.groups.add(limit_tier("operator", max_active_tasks=1, max_files_per_task=1))
    limit(ana, max_files_per_task=9)
    limits = limits_of(ana)
    assert limits.max_active_tasks == Limit(None, Source.STAFF)
    assert limits.max_files_per_task == Limit(9, Source.USER)


@pytest.mark.parametrize("both", [True, False])
def test_a_row_is_of_a_person_or_of_a_tier(ana: User, both: bool) -> None:
    tier = Group.objects.create(name="gold") if both else None
    with pytest.raises(IntegrityError), transaction.atomic():
        UserQuota.objects.create(user=ana if both else None, tier=tier, max_active_tasks=1)


def test_limits_end_with_whom_they_are_of(ana: User) -> None:
    limit(ana, max_active_tasks=1)
    tier = limit_tier("operator", max_active_tasks=1)
    ana.delete()
    tier.delete()
    assert not UserQuota.objects.exists()


def test_deciding_is_one_statement(ana: User, django_assert_num_queries: Any) -> None:
    ana.groups.add(*(limit_tier(f"tier{number}", max_active_tasks=number) for number in range(5)))
    limit(ana, max_files_per_task=1)
    with django_assert_num_queries(1):
        limits_of(ana)
