"""Grants, ended tasks and what the ledger says, for the tests of credits."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from datasync.choices import TaskState
from datasync.models import SyncProgressTask
from ratelimits.credits import services
from ratelimits.credits.selectors import mismatches
from ratelimits.models import CreditAccount, CreditEntry, CreditLot
from tests.quotas import make_task

_numbers = itertools.count(1)


def give(user: User, amount: int, *, days: float | None = None, **told: Any) -> CreditEntry:
    """A grant with a key of its own, that ends in so many days or never."""
    end = None if days is None else timezone.now() + timedelta(days=days)
    return services.grant(user, amount=amount, key=str(next(_numbers)), expires_at=end, **told)


def use(user: User, amount: int, **told: Any) -> CreditEntry:
    """Credits taken for something or other."""
    entry = services.consume(user, amount=amount, key=f"other:{next(_numbers)}", **told)
    assert entry is not None
    return entry


def let_pass(*entries: CreditEntry) -> None:
    """The end of what these entries added has come."""
    ended = timezone.now() - timedelta(seconds=1)
    assert CreditLot.objects.filter(entry__in=entries).update(expires_at=ended) == len(entries)


def ended_task(owner: User | None, *, state: str = TaskState.COMPLETED, **rows: int) -> SyncProgressTask:
    """A task that wrote so many ``inserted`` and ``updated`` rows."""
    return make_task(owner, state=state, **{f"rows_{name}": count for name, count in rows.items()})


def ledger(user: User) -> list[tuple[str, int, int]]:
    """Kind, amount and balance of every entry, the oldest first; it has to add up."""
    assert mismatches() == []
    return list(CreditEntry.objects.filter(user=user).order_by("id").values_list("kind", "amount", "balance_after"))


def left(user: User) -> list[int]:
    """What is left of each grant, the oldest first."""
    return list(CreditLot.objects.filter(user=user).order_by("entry_id").values_list("remaining", flat=True))


def balance(user: User) -> int:
    """What the account says."""
    return CreditAccount.objects.get(user=user).balance
