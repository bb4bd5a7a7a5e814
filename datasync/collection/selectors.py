"""The accounts and versions that a person may see, and how the accounts stand in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Now

from datasync.access import Sight
from datasync.choices import AccountState
from datasync.models import CollectionAccount, ComponentVersion

ACCOUNT_ORDERINGS = ("account", "id", "last_collected_at", "platform", "state")
VERSION_ORDERINGS = ("component", "id", "platform", "released_at", "state", "version")
_Reach: Any = CollectionAccount.shops.through


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """What accounts can be chosen by; blank does not matter. ``shop`` is the platform's id of one."""

    platform: str = ""
    state: str = ""
    shop: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class VersionFilters:
    """What versions can be chosen by; blank does not matter. Versions for all platforms are of each."""

    component: str = ""
    platform: str = ""
    state: str = ""
    search: str = ""


@dataclass(slots=True)
class PlatformAccounts:
    """The accounts of one platform. ``stale`` and ``never_collected`` count active ones only."""

    platform: str
    by_state: Counter[str] = field(default_factory=Counter)
    never_collected: int = 0
    stale: int = 0
    without_shops: int = 0
    last_collected_at: datetime | None = None

    @property
    def accounts(self) -> int:
        """All of them."""
        return self.by_state.total()


@dataclass(frozen=True, slots=True)
class AccountStats:
    """All accounts in sight, by platform. Stale: collected, but not for so many hours."""

    stale_hours: int
    platforms: Sequence[PlatformAccounts]

    @property
    def accounts(self) -> int:
        """All of them."""
        return sum(one.accounts for one in self.platforms)

    @property
    def by_state(self) -> dict[str, int]:
        """How many are in each state."""
        counted: Counter[str] = Counter()
        for one in self.platforms:
            counted.update(one.by_state)
        return {state.value: counted[state] for state in AccountState}

    @property
    def never_collected(self) -> int:
        """Active accounts with which nothing was collected yet."""
        return sum(one.never_collected for one in self.platforms)

    @property
    def stale(self) -> int:
        """Active accounts with which nothing was collected for too long."""
        return sum(one.stale for one in self.platforms)

    @property
    def without_shops(self) -> int:
        """Accounts that reach no shop."""
        return sum(one.without_shops for one in self.platforms)

    @property
    def last_collected_at(self) -> datetime | None:
        """When something was collected last."""
        return max((one.last_collected_at for one in self.platforms if one.last_collected_at), default=None)


def in_sight(sight: Sight) -> Q:
    """Accounts that reach shops in sight and no others: what is told of an account is told of all of its shops."""
    if sight.shop_ids is None:
        return Q()
    reached = _reached()
    return Q(Exists(reached.filter(shop__in=sight.shop_ids))) & ~Q(Exists(reached.exclude(shop__in=sight.shop_ids)))


def accounts(filters: AccountFilters, *, ordering: str, sight: Sight) -> QuerySet[CollectionAccount]:
    """The accounts in sight that fit, with their shops."""
    rows = CollectionAccount.objects.filter(in_sight(sight), **_wanted(filters, "platform", "state"))
    if filters.shop:
        rows = rows.filter(Exists(_reached().filter(shop__shop_id=filters.shop)))
    if filters.search:
        rows = rows.filter(account__icontains=filters.search)
    return rows.prefetch_related("shops").order_by(*_ordered(ordering))


def account_stats(*, platform: str = "", stale_hours: int, sight: Sight) -> AccountStats:
    """The figures of the accounts in sight, in one query."""
    active = Q(state=AccountState.ACTIVE)
    stale = active & Q(last_collected_at__lt=Now() - timedelta(hours=stale_hours))
    rows = CollectionAccount.objects.filter(in_sight(sight), **({"platform": platform} if platform else {}))
    counted = (
        rows.annotate(reaches=Exists(_reached()))
        .order_by("platform_id")
        .values("platform_id", "state")
        .annotate(
            accounts=Count("pk"),
            never=Count("pk", filter=active & Q(last_collected_at=None)),
            stale=Count("pk", filter=stale),
            unreaching=Count("pk", filter=Q(reaches=False)),
            last=Max("last_collected_at"),
        )
    )
    found: dict[str, PlatformAccounts] = {}
    for group in counted:
        one = found.setdefault(group["platform_id"], PlatformAccounts(group["platform_id"]))
        one.by_state[group["state"]] += group["accounts"]
        one.never_collected += group["never"]
        one.stale += group["stale"]
        one.without_shops += group["unreaching"]
        one.last_collected_at = max(filter(None, (one.last_collected_at, group["last"])), default=None)
    return AccountStats(stale_hours=stale_hours, platforms=list(found.values()))


def component_versions(filters: VersionFilters, *, ordering: str) -> QuerySet[ComponentVersion]:
    """The versions that fit. They are of no shop, so everybody may see them."""
    rows = ComponentVersion.objects.filter(**_wanted(filters, "component", "state"))
    if filters.platform:
        rows = rows.filter(Q(platform=filters.platform) | Q(platform=None))
    if filters.search:
        rows = rows.filter(Q(component__icontains=filters.search) | Q(version__icontains=filters.search))
    return rows.order_by(*_ordered(ordering))


def _wanted(filters: AccountFilters | VersionFilters, *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := getattr(filters, name))}


def _reached() -> QuerySet[Any]:
    """What the account that is asked about reaches."""
    rows: QuerySet[Any] = _Reach.objects.filter(collectionaccount=OuterRef("pk"))
    return rows


def _ordered(ordering: str) -> list[OrderBy]:
    """By that column, rows without a value last, and by id where that leaves a tie."""
    name, falling = ordering.removeprefix("-"), ordering.startswith("-")

    def by(column: str) -> OrderBy:
        return F(column).desc(nulls_last=True) if falling else F(column).asc(nulls_last=True)

    return [by({"platform": "platform_id"}.get(name, name)), *([] if name == "id" else [by("id")])]
