"""One statement tells of a token, its person, their limits and their shops; it says what each room would be told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING, Sight
from datasync.models import Platform, Shop, ShopLimit
from erp.models import ApiToken
from ratelimits.limits.selectors import Rule, rules_of
from ratelimits.models import RateRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ada")


def _signed_in(person: User) -> User:
    """The person as a request with a token has them."""
    found = ApiToken.find(ApiToken.issue(user=person)[1])
    assert found is not None
    assert isinstance(found.user, User)
    return found.user


def _by_itself(person: User) -> tuple[set[Rule], Sight]:
    """What the rooms say of a person nobody asked along of."""
    fresh = User.objects.get(pk=person.pk)
    return set(rules_of(fresh)), Sight.of(fresh)


def _along(person: User) -> tuple[set[Rule], Sight]:
    found = _signed_in(person)
    with CaptureQueriesContext(connection) as asked:
        told = set(rules_of(found)), Sight.of(found)
    assert not asked.captured_queries
    return told


def test_a_token_is_one_statement(person: User) -> None:
    secret = ApiToken.issue(user=person)[1]
    with CaptureQueriesContext(connection) as asked:
        assert ApiToken.find(secret) is not None
    assert len(asked) == 1


def test_rules_and_shops_are_those_that_the_rooms_would_read(person: User) -> None:
    platform = Platform.objects.create(code="shopee", name="Shopee")
    shops = [Shop.objects.create(platform=platform, shop_id=f"s{number}") for number in range(3)]
    person.groups.add(Group.objects.get_or_create(name="finance")[0], Group.objects.create(name="rowers"))
    RateRule.objects.create(tier="rowers", scope="default", endpoint="files", per_minute=7)
    RateRule.objects.create(tier="finance", scope="auth", endpoint="login", per_minute=3, enabled=False)
    limit = ShopLimit.objects.create(user=person)
    limit.shops.set(shops[:2])

    rules, sight = _along(person)

    assert (rules, sight) == _by_itself(person)
    assert Rule("rowers", "default", "files", 7, own=True) in rules
    assert {rule.tier for rule in rules if rule.own} == {"finance", "rowers"}
    assert not any(rule.endpoint == "login" for rule in rules)
    assert sight.shop_ids == frozenset(shop.pk for shop in shops[:2])
    assert sight.scopes == frozenset(("shopee", shop.pk) for shop in shops[:2])


def test_whoever_is_limited_to_no_shop_sees_nothing_and_whoever_is_not_limited_everything(person: User) -> None:
    assert _along(person)[1] == EVERYTHING

    ShopLimit.objects.create(user=person)

    assert _along(person)[1].shop_ids == frozenset()
    assert _along(person) == _by_itself(person)


def test_of_somebody_else_nothing_is_told(person: User) -> None:
    other = User.objects.create_user("grace")
    other.groups.add(Group.objects.get_or_create(name="manager")[0])
    ShopLimit.objects.create(user=other)

    rules, sight = _along(person)

    assert not any(rule.own for rule in rules)
    assert sight == EVERYTHING


def test_without_any_rule_none_is_told(person: User) -> None:
    RateRule.objects.all().delete()

    assert _along(person) == (set(), EVERYTHING)


def test_a_change_holds_for_the_next_look_at_the_token(person: User) -> None:
    secret = ApiToken.issue(user=person)[1]
    before = ApiToken.find(secret)
    RateRule.objects.update(per_minute=1)
    after = ApiToken.find(secret)

    assert before is not None
    assert after is not None
    assert {rule.per_minute for rule in rules_of(User.objects.get(pk=person.pk))} == {1}
    assert {rule.per_minute for rule in rules_of(after.user)} == {1}
    assert {rule.per_minute for rule in rules_of(before.user)} != {1}
