"""``bench.api_probe`` with doors to the cache: accounts to list, clearing, and how often something was computed."""

from __future__ import annotations

import hashlib

from bench import api_probe, probe
from datasync.models import CollectionAccount, ComponentVersion
from erp.caching import selectors, services

__all__ = ["api_probe"]


def fill_accounts(number: int) -> None:
    """So many accounts and versions."""
    accounts = (CollectionAccount(platform_id="shopee", account=f"account-{at}") for at in range(number))
    CollectionAccount.objects.bulk_create(accounts, batch_size=500)
    ComponentVersion.objects.bulk_create(
        ComponentVersion(component="collector", version=str(at), checksum=hashlib.sha256(str(at).encode()).hexdigest())
        for at in range(number)
    )


def clear_cache() -> None:
    """Make everything outdated, for all processes."""
    services.clear()


def computed(kind: str) -> int:
    """How often an answer of this kind was computed, by whatever process."""
    (found,) = (one for one in selectors.standing().kinds if one.kind == kind)
    return found.misses + found.errors


probe.DOORS.update({function.__name__: function for function in (fill_accounts, clear_cache, computed)})


if __name__ == "__main__":
    probe.main()
