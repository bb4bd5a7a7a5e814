"""Accounts and component versions that the tests of collecting share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from datasync.models import CollectionAccount, ComponentVersion, Platform, Shop

CHECKSUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def platform(code: str = "shopee") -> Platform:
    return Platform.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def shop(shop_id: str, code: str = "shopee") -> Shop:
    return Shop.objects.get_or_create(platform=platform(code), shop_id=shop_id, defaults={"name": f"Shop {shop_id}"})[0]


def account(
    name: str, *shops: Shop, code: str = "shopee", hours_ago: float | None = None, **values: Any
) -> CollectionAccount:
    """An account that reaches these shops, used so long ago; None: never."""
    last = None if hours_ago is None else timezone.now() - timedelta(hours=hours_ago)
    made = CollectionAccount.objects.create(platform=platform(code), account=name, last_collected_at=last, **values)
    made.shops.set(shops)
    return made


def version(number: str, component: str = "shopee-collector", **values: Any) -> ComponentVersion:
    return ComponentVersion.objects.create(component=component, version=number, **values)


@pytest.fixture
def accounts(db: None) -> dict[str, CollectionAccount]:
    """Two active accounts of Shopee, one of them stale, a blocked one, and one of TikTok that was never used."""
    one, two, other = shop("sg-1"), shop("sg-2"), shop("tt-1", "tiktok")
    made = (
        account("main", one, two, hours_ago=1),
        account("second", two, hours_ago=48),
        account("locked", one, hours_ago=100, state="blocked", note="captcha"),
        account("new", other, code="tiktok"),
        account("loose", code="tiktok", state="paused"),
    )
    return {one.account: one for one in made}
